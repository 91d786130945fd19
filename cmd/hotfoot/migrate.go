package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"hotfoot/migrations"
	"hotfoot/store/postgres"
)

type migrateCmd struct {
	Up     migrateUpCmd     `cmd:"" help:"Apply what is missing. Safe to run from several machines at once."`
	Status migrateStatusCmd `cmd:"" help:"List the migrations and whether each is applied."`
	Grant  migrateGrantCmd  `cmd:"" help:"Give a role of Postgres what nodes need that serve, and no more."`
}

type migrateUpCmd struct{ storeFlags }

// Run applies the missing migrations.
func (c *migrateUpCmd) Run(ctx context.Context, w *world) error {
	return withMigrations(ctx, c.storeFlags, func(p *goose.Provider) error {
		applied := 0
		for attempt := 1; ; attempt++ {
			results, err := p.Up(ctx)
			for _, r := range results {
				fmt.Fprintf(w.stdout, "applied %s in %d ms\n", r.Source.Path, r.Duration.Milliseconds())
			}
			applied += len(results)
			if lockHeld(err) && attempt < migrateAttempts {
				w.log.Warn("somebody holds a table; trying again", "attempt", attempt, "error", err)
				continue
			}
			if err == nil && applied == 0 {
				fmt.Fprintln(w.stdout, "the schema is up to date")
			}
			return err
		}
	})
}

// migrateAttempts is how often a lock is waited for, two seconds each. Waiting longer at once would make all others queue behind us.
const migrateAttempts = 15

func lockHeld(err error) bool {
	held, ok := errors.AsType[*pgconn.PgError](err)
	return ok && held.Code == "55P03"
}

type migrateStatusCmd struct{ storeFlags }

// Run lists the migrations.
func (c *migrateStatusCmd) Run(ctx context.Context, w *world) error {
	return withMigrations(ctx, c.storeFlags, func(p *goose.Provider) error {
		statuses, err := p.Status(ctx)
		for _, s := range statuses {
			applied := "missing"
			if s.State == goose.StateApplied {
				applied = s.AppliedAt.UTC().Format("2006-01-02 15:04:05")
			}
			fmt.Fprintf(w.stdout, "%-20s %s\n", applied, s.Source.Path)
		}
		return err
	})
}

type migrateGrantCmd struct {
	storeFlags
	Role string `arg:"" help:"The role, which must be there: CREATE ROLE hotfoot_node LOGIN PASSWORD '…'."`
}

// Help is shown below the command's summary.
func (migrateGrantCmd) Help() string {
	return "Nodes of the roles api and gateway can then sign in as that role: it can neither change the schema nor delete anything. Workers, migrations and other commands " +
		"go on as the owner. Run it again after each migration, as the owner."
}

// Run grants.
func (c *migrateGrantCmd) Run(ctx context.Context, w *world) error {
	return withTruth(ctx, c.storeFlags, func(ctx context.Context, store *postgres.Store) error {
		err := store.Grant(ctx, c.Role)
		if err == nil {
			fmt.Fprintf(w.stdout, "%s can serve, and nothing else\n", c.Role)
		}
		return err
	})
}

func withMigrations(ctx context.Context, flags storeFlags, use func(*goose.Provider) error) error {
	if err := flags.validateDatabase(); err != nil {
		return err
	}
	pool, err := connectChecked(ctx, flags.DatabaseURL, 4)
	if err != nil {
		return err
	}
	defer pool.Close()
	provider, err := newMigrations(pool)
	if err != nil {
		return err
	}
	return errors.Join(use(provider), provider.Close())
}

// connectChecked makes a pool and looks at the server's settings. A command, unlike a node, has nothing to do without the server.
func connectChecked(ctx context.Context, url string, maxConns int32) (*pgxpool.Pool, error) {
	pool, err := postgres.Connect(url, maxConns)
	if err != nil {
		return nil, err
	}
	if err := postgres.CheckSettings(ctx, pool); err != nil {
		pool.Close()
		return nil, err
	}
	return pool, nil
}

func newMigrations(pool *pgxpool.Pool) (*goose.Provider, error) {
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, stdlib.OpenDBFromPool(pool), migrations.FS, goose.WithSessionLocker(locker))
}

var errBehind = errors.New("the database lacks migrations: run `hotfoot migrate up` with the same DATABASE_URL")

// checkSchema refuses a database that lacks migrations: serving on it would fail later, and stranger.
func checkSchema(ctx context.Context, pool *pgxpool.Pool) error {
	provider, err := newMigrations(pool)
	if err != nil {
		return err
	}
	pending, err := provider.HasPending(ctx)
	if err != nil {
		return fmt.Errorf("asking for the schema's version: %w", err)
	}
	if pending {
		return errBehind
	}
	return provider.Close()
}
