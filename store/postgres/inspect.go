package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Condition is how a server is, to somebody who looks after it.
type Condition struct {
	Version             string
	Recovering          bool // it is a standby, or still starting
	ReadOnly            bool // it refuses changes, unless a session says otherwise
	SynchronousCommit   string
	Connections         int // of all databases
	MaxConnections      int
	LongestTransaction  time.Duration // of those that this role may see
	Migrations          []int64       // those that were applied
	DeadLetters         int
	Unpublished         int // changes of a minute ago or older that nobody was told of; no more than 1,000 are counted
	PartitionsAheadDays int // as PartitionsAhead
}

const conditionSQL = `
SELECT current_setting('server_version'), pg_is_in_recovery(), current_setting('default_transaction_read_only') = 'on', current_setting('synchronous_commit'),
    (SELECT sum(numbackends)::int FROM pg_stat_database), current_setting('max_connections')::int,
    (SELECT COALESCE(extract(epoch FROM max(clock_timestamp() - xact_start)), 0)::float8 FROM pg_stat_activity WHERE state <> 'idle'),
    to_regclass('goose_db_version') IS NOT NULL`

const migrationsSQL = `SELECT version_id FROM goose_db_version WHERE is_applied ORDER BY version_id`

const owedSQL = `
SELECT (SELECT count(*)::int FROM (SELECT FROM deliveries WHERE published_rev < rev AND updated_at < now() - interval '1 minute' LIMIT 1000) d)
    + (SELECT count(*)::int FROM (SELECT FROM couriers WHERE published_rev < rev AND updated_at < now() - interval '1 minute' LIMIT 1000) c)`

// tellsFrom is the migration that brought the last of the columns that Inspect reads.
const tellsFrom = 2

// Inspect asks a server how it is, in one transaction that cannot change anything. conn should be an ordinary connection: with the settings of Connect the
// server's own would not be seen. What an older schema cannot tell stays zero.
func Inspect(ctx context.Context, conn *pgx.Conn) (c Condition, err error) {
	err = pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		var seconds float64
		var migrated bool
		if err := tx.QueryRow(ctx, conditionSQL).Scan(&c.Version, &c.Recovering, &c.ReadOnly, &c.SynchronousCommit,
			&c.Connections, &c.MaxConnections, &seconds, &migrated); err != nil {
			return err
		}
		c.LongestTransaction = time.Duration(seconds * float64(time.Second))
		if !migrated {
			return nil
		}
		rows, err := tx.Query(ctx, migrationsSQL)
		if err != nil {
			return err
		}
		if c.Migrations, err = pgx.CollectRows(rows, pgx.RowTo[int64]); err != nil {
			return err
		}
		if len(c.Migrations) == 0 || c.Migrations[len(c.Migrations)-1] < tellsFrom {
			return nil
		}
		if err := tx.QueryRow(ctx, owedSQL).Scan(&c.Unpublished); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, countDeadLettersSQL).Scan(&c.DeadLetters); err != nil {
			return err
		}
		return tx.QueryRow(ctx, partitionsAheadSQL, time.Now().UTC()).Scan(&c.PartitionsAheadDays)
	})
	if err != nil {
		return c, fmt.Errorf("asking Postgres how it is: %w", err)
	}
	return c, nil
}
