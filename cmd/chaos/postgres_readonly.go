package main

import "time"

func init() {
	add(Scenario{
		ID: "F4", Name: "Postgres read-only",
		Why: "A server that reads and does not write, as a demoted primary, refuses statuses with 503, and is used again as soon as it writes.",
		Run: postgresReadOnly,
	})
}

func postgresReadOnly(r *Run) {
	setReadOnly := func(to string) {
		r.Postgres.Exec(r.Context(), "ALTER SYSTEM SET default_transaction_read_only = "+to)
		r.Postgres.Exec(r.Context(), "SELECT pg_reload_conf()")
	}
	r.Repeat(2, 20, func(int) {
		r.Fault(func() {
			setReadOnly("on")
			r.Wait(r.Pick(2*time.Second, 10*time.Second))
			setReadOnly("off")
		})
		expectRefusedWithoutPostgres(r, settledWithin, refusalHeardWithin)
		expectLiveWithoutPostgres(r, settledWithin)
	})
}
