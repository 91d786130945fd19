package main

import (
	"net/http"
	"time"

	"hotfoot/cmd/chaos/rig"
)

func init() {
	add(Scenario{
		ID: "F5", Name: "Postgres' disk full",
		Why: "What cannot be stored is not acknowledged, first as rows find no room and then as the server gives up; with room again all of it lands.",
		Needs: func(e *Env) string {
			if !e.Root() || !e.Has("mount") {
				return "needs root, to mount a small disk"
			}
			return ""
		},
		// Files of the log that are not needed any more are deleted, not kept for later: else there would always be one.
		Postgres: rig.PostgresConfig{Disk: 120, Arguments: []string{"-c", "wal_recycle=off"}},
		Run:      postgresDiskFull,
	})
}

func postgresDiskFull(r *Run) {
	r.Repeat(1, 10, func(int) {
		r.Fault(func() {
			r.Postgres.FillDisk()
			r.Wait(r.Pick(1500*time.Millisecond, 10*time.Second))
			r.Until("Postgres gives up", 10*time.Second, func() bool {
				// The log grows by files of 16 MB. The server cannot do without, and ends. What it answers to who asked for the next one is of no interest.
				_, _ = r.Postgres.Pool.Exec(r.Context(), "SELECT pg_switch_wal()")
				return r.Postgres.Died()
			})
			r.Postgres.Kill() // its address refuses from now on
			r.Wait(r.Pick(time.Second, 10*time.Second))
			r.Postgres.FreeDisk()
			r.Postgres.Restart()
		})
		r.Expect(len(r.StatusAnswers().With(http.StatusServiceUnavailable)) > 0, "statuses are refused; answers were %v", r.StatusAnswers().Codes())
		expectLiveWithoutPostgres(r, 0)
	})
}
