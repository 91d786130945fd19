package main

import (
	"time"

	"hotfoot/cmd/chaos/proxy"
)

func init() {
	add(Scenario{
		ID: "F12", Name: "Redis failover to a replica that lost the tail",
		Why: "What the old master alone knew is known to Postgres or to the phones: nothing durable is lost, no marker goes back, and no link shows for long what was.",
		Run: redisFailover,
	})
}

// freshWithin is how soon nobody is shown any more what a store remembers and the truth does not.
const freshWithin = 5 * time.Second

func redisFailover(r *Run) {
	r.Repeat(2, 20, func(i int) {
		replica, quiet := r.Redis.Follow(r.Context()), r.newParcel()
		r.Fault(func() {
			replica.Link.Stall(proxy.Both)
			// The last that ever happens to this one, and nobody watches it.
			r.cancelParcel(quiet)
			if i%2 == 1 {
				// Workers cannot reach Postgres, so that the tail holds accepted positions too. The tail may not be longer than viewers can be
				// shown an older place.
				for _, n := range r.API {
					n.Postgres.Cut()
				}
			}
			r.Wait(r.Pick(1500*time.Millisecond, 3*time.Second))
			lost := r.Redis.KillMaster(r.Context())
			r.Expect(lost > 0, "the replica lacks a tail; it has everything: the fault did nothing")
			r.tell("the replica lacks the last %d bytes", lost)
			r.Wait(r.Pick(500*time.Millisecond, 5*time.Second))
			r.Redis.Promote(r.Context())
			for _, n := range r.API {
				n.Postgres.Heal()
			}
		})
		r.Until("a link shows what happened last", freshWithin, func() bool { return r.shows(quiet).Status == "cancelled" })
	})
}
