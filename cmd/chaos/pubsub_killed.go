package main

import (
	"time"

	"hotfoot/cmd/chaos/rig"
)

func init() {
	add(Scenario{
		ID: "F15", Name: "Pub/Sub connections killed, or cut in the middle of a message",
		Why: "An announcement that falls into the gap is noticed and made good: no viewer misses a status or sees one twice.",
		Run: pubsubKilled,
	})
}

// gaps counts how often nodes have lost their subscriptions.
const gaps = "hotfoot_pubsub_gaps_total"

func pubsubKilled(r *Run) {
	r.Repeat(6, 60, func(i int) {
		before := r.Metric(gaps, r.Gateways...)
		r.Fault(func() {
			if i%3 == 2 {
				cutReplies(r, r.Gateways[i/3%len(r.Gateways)])
				return
			}
			r.Redis.Do(r.Context(), "CLIENT", "KILL", "TYPE", "pubsub")
			// Again at once, so that it also happens while everything is being subscribed to.
			r.Wait(time.Duration(r.Rand.Int64N(int64(300 * time.Millisecond))))
			r.Redis.Do(r.Context(), "CLIENT", "KILL", "TYPE", "pubsub")
		})
		r.Expect(r.Metric(gaps, r.Gateways...) > before, "gateways lose their subscriptions: the fault did nothing")
	})
}

// cutReplies lets each of a gateway's connections to Redis end in the middle of whatever comes, for a while.
func cutReplies(r *Run, gateway *rig.Node) {
	for range 3 {
		gateway.Redis.LimitData(2000 + r.Rand.Int64N(4000))
		r.Wait(r.Pick(400*time.Millisecond, 2*time.Second))
	}
	gateway.Redis.Heal()
}
