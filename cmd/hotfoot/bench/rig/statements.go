//go:build linux

package rig

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// counting are arguments for a Postgres that counts its statements, and has all tables in its memory: whoever reads it must not be measured waiting
// for a disk that a larger machine would not need.
var counting = []string{"-c", "shared_preload_libraries=pg_stat_statements", "-c", "shared_buffers=1GB"}

var errNotCounting = errors.New("it needs pg_stat_statements, which comes with Postgres or in a package named postgresql-contrib")

// Statements is what Postgres itself has counted.
type Statements struct {
	Calls int64
	Rows  int64         // that were answered
	Time  time.Duration // spent executing, waits for locks included
}

// Less is what was counted since.
func (s Statements) Less(before Statements) Statements {
	return Statements{s.Calls - before.Calls, s.Rows - before.Rows, s.Time - before.Time}
}

const statementsSQL = `
SELECT coalesce(sum(s.calls), 0)::bigint, coalesce(sum(s.rows), 0)::bigint, coalesce(sum(s.total_exec_time), 0)
FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
WHERE d.datname = current_database() AND s.queryid <> ALL($1) AND s.query LIKE $2 AND s.query NOT LIKE '%pg_stat_statements%'`

// Statements counts what was executed so far whose text is like a pattern, without what Background has found.
func (r *Rig) Statements(ctx context.Context, like string) (Statements, error) {
	var s Statements
	var ms float64
	err := r.db.QueryRow(ctx, statementsSQL, r.background, like).Scan(&s.Calls, &s.Rows, &ms)
	s.Time = time.Duration(ms * float64(time.Millisecond))
	return s, err
}

const queriesSQL = `SELECT s.queryid FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid WHERE d.datname = current_database() AND s.queryid IS NOT NULL`

// Background learns which statements servers execute while nobody asks them for anything, which is what happens during during. They look for changes
// that were not told, for the epoch and for signs of life, and are not counted from then on.
func (r *Rig) Background(ctx context.Context, during func() error) error {
	if _, err := r.db.Exec(ctx, `SELECT pg_stat_statements_reset()`); err != nil {
		return fmt.Errorf("%w: %w", errNotCounting, err)
	}
	if err := during(); err != nil {
		return err
	}
	rows, err := r.db.Query(ctx, queriesSQL)
	if err != nil {
		return err
	}
	defer rows.Close()
	r.background = []int64{}
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return err
		}
		r.background = append(r.background, id)
	}
	return rows.Err()
}
