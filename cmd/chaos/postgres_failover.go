package main

import (
	"time"

	"hotfoot/cmd/chaos/rig"
)

func init() {
	add(Scenario{
		ID: "F4b", Name: "failover to a standby that lacked the newest",
		Why: "An asynchronous standby loses a tail, and no more than that: versions are given out again under a new epoch, and viewers forget the lost ones.",
		Run: postgresFailover,
	})
}

func postgresFailover(r *Run) {
	r.Repeat(1, 5, func(int) {
		r.Postgres.Follow(r.Context())
		rewrite(r, func() {
			r.Postgres.CutStandby(r.Context())
			r.Wait(r.Pick(time.Second, 5*time.Second))
		}, func() *rig.Aside { return r.Postgres.FailOver(r.Context()) })
	})
}
