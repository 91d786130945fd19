package main

import (
	"context"
	"errors"
	"fmt"

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
}

type migrateUpCmd struct{ storeFlags }

// Run applies the missing migrations.
func (c *migrateUpCmd) Run(ctx context.Context, w *world) error {
	return withMigrations(ctx, c.storeFlags, func(p *goose.Provider) error {
		results, err := p.Up(ctx)
		for _, r := range results {
			fmt.Fprintf(w.stdout, "applied %s in %d ms\n", r.Source.Path, r.Duration.Milliseconds())
		}
		if err == nil && len(results) == 0 {
			fmt.Fprintln(w.stdout, "the schema is up to date")
		}
		return err
	})
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

func withMigrations(ctx context.Context, flags storeFlags, use func(*goose.Provider) error) error {
	if err := flags.validateDatabase(); err != nil {
		return err
	}
	pool, err := postgres.Connect(ctx, flags.DatabaseURL, 4)
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

func newMigrations(pool *pgxpool.Pool) (*goose.Provider, error) {
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, stdlib.OpenDBFromPool(pool), migrations.FS, goose.WithSessionLocker(locker))
}

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
		return errors.New("the database lacks migrations: run `hotfoot migrate up` with the same DATABASE_URL")
	}
	return provider.Close()
}
