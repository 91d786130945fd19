package main

import (
	"time"

	"hotfoot/tracking/key"
)

func init() {
	add(Scenario{
		ID: "F9", Name: "Redis comes back empty",
		Why: "Redis is no truth: hot copies are filled again, phones send again what was only accepted, and statuses keep their order.",
		Run: redisEmptied,
	})
}

func redisEmptied(r *Run) {
	r.Repeat(4, 40, func(i int) {
		r.Redis.Do(r.Context(), "SET", witness, "here")
		r.Fault(func() {
			if i%2 == 0 {
				r.Redis.Kill()
				r.Wait(r.Pick(500*time.Millisecond, 5*time.Second))
				r.Redis.RestartEmpty()
				return
			}
			// Workers cannot reach Postgres, so that what phones were told is accepted is in Redis alone when that forgets it. So is where couriers are:
			// it may not last longer than viewers can be shown an older place.
			for _, n := range r.API {
				n.Postgres.Cut()
			}
			r.Wait(r.Pick(500*time.Millisecond, 3*time.Second))
			r.Redis.RestartEmpty()
			for _, n := range r.API {
				n.Postgres.Heal()
			}
		})
		here, err := r.Redis.Client.Exists(r.Context(), witness).Result()
		r.Expect(err == nil && here == 0, "Redis has forgotten everything (%v): the fault did nothing", err)
		// Whether they are told that their group is gone, or join it before they ask: a server that has forgotten everything has it from them.
		r.Until("workers make their group anew", storedWithin, func() bool {
			groups, err := r.Redis.Client.XInfoGroups(r.Context(), key.Positions(0)).Result()
			return err == nil && len(groups) > 0
		})
		now := time.Now()
		r.Until("workers drain what has come since", storedWithin, func() bool { return !waiting(r, now) })
	})
}

// witness is a key that only an empty Redis does not have.
const witness = "chaos:witness"
