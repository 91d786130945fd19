package main

import (
	"net/http"
	"time"

	"hotfoot/cmd/chaos/oracle"
)

func init() {
	add(Scenario{
		ID: "F30", Name: "both stores down",
		Why: "Refusals are quick and cost no memory, sockets stay open and are told live:false, and everything comes back by itself.",
		Run: storesDown,
	})
}

const (
	// bothOpenWithin is how long a node may take to find out that nothing answers, when the stores hang: two questions of half a second each,
	// one a second.
	bothOpenWithin = 2500 * time.Millisecond
	// outageMemory is what a process may gain in an outage in which it can do nothing, however long.
	outageMemory = 32 << 20
)

func storesDown(r *Run) {
	r.Repeat(2, 4, func(i int) {
		held := map[string]int64{}
		for _, n := range r.Nodes() {
			held[n.Name] = r.memory(n)
		}
		began, over := time.Now(), time.Time{}
		r.Fault(func() {
			// Killed, they refuse; paused, they accept and never answer.
			lasts, noticed := r.Pick(3500*time.Millisecond, 5*time.Minute), darkWithin
			down, up := []func(){r.Postgres.Kill, r.Redis.Kill}, []func(){r.Redis.Restart, r.Postgres.Restart}
			if i%2 == 1 {
				down, up = []func(){r.Postgres.Pause, r.Redis.Pause}, []func(){r.Redis.Resume, r.Postgres.Resume}
				lasts, noticed = r.Pick(5*time.Second, 5*time.Minute), noticedWithin
			}
			for _, do := range down {
				do()
			}
			r.Until("viewers are told live:false while both stores are down", noticed, func() bool { return r.Sight().Live == 0 })
			r.Wait(lasts - time.Since(began))
			for _, n := range r.Nodes() {
				grown := r.memory(n) - held[n.Name]
				r.Expect(grown < outageMemory, "memory stays flat in an outage; %s grew by %d kB", n.Name, grown>>10)
			}
			over = time.Now()
			for _, do := range up {
				do()
			}
		})
		r.expectRefusals(began, over)
	})
}

// expectRefusals expects that while both stores were down everything was refused, quickly, and that nobody was sent away who was there.
func (r *Run) expectRefusals(began, over time.Time) {
	for kind, answers := range map[string]Answers{"statuses": r.StatusAnswers(), "positions": r.PositionAnswers()} {
		late := r.After(answers, bothOpenWithin).where(func(a oracle.Answer) bool { return a.Done().Before(over) })
		refused := late.With(http.StatusServiceUnavailable)
		r.Expect(len(refused) > 0, "the fault did nothing: %s were answered %v", kind, answers.Codes())
		r.Expect(len(refused) == len(late), "without stores %s are refused with 503; answers were %v", kind, late.Codes())
		r.Expect(refused.Slowest() < refusedWithin, "%s are refused within %v; the slowest took %v", kind, refusedWithin, refused.Slowest())
		for _, a := range refused {
			r.Expect(a.RetryAfter > 0, "%s of %s were refused without Retry-After", kind, a.Who)
		}
		r.tell("%s were answered %v; once the breakers were open %d were refused, the slowest after %v", kind, answers.Codes(), len(refused),
			refused.Slowest().Round(time.Millisecond))
	}
	viewers := r.log.Facts().Viewers
	for i := range viewers {
		for _, f := range viewers[i].Frames {
			if f.Type == "close" && f.At.After(began) && f.At.Before(over) && !f.Left {
				r.Expect(false, "sockets stay open without stores; that of %s was closed with %d", viewers[i].Name, f.Code)
			}
		}
	}
}
