package main

import (
	"time"

	"hotfoot/cmd/chaos/proxy"
)

func init() {
	add(Scenario{
		ID: "F12", Name: "Redis failover to a replica that lost the tail",
		Why: "What the old master alone knew is known to Postgres or to the phones: nothing durable is lost, and no marker goes back.",
		Run: redisFailover,
	})
}

func redisFailover(r *Run) {
	r.Repeat(2, 20, func(i int) {
		replica := r.Redis.Follow(r.Context())
		r.Fault(func() {
			replica.Link.Stall(proxy.Both)
			// In every second run the workers cannot reach Postgres, so that the tail holds accepted positions too.
			if i%2 == 1 {
				for _, n := range r.API {
					n.Postgres.Cut()
				}
			}
			r.Wait(r.Pick(1500*time.Millisecond, 5*time.Second))
			lost := r.Redis.KillMaster(r.Context())
			r.Expect(lost > 0, "the replica lacks a tail; it has everything: the fault did nothing")
			r.tell("the replica lacks the last %d bytes", lost)
			r.Wait(r.Pick(500*time.Millisecond, 5*time.Second))
			r.Redis.Promote(r.Context())
			for _, n := range r.API {
				n.Postgres.Heal()
			}
		})
	})
}
