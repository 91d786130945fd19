package main

import (
	"net/http"
	"time"
)

func init() {
	add(Scenario{
		ID: "F2", Name: "Postgres hangs (SIGSTOP)",
		Why: "A server that accepts and never answers is worse than a dead one: requests must not wait for it for long, nor pile up.",
		Run: postgresPaused,
	})
}

// breakerOpensWithin is how long a hung Postgres may be waited for before it is given up on.
const breakerOpensWithin = 2 * time.Second

func postgresPaused(r *Run) {
	r.Repeat(1, 5, func(int) {
		r.Fault(func() {
			r.Postgres.Pause()
			r.Wait(r.Pick(5*time.Second, time.Minute))
			r.Postgres.Resume()
		})
		statuses := r.After(r.StatusAnswers(), breakerOpensWithin)
		refused := statuses.With(http.StatusServiceUnavailable)
		// Now and then one request is let through to see whether Postgres is back.
		r.Expect(refused.Quantile(0.5) < 100*time.Millisecond, "after %v most statuses are refused within 100 ms; the median took %v, and answers were %v",
			breakerOpensWithin, refused.Quantile(0.5), statuses.Codes())
		r.Expect(len(r.PositionAnswers().With(http.StatusAccepted)) > 0, "positions are accepted without Postgres; answers were %v", r.PositionAnswers().Codes())
	})
}
