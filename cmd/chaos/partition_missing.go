package main

import (
	"fmt"
	"net/http"
	"time"
)

func init() {
	add(Scenario{
		ID: "F29", Name: "a day without its partition",
		Why: "When nobody made tomorrow's partition before midnight, or an old day was dropped, the first position of that day makes it, and none is refused.",
		Run: partitionMissing,
	})
}

// detachedFor is how long the table of a day that was taken away is still there under its name, so that no other can be made.
const detachedFor = 300 * time.Millisecond

func partitionMissing(r *Run) {
	r.Repeat(2, 20, func(i int) {
		today := partitionOf(time.Now())
		archive := fmt.Sprintf("archive_%d", i)
		r.Fault(func() {
			// Every position that comes from now on is as the first one after a midnight for which nobody was prepared.
			r.Postgres.Exec(r.Context(), fmt.Sprintf("ALTER TABLE positions DETACH PARTITION %s CONCURRENTLY", today))
			r.Wait(detachedFor)
			r.Postgres.Exec(r.Context(), fmt.Sprintf("ALTER TABLE %s RENAME TO %s", today, archive))
			r.Until("the missing day is made", settledWithin, func() bool { return attached(r, today) })
			r.Wait(r.Pick(500*time.Millisecond, 5*time.Second))
		})
		for what, answers := range map[string]Answers{"statuses": r.StatusAnswers(), "positions": r.PositionAnswers()} {
			for _, a := range answers {
				r.Expect(a.OK(), "%s are served while a day is missing; %s at %s was answered %d %s %s", what, a.Who, a.Node, a.Code, a.Problem, a.Err)
			}
		}
		r.Expect(len(r.PositionAnswers().With(http.StatusOK)) > 0, "positions are made durable on the new day; answers were %v", r.PositionAnswers().Codes())
		// What was durable before is put back, for the oracle to find.
		r.Postgres.Exec(r.Context(), fmt.Sprintf("INSERT INTO positions SELECT * FROM %s ON CONFLICT DO NOTHING", archive))
		r.Postgres.Exec(r.Context(), "DROP TABLE "+archive)
	})
	lookahead(r)
}

// lookahead takes all coming days away, and expects that a worker makes them when it starts, as it does every hour.
func lookahead(r *Run) {
	var days []string
	for ahead := 1; ahead <= 3; ahead++ {
		days = append(days, partitionOf(time.Now().AddDate(0, 0, ahead)))
	}
	r.Fault(func() {
		for _, day := range days {
			r.Postgres.Exec(r.Context(), "DROP TABLE "+day)
		}
		r.API[0].Restart()
	})
	for _, day := range days {
		r.Until(day+" is made ahead", 5*time.Second, func() bool { return attached(r, day) })
	}
}

func partitionOf(day time.Time) string { return "positions_" + day.UTC().Format("20060102") }

// attached reports whether a partition is there and takes rows.
func attached(r *Run, partition string) (there bool) {
	const attachedSQL = `SELECT EXISTS (SELECT FROM pg_inherits WHERE inhparent = 'positions'::regclass AND inhrelid = to_regclass($1))`
	if err := r.Postgres.Pool.QueryRow(r.Context(), attachedSQL, partition).Scan(&there); err != nil {
		r.fail(err)
	}
	return there
}
