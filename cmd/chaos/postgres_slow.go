package main

import (
	"net/http"
	"time"
)

func init() {
	add(Scenario{
		ID: "F3", Name: "Postgres slow: 60 ms, then 2 s for every round trip",
		Why: "A distant Postgres costs time and no more. One that is slower than any request may take counts as away: statuses are refused, and viewers notice nothing.",
		Run: postgresSlow,
	})
}

func postgresSlow(r *Run) {
	const distant, crawling = 60 * time.Millisecond, 2 * time.Second
	r.Repeat(1, 5, func(int) {
		slowed(r, distant)
		statuses := r.StatusAnswers()
		r.Expect(len(statuses) > 0 && len(statuses.With(http.StatusOK)) == len(statuses) && statuses.Quantile(0.5) > distant,
			"with %v for a round trip statuses are served, slowly; answers were %v, the median took %v", distant, statuses.Codes(), statuses.Quantile(0.5))
		expectLiveWithoutPostgres(r, 0)

		slowed(r, crawling)
		expectRefusedWithoutPostgres(r, breakerOpensWithin, refusedWithin)
		expectLiveWithoutPostgres(r, breakerOpensWithin)
	})
}

// slowed makes every round trip of every node to Postgres take so much longer for a while.
func slowed(r *Run, roundTrip time.Duration) {
	r.Fault(func() {
		for _, n := range r.Nodes() {
			n.Postgres.Delay(roundTrip / 2)
		}
		r.Wait(r.Pick(3500*time.Millisecond, 30*time.Second))
		for _, n := range r.Nodes() {
			n.Postgres.Heal()
		}
	})
}
