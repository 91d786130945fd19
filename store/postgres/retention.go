package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"hotfoot/tracking"
)

var _ tracking.Expiry = (*Store)(nil)

// A day is detached first and dropped then, so there may be one that is no partition any more, or half. A day that is just being made is not seen here: it is
// made and attached in one transaction.
const oldDaysSQL = `
SELECT c.relname, i.inhrelid IS NOT NULL, coalesce(i.inhdetachpending, false)
FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid AND i.inhparent = 'positions'::regclass
WHERE c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'positions'::regclass) AND c.relkind = 'r'
    AND c.relname ~ '^positions_[0-9]{8}$' AND c.relname < 'positions_' || to_char($1::date, 'YYYYMMDD')
ORDER BY coalesce(i.inhdetachpending, false) DESC, c.relname LIMIT $2`

type oldDay struct {
	Table             string
	Attached, Pending bool
}

// dropPatience bounds one statement that takes a day away. Detaching waits for the transactions that may be reading that day.
const dropPatience = 10 * time.Second

// DropDays implements tracking.Expiry. Dropping a partition would lock everybody out who reads or writes positions, and queue them behind the longest reader;
// one that is detached concurrently is nobody's by the time it is dropped. Who stores a position of that day in between is told to try again, and then
// makes the day anew.
func (s *Store) DropDays(ctx context.Context, before tracking.Day, limit int) (dropped int, err error) {
	rows, err := s.db.Query(ctx, oldDaysSQL, before.Start(), limit)
	if err != nil {
		return 0, translate(err)
	}
	days, err := pgx.CollectRows(rows, pgx.RowToStructByPos[oldDay])
	if err != nil {
		return 0, translate(err)
	}
	for _, day := range days {
		if err := s.dropDay(ctx, day); err != nil {
			return dropped, translate(err)
		}
		dropped++
	}
	return dropped, nil
}

func (s *Store) dropDay(ctx context.Context, day oldDay) error {
	table := pgx.Identifier{day.Table}.Sanitize()
	statement := func(sql string) error {
		return s.db.within(ctx, dropPatience, func(ctx context.Context) error {
			_, err := s.db.pool.Exec(ctx, sql)
			return err
		})
	}
	var err error
	switch {
	case day.Pending:
		err = statement("ALTER TABLE positions DETACH PARTITION " + table + " FINALIZE")
	case day.Attached:
		err = statement("ALTER TABLE positions DETACH PARTITION " + table + " CONCURRENTLY")
	}
	if err == nil {
		err = statement("DROP TABLE IF EXISTS " + table)
	}
	// Another worker was faster.
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == undefinedTable {
		return nil
	}
	return err
}

const undefinedTable = "42P01"

const dropLettersBeforeSQL = `DELETE FROM dead_letters WHERE id IN (SELECT id FROM dead_letters WHERE buried_at < $1 ORDER BY id LIMIT $2)`

// DropDeadLettersBefore implements tracking.Expiry.
func (s *Store) DropDeadLettersBefore(ctx context.Context, moment time.Time, limit int) (int, error) {
	var dropped int64
	err := s.within(ctx, func(ctx context.Context, tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, dropLettersBeforeSQL, moment, limit)
		dropped = tag.RowsAffected()
		return err
	})
	return int(dropped), err
}
