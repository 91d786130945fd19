package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

func init() {
	add(Scenario{
		ID: "F28", Name: "migrations under traffic",
		Why: "A release that changes the schema needs no pause: no request fails, and none waits longer than a migration may wait for its lock.",
		Run: migrations,
	})
}

func migrations(r *Run) {
	r.Repeat(2, 20, func(i int) {
		r.Fault(func() {
			for _, statement := range []string{
				fmt.Sprintf("ALTER TABLE deliveries ADD COLUMN chaos_%d text NOT NULL DEFAULT ''", i),
				fmt.Sprintf("ALTER TABLE positions ADD COLUMN chaos_%d bigint", i),
				fmt.Sprintf("CREATE INDEX CONCURRENTLY chaos_%d ON delivery_events (at)", i),
				fmt.Sprintf("SELECT ensure_position_partitions(current_date + %d, current_date + %[1]d)", 10+i),
				fmt.Sprintf("SELECT ensure_position_partitions(current_date - %d, current_date - %[1]d)", 40+i), // to be dropped below
				// What a prepared statement answers is of another type from here on.
				retype("deliveries", "note", fmt.Sprintf("varchar(%d)", 3000+i)),
				retype("couriers", "phone", fmt.Sprintf("varchar(%d)", 300+i)),
			} {
				migrate(r, statement)
			}
			oldest := oldestDay(r)
			migrate(r, "ALTER TABLE positions DETACH PARTITION "+oldest+" CONCURRENTLY")
			migrate(r, "DROP TABLE "+oldest)
		})
		expectServed(r)
	})
	r.Repeat(1, 20, func(i int) {
		r.Fault(func() {
			migrateBehindReader(r, fmt.Sprintf("ALTER TABLE deliveries ADD COLUMN late_%d text NOT NULL DEFAULT ''", i))
		})
		expectServed(r)
	})
}

// retype alters the type of a column that the table's audit is told of. Postgres refuses that while the trigger is there, so it is made again in the same
// transaction: no change goes by without it.
func retype(table, column, to string) string {
	return fmt.Sprintf(`DO $$
		DECLARE
			audit text := (SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname = 'audit' AND tgrelid = '%s'::regclass);
		BEGIN
			DROP TRIGGER audit ON %[1]s;
			ALTER TABLE %[1]s ALTER COLUMN %s TYPE %s;
			EXECUTE audit;
		END
		$$`, table, column, to)
}

// lockWait is how long our own migrations stand in line for a lock, with everybody else behind them.
const lockWait = time.Second

// expectServed expects that nobody was refused during the newest fault, and nobody waited for long.
func expectServed(r *Run) {
	for what, answers := range map[string]Answers{"statuses": r.StatusAnswers(), "positions": r.PositionAnswers(), "links": r.OpeningAnswers()} {
		for _, a := range answers {
			r.Expect(a.OK(), "%s are served during a migration; %s at %s was answered %d %s %s", what, a.Who, a.Node, a.Code, a.Problem, a.Err)
		}
		r.Expect(answers.Slowest() < lockWait+time.Second, "%s wait for no migration longer than that for its lock; the slowest took %v", what, answers.Slowest())
	}
	r.tell("served meanwhile: statuses %v, the slowest in %v, positions %v, links %v", r.StatusAnswers().Codes(),
		r.StatusAnswers().Slowest().Round(time.Millisecond), r.PositionAnswers().Codes(), r.OpeningAnswers().Codes())
}

// migrate runs one statement as our own migrations do, again when it did not get its lock.
func migrate(r *Run, statement string) {
	err := tryMigration(r, statement)
	for lockedOut(err) {
		r.Wait(lockWait / 2)
		err = tryMigration(r, statement)
	}
	if err != nil {
		r.fail(fmt.Errorf("%s: %w", statement, err))
	}
	r.Wait(r.Pick(200*time.Millisecond, time.Second)) // so that every connection uses what it had prepared before
}

// migrateBehindReader runs one while somebody reads the table for a long time, as a backup does. It fails, and is run again.
func migrateBehindReader(r *Run, statement string) {
	reader, err := r.Postgres.Pool.Begin(r.Context())
	if err == nil {
		_, err = reader.Exec(r.Context(), "SELECT FROM deliveries")
	}
	if err != nil {
		r.fail(err)
	}
	err = tryMigration(r, statement)
	r.Expect(lockedOut(err), "a migration does not get its lock while somebody reads; it says %v", err)
	r.Wait(lockWait / 2)
	if err := reader.Rollback(r.Context()); err != nil {
		r.fail(err)
	}
	migrate(r, statement)
}

func lockedOut(err error) bool {
	const lockNotAvailable = "55P03"
	var refused *pgconn.PgError
	return errors.As(err, &refused) && refused.Code == lockNotAvailable
}

func tryMigration(r *Run, statement string) error {
	return r.Postgres.Pool.AcquireFunc(r.Context(), func(conn *pgxpool.Conn) error {
		if _, err := conn.Exec(r.Context(), fmt.Sprintf("SET lock_timeout = '%dms'", lockWait.Milliseconds())); err != nil {
			return err
		}
		_, err := conn.Exec(r.Context(), statement)
		return err
	})
}

// oldestDay is the partition of positions that retention would drop next.
func oldestDay(r *Run) (partition string) {
	const oldestSQL = `SELECT min(inhrelid::regclass::text) FROM pg_inherits WHERE inhparent = 'positions'::regclass`
	if err := r.Postgres.Pool.QueryRow(r.Context(), oldestSQL).Scan(&partition); err != nil {
		r.fail(err)
	}
	return partition
}
