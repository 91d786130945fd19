package main

import (
	"time"

	"hotfoot/cmd/chaos/load"
	"hotfoot/cmd/chaos/oracle"
	"hotfoot/cmd/chaos/rig"
)

func init() {
	add(Scenario{
		ID: "F18", Name: "a gateway killed with its viewers",
		Why:   "Its viewers come back to another gateway and go on where they were, and Postgres hardly notices the crowd.",
		Size:  load.Size{Viewers: 1000, ReportEvery: time.Second, StepEvery: 2 * time.Second},
		Large: load.Size{Viewers: 5000, ReportEvery: 2 * time.Second, StepEvery: 2 * time.Second},
		Run:   gatewayKilled,
	})
}

// backWithin bounds how long after a gateway's death its viewers may be away; they wait up to two seconds of their own accord.
const backWithin = 5 * time.Second

func gatewayKilled(r *Run) {
	r.Repeat(2, 10, func(i int) {
		// As long as coming back may take, and as deliveries take for a step: in half of that there are twice as many steps or half as many.
		before := r.questionsEach(func() { r.Wait(2 * time.Second) })
		victim := r.Gateways[i%len(r.Gateways)]
		at := time.Now()
		during := r.questionsEach(func() { r.Fault(victim.Kill) })
		r.Expect(during < 2*before, "Postgres is asked at most twice as often as before, %.0f times a second; it was asked %.0f times", before, during)
		r.tell("Postgres was asked %.0f times a second before, %.0f while they came back", before, during)
		r.expectBack(victim, at)
		victim.Restart()
	})
}

// expectBack expects that the viewers whom a node had are all with another one soon.
func (r *Run) expectBack(node *rig.Node, at time.Time) {
	back, away := oracle.Returns(r.log.Facts(), node.Name, at)
	r.Expect(len(back) > 0, "the fault did nothing: nobody was connected to %s", node.Name)
	r.Expect(len(away) == 0, "everybody comes back; %q did not", away)
	slowest := oracle.Quantile(back, 0.99)
	r.Expect(slowest < backWithin, "99 of 100 viewers are greeted again within %v; it took %v", backWithin, slowest)
	r.tell("%d viewers of %s were greeted again: half after %v, 99 of 100 after %v", len(back), node.Name,
		oracle.Quantile(back, 0.5).Round(time.Millisecond), slowest.Round(time.Millisecond))
}

// questionsEach is how often a second nodes asked Postgres something while do lasted.
func (r *Run) questionsEach(do func()) float64 {
	began, before := time.Now(), questions(r)
	do()
	return float64(questions(r)-before) / time.Since(began).Seconds()
}

// questions is how often nodes have asked Postgres something.
func questions(r *Run) (n int64) {
	for _, node := range r.Nodes() {
		n += node.Postgres.Asked()
	}
	return n
}
