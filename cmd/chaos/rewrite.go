package main

import (
	"time"

	"hotfoot/cmd/chaos/oracle"
	"hotfoot/cmd/chaos/rig"
)

// epochKnownWithin is how soon every node must know of an epoch that was raised, and viewers must have been shown what is true in it.
const epochKnownWithin = 6 * time.Second

// rewrite is a fault after which Postgres is where it was a while ago. tail is what happens until then and will be lost; back has the rig's
// Postgres go back, and answers the server that knew the lost tail. The epoch is raised before any node reaches Postgres, as the manual says; the
// nodes are not stopped.
func rewrite(r *Run, tail func(), back func() *rig.Aside) {
	var w oracle.Rewrite
	r.Fault(func() {
		tail()
		old := back()
		defer old.Close()
		w.Lost = r.truth(old.Pool).Without(r.truth(r.Postgres.Pool))
		r.Hotfoot(r.Context(), "epoch", "bump")
		if err := r.Postgres.Pool.QueryRow(r.Context(), "SELECT epoch FROM epoch").Scan(&w.Epoch); err != nil {
			r.fail(err)
		}
		w.At, w.Told = time.Now(), time.Now().Add(epochKnownWithin)
		r.log.Rewrote(w)
		r.load.Rewritten(w.Epoch)
		r.Postgres.Serve()
	})
	converged := time.Now()
	r.Expect(converged.Before(w.Told), "viewers are shown the new epoch within %v; it took %v", epochKnownWithin, converged.Sub(w.At))
	r.Wait(time.Until(w.Told))
	positions, statuses, sessions := 0, 0, r.laterSessions()
	for _, points := range w.Lost.Positions {
		positions += len(points)
	}
	for _, events := range w.Lost.Events {
		statuses += len(events)
	}
	r.Expect(positions > 0 && statuses > 0, "the fault did nothing: %d positions and %d statuses were taken away", positions, statuses)
	r.Expect(sessions > 0, "no phone was asked for a position that it had forgotten, and began a new session")
	r.tell("%d positions and %d statuses were taken away; everybody was in epoch %d %v after it began, and phones have begun %d sessions", positions,
		statuses, w.Epoch, converged.Sub(w.At).Round(10*time.Millisecond), sessions)
}

// laterSessions counts the sessions that phones have begun after their first.
func (r *Run) laterSessions() (n int) {
	phones := r.log.Facts().Phones
	for i := range phones {
		session := ""
		for _, reply := range phones[i].Replies {
			if session != "" && reply.Session != session {
				n++
			}
			session = reply.Session
		}
	}
	return n
}

// truth reads what a server has.
func (r *Run) truth(from oracle.Querier) oracle.Truth {
	t, err := oracle.Read(r.Context(), from)
	if err != nil {
		r.fail(err)
	}
	return t
}
