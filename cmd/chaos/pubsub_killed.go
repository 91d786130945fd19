package main

import "time"

func init() {
	add(Scenario{
		ID: "F15", Name: "Pub/Sub connections killed",
		Why: "An announcement that falls into the gap is noticed and made good: no viewer misses a status or sees one twice.",
		Run: pubsubKilled,
	})
}

func pubsubKilled(r *Run) {
	r.Repeat(4, 60, func(int) {
		r.Fault(func() {
			r.Redis.Do(r.Context(), "CLIENT", "KILL", "TYPE", "pubsub")
			// Again at once, so that it also happens while everything is being subscribed to.
			r.Wait(time.Duration(r.Rand.Int64N(int64(300 * time.Millisecond))))
			r.Redis.Do(r.Context(), "CLIENT", "KILL", "TYPE", "pubsub")
		})
	})
}
