package doctor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

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
	defer part(ctx, conn)
	condition, err := postgres.Inspect(ctx, conn)
	if err != nil {
		c.bad("postgres", "docs/runbooks/store-unavailable.md", "%s answers, and then not: %v", where, err)
		return
	}
	c.ok("postgres", "%s, version %s", where, condition.Version)
	c.truthSettings(ctx, conn)
	c.truthState(condition)
	c.schema(condition)
	c.clock(ctx, "clock of Postgres", func(ctx context.Context) (now time.Time, err error) {
		err = conn.QueryRow(ctx, "SELECT clock_timestamp()").Scan(&now)
		return now, err
	})
}

// part closes a connection, and does not wait for a server that hangs.
func part(ctx context.Context, conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = conn.Close(ctx)
}

// truthSettings is what keeps a node from starting. Its connections turn synchronous_commit on, so what the server does by default is no part of that.
func (c *chart) truthSettings(ctx context.Context, conn *pgx.Conn) {
	err := pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SET LOCAL synchronous_commit = on"); err != nil {
			return err
		}
		return postgres.CheckSettings(ctx, tx)
	})
	var flaw *postgres.Flaw
	switch {
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
		c.bad("postgres writes", "let DATABASE_URL name the primary, or add target_session_attrs=read-write",
			"this server takes no changes: it is a standby, or read-only")
	} else {
		c.ok("postgres writes", "it takes changes")
	}
	const check = "postgres connections"
	switch free := is.MaxConnections - is.Connections; {
	case free < connectionsOfNode:
		c.warn(check, "raise max_connections in postgresql.conf, and restart",
			"%d of %d are taken: the next node finds no room for its %d", is.Connections, is.MaxConnections, connectionsOfNode)
	default:
		c.ok(check, "%d of %d are taken", is.Connections, is.MaxConnections)
	}
	if is.LongestTransaction > 10*time.Minute {
		c.warn("postgres transactions", "SELECT pid, xact_start, left(query, 80) FROM pg_stat_activity ORDER BY xact_start; then pg_terminate_backend(pid)",
			"one has been open for %s: dead rows stay, and migrations wait", is.LongestTransaction.Round(time.Second))
	}
}
