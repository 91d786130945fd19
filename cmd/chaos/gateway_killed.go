package main

import (
	"time"

	"hotfoot/cmd/chaos/load"
)

func init() {
	add(Scenario{
		ID: "F18", Name: "a gateway killed with its viewers",
		Why:   "Its viewers come back to another gateway and go on where they were, and Postgres hardly notices the crowd.",
		Size:  load.Size{Viewers: 400, ReportEvery: 500 * time.Millisecond},
		Large: load.Size{Viewers: 5000, ReportEvery: 2 * time.Second, StepEvery: 2 * time.Second},
		Run:   gatewayKilled,
	})
}

// backWithin bounds how long after a gateway's death its viewers may be away; they wait up to two seconds of their own accord.
const backWithin = 5 * time.Second

func gatewayKilled(r *Run) {
	r.Repeat(2, 10, func(i int) {
		began, asked := time.Now(), questions(r)
		r.Wait(time.Second)
		before := float64(questions(r)-asked) / time.Since(began).Seconds()
		victim := r.Gateways[i%len(r.Gateways)]
		began, asked = time.Now(), questions(r)
		back := r.Fault(victim.Kill)
		during := float64(questions(r)-asked) / time.Since(began).Seconds()
		r.Expect(back < backWithin, "viewers are back within %v; it took %v", backWithin, back)
		r.Expect(during < 2*before, "Postgres is asked at most twice as often as before, %.0f times a second; it was asked %.0f times", before, during)
		victim.Restart()
	})
}

// questions is how often nodes have asked Postgres something.
func questions(r *Run) (n int64) {
	for _, node := range r.Nodes() {
		n += node.Postgres.Asked()
	}
	return n
}
