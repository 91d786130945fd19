package main

import (
	"time"

	"hotfoot/cmd/chaos/rig"
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
		before := goroutines(r)
		var during map[*rig.Node]int
		r.Fault(func() {
			r.Postgres.Pause()
			r.Wait(r.Pick(5*time.Second, time.Minute))
			during = goroutines(r)
			r.Postgres.Resume()
		})
		expectRefusedWithoutPostgres(r, breakerOpensWithin, refusedWithin)
		expectLiveWithoutPostgres(r, breakerOpensWithin)
		for n, now := range during {
			r.Expect(now <= before[n]+moreGoroutines, "goroutines of %s do not pile up: it had %d before the fault and %d at its end", n.Name, before[n], now)
		}
	})
}

// moreGoroutines is what the clients' comings and goings may add between two looks.
const moreGoroutines = 50

// goroutines is how many each node has now.
func goroutines(r *Run) map[*rig.Node]int {
	counts := map[*rig.Node]int{}
	for _, n := range r.Nodes() {
		v, err := n.Vitals(r.Context())
		r.Expect(err == nil, "%s tells its vitals: %v", n.Name, err)
		counts[n] = v.Goroutines
	}
	return counts
}
