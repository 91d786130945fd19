package main

import (
	"time"

	"hotfoot/cmd/chaos/rig"
)

func init() {
	add(Scenario{
		ID: "F34", Name: "Postgres restored to an earlier moment",
		Why: "After a restore no viewer keeps a version that Postgres does not know, and no phone is told that something is durable which is not.",
		Run: postgresRestored,
	})
}

func postgresRestored(r *Run) {
	r.Repeat(1, 5, func(int) {
		r.Postgres.BackUp(r.Context())
		rewrite(r, func() { r.Wait(r.Pick(1500*time.Millisecond, 10*time.Second)) },
			func() *rig.Aside { return r.Postgres.Restore(r.Context()) })
	})
}
