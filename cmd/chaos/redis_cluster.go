package main

import (
	"fmt"
	"time"

	"hotfoot/tracking/key"
)

func init() {
	add(Scenario{
		ID: "F13", Name: "Redis Cluster: slots move, a master dies",
		Why:     "Nobody notices that keys move from one master to another, and a master that dies costs what Redis costs when it dies, and no more.",
		Masters: 3,
		Run:     redisCluster,
	})
}

func redisCluster(r *Run) {
	r.Repeat(1, 20, func(i int) {
		slotsMove(r)
		victim := (i + r.Rand.IntN(r.Cluster.Len())) % r.Cluster.Len()
		r.Fault(func() {
			r.Cluster.Kill(victim)
			r.Wait(r.Pick(3500*time.Millisecond, 10*time.Second))
			r.Cluster.Restart(r.Context(), victim)
		})
		expectShown(r, "a master is away")
	})
}

// slotsMove moves every partition to the next master while it is used, each for a moment with keys on both sides.
func slotsMove(r *Run) {
	before, keys := r.Cluster.Redirections(r.Context()), 0
	r.Fault(func() {
		partitions := r.Rand.Perm(key.Partitions)
		if !r.Long {
			partitions = partitions[:key.Partitions/2]
		}
		for n, partition := range partitions {
			slot := r.Cluster.Slot(r.Context(), fmt.Sprintf("{p%d}", partition))
			m := r.Cluster.Move(r.Context(), slot, (r.Cluster.Owner(r.Context(), slot)+1)%r.Cluster.Len())
			if n%4 == 0 {
				keys += m.Keys(r.Context(), 1+r.Rand.IntN(5))
				r.Wait(r.Pick(100*time.Millisecond, time.Second))
			}
			keys += m.End(r.Context())
		}
	})
	after := r.Cluster.Redirections(r.Context())
	r.tell("%d keys moved; masters said %v more than %v", keys, after, before)
	r.Expect(keys > key.Partitions/2 && after["MOVED"] > before["MOVED"] && after["ASK"]+after["TRYAGAIN"] > before["ASK"]+before["TRYAGAIN"],
		"nodes are sent from one master to another; %d keys moved, and masters said %v before and %v after: the fault did nothing", keys, before, after)
	for kind, answers := range map[string]Answers{"statuses": r.StatusAnswers(), "positions": r.PositionAnswers()} {
		for _, a := range answers {
			r.Expect(a.OK(), "%s are answered while slots move; one got %d %s", kind, a.Code, a.Err)
		}
	}
	expectShown(r, "slots move")
}

// expectShown expects that viewers were shown what happened during the fault, some of it not before it was looked for.
func expectShown(r *Run, when string) {
	delays := r.Delays(nil)
	r.tell("while %s, statuses took viewers %v, and at most %v", when, delays.Quantile(0.5).Round(time.Millisecond), delays.Quantile(1).Round(time.Millisecond))
	r.Expect(delays.Quantile(1) < sweptWithin, "while %s, viewers are shown statuses within %v; the longest took %v", when, sweptWithin, delays.Quantile(1))
}
