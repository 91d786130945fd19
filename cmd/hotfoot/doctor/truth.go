package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/pressly/goose/v3"

	"hotfoot/migrations"
	"hotfoot/store/postgres"
)

// connectionsOfNode is what a node opens at most, its breaker's included.
const connectionsOfNode = 17

// truth looks at Postgres.
func (c *chart) truth(ctx context.Context, p Patient) {
	if p.DatabaseURL == "" {
		c.bad("postgres", "DATABASE_URL=postgres://user:password@host/database", "DATABASE_URL is not set")
		return
	}
	config, err := pgxpool.ParseConfig(p.DatabaseURL)
	if err != nil {
		c.bad("postgres", "DATABASE_URL=postgres://user:password@host/database", "DATABASE_URL is not an address of Postgres")
		return
	}
	c.hide(config.ConnConfig.Password) // it may come from elsewhere than the address
	config.ConnConfig.RuntimeParams["application_name"] = "hotfoot doctor"
	where := fmt.Sprintf("%s@%s/%s", config.ConnConfig.User, config.ConnConfig.Host, config.ConnConfig.Database)
	conn, err := pgx.ConnectConfig(ctx, config.ConnConfig)
	if err != nil {
		c.bad("postgres", "start it, or correct DATABASE_URL", "%s does not answer: %v", where, err)
		return
	}
	defer conn.Close(context.WithoutCancel(ctx))
	c.truthSettings(ctx, p)
	condition, err := postgres.Inspect(ctx, conn)
	if err != nil {
		c.bad("postgres", "docs/runbooks/store-unavailable.md", "%s answers, and then not: %v", where, err)
		return
	}
	c.ok("postgres", "%s, version %s", where, condition.Version)
	c.truthState(condition)
	c.schema(condition)
	c.clock(ctx, "clock of Postgres", func(ctx context.Context) (now time.Time, err error) {
		err = conn.QueryRow(ctx, "SELECT clock_timestamp()").Scan(&now)
		return now, err
	})
}

// truthSettings is what keeps a node from starting. It looks at them as a node does, whose connections have settings of their own.
func (c *chart) truthSettings(ctx context.Context, p Patient) {
	pool, err := postgres.Connect(p.DatabaseURL, 1)
	if err != nil {
		c.bad("postgres settings", "", "%v", err)
		return
	}
	defer pool.Close()
	var flaw *postgres.Flaw
	switch err := postgres.CheckSettings(ctx, pool); {
	case errors.As(err, &flaw):
		c.bad("postgres settings", flaw.Fix+" in postgresql.conf, and restart", "%s", flaw.Found)
	case err != nil:
		c.bad("postgres settings", "docs/runbooks/store-unavailable.md", "%v", err)
	default:
		c.ok("postgres settings", "what was committed stays")
	}
}

func (c *chart) truthState(is postgres.Condition) {
	if is.SynchronousCommit == "off" {
		c.warn("postgres synchronous_commit", "ALTER SYSTEM SET synchronous_commit = on; SELECT pg_reload_conf()",
			"it is off by default: Hotfoot turns it on for itself, but what is changed by other means may be lost")
	}
	if is.Recovering || is.ReadOnly {
		c.bad("postgres writes", "let DATABASE_URL name the primary, or add target_session_attrs=read-write", "this server takes no changes: it is a standby, or read-only")
	} else {
		c.ok("postgres writes", "it takes changes")
	}
	const check = "postgres connections"
	switch free := is.MaxConnections - is.Connections; {
	case free < connectionsOfNode:
		c.warn(check, "raise max_connections in postgresql.conf, and restart", "%d of %d are taken: the next node finds no room for its %d", is.Connections, is.MaxConnections, connectionsOfNode)
	default:
		c.ok(check, "%d of %d are taken", is.Connections, is.MaxConnections)
	}
	if is.LongestTransaction > 10*time.Minute {
		c.warn("postgres transactions", "SELECT pid, xact_start, left(query, 80) FROM pg_stat_activity ORDER BY xact_start; then pg_terminate_backend(pid)",
			"one has been open for %s: dead rows stay, and migrations wait", is.LongestTransaction.Round(time.Second))
	}
}

// schema looks at the migrations, and at what only a current schema tells.
func (c *chart) schema(is postgres.Condition) {
	missing, known := 0, int64(0)
	names, _ := fs.Glob(migrations.FS, "*.sql")
	for _, name := range names {
		version, err := goose.NumericComponent(name)
		if err == nil && !slices.Contains(is.Migrations, version) {
			missing++
		}
		known = max(known, version)
	}
	if missing > 0 {
		c.bad("schema", "hotfoot migrate up", "the database lacks %d of %d migrations", missing, len(names))
		return
	}
	if newest := slices.Max(is.Migrations); newest > known {
		c.ok("schema", "the database is of a newer version, %d; this one serves on it", newest)
	} else {
		c.ok("schema", "all %d migrations are applied", len(names))
	}
	if is.Unpublished > 0 {
		c.warn("announcements", "look whether nodes run and reach Redis; they make it good by themselves", "%d changes of more than a minute ago were told nobody", is.Unpublished)
	} else {
		c.ok("announcements", "all changes were told")
	}
	if is.DeadLetters > 0 {
		c.warn("dead letters", "hotfoot deadletters list", "%d batches of positions could not be stored", is.DeadLetters)
	} else {
		c.ok("dead letters", "none")
	}
	switch days := is.PartitionsAheadDays; {
	case days < 0:
		c.warn("partitions", "run a node with the role worker", "there is none for today: each is made when the first position needs it, while others wait")
	case days < 2:
		c.warn("partitions", "run a node with the role worker", "there are %d days ahead of today; workers keep four", days)
	default:
		c.ok("partitions", "%d days ahead", days)
	}
}
