package main

import (
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"
)

func init() {
	add(Scenario{
		ID: "F7", Name: "locks held in Postgres: one delivery's row, then the whole table",
		Why: "Who waits for a lock is refused in time and holds up nobody else; positions need no lock that anybody would hold.",
		Run: postgresLocked,
	})
}

func postgresLocked(r *Run) {
	r.Repeat(1, 2, func(int) {
		name := rowLocked(r)
		var held, others Answers
		for _, a := range r.StatusAnswers() {
			if a.Who == name {
				held = append(held, a)
			} else {
				others = append(others, a)
			}
		}
		r.Expect(len(held.With(http.StatusServiceUnavailable)) > 0, "who must wait for a locked delivery is refused; %s was answered %v", name, held.Codes())
		r.Expect(len(others) > 0 && len(others.With(http.StatusOK)) == len(others), "all other couriers are served; they were answered %v", others.Codes())
		r.Expect(others.Quantile(0.95) < lockWait/2, "no other courier waits for the lock; the 95th percentile took %v", others.Quantile(0.95))
		expectLiveWithoutPostgres(r, 0)

		locked(r, func(tx pgx.Tx) {
			_, err := tx.Exec(r.Context(), "LOCK TABLE deliveries IN ACCESS EXCLUSIVE MODE")
			r.Expect(err == nil, "the table is locked: %v", err)
		})
		refused := r.StatusAnswers().With(http.StatusServiceUnavailable)
		r.Expect(len(refused) > 0, "nobody can change a locked table; answers were %v", r.StatusAnswers().Codes())
		expectLiveWithoutPostgres(r, 0)
	})
}

// rowLocked locks a delivery that is under way, and answers the name of its courier.
func rowLocked(r *Run) (courier string) {
	locked(r, func(tx pgx.Tx) {
		err := tx.QueryRow(r.Context(), `SELECT c.name FROM deliveries d JOIN couriers c ON c.id = d.courier_id
			WHERE d.status IN ('en_route', 'arriving') ORDER BY md5(d.id::text || $1) LIMIT 1 FOR UPDATE OF d`, r.Rand.Uint64()).Scan(&courier)
		r.Expect(err == nil, "a delivery is locked: %v", err)
	})
	return courier
}

// locked is a fault that lasts as long as the transaction of somebody who does not end it.
func locked(r *Run, lock func(pgx.Tx)) {
	r.Fault(func() {
		tx, err := r.Postgres.Pool.Begin(r.Context())
		if err != nil {
			r.fail(err)
		}
		lock(tx)
		r.Wait(r.Pick(3*time.Second, time.Minute))
		if err := tx.Rollback(r.Context()); err != nil {
			r.fail(err)
		}
	})
}
