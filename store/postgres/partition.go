package postgres

import (
	"context"
	"time"
)

// The first day without a partition ends the count; what a date may be is bounded, and so is the count.
const partitionsAheadSQL = `
SELECT COALESCE(min(day) - 1, 60) FROM generate_series(0, 60) day WHERE NOT EXISTS (
    SELECT FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'positions'::regclass AND c.relname = 'positions_' || to_char($1::date + day, 'YYYYMMDD'))`

// PartitionsAhead counts the days after now's that positions have a partition for, up to the first that has none and to 60; -1 when now's own day has
// none. Errors: CodeUnavailable.
func (s *Store) PartitionsAhead(ctx context.Context, now time.Time) (days int, err error) {
	err = s.db.QueryRow(ctx, partitionsAheadSQL, now.UTC()).Scan(&days)
	return days, translate(err)
}
