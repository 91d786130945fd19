package main

import (
	"net/http"
	"time"
)

func init() {
	add(Scenario{
		ID: "F1", Name: "Postgres killed",
		Why: "A status is acknowledged only when it is on disk, positions go on through Redis, and everything catches up by itself.",
		Run: postgresKilled,
	})
}

func postgresKilled(r *Run) {
	r.Repeat(3, 20, func(int) {
		r.Fault(func() {
			r.Postgres.Kill()
			r.Wait(r.Pick(time.Second, 5*time.Second))
			r.Postgres.Restart()
		})
		positions := r.PositionAnswers()
		r.Expect(len(positions.With(http.StatusAccepted)) > 0, "positions are accepted without Postgres; answers were %v", positions.Codes())
	})
}
