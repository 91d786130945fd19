package main

import (
	"time"

	"hotfoot/cmd/chaos/oracle"
	"hotfoot/cmd/chaos/rig"
)

func init() {
	add(Scenario{
		ID: "F32", Name: "a gateway freezes (SIGSTOP)",
		Why: "After a long pause of its process a gateway goes on or its viewers go elsewhere; either way nobody misses a status.",
		Run: gatewayPaused,
	})
}

func gatewayPaused(r *Run) {
	r.Repeat(1, 6, func(i int) {
		gateway := r.Gateways[i%len(r.Gateways)]
		// Viewers take twelve seconds of silence for a dead connection: some pauses are shorter than that, and some longer.
		pause := 6 * time.Second
		if r.Long {
			pause = []time.Duration{10 * time.Second, 20 * time.Second}[i%2]
		}
		r.Fault(func() {
			gateway.Pause()
			began := time.Now()
			r.Wait(pause)
			r.expectSilence(gateway, began)
			gateway.Resume()
		})
	})
}

// expectSilence expects that whoever was connected to a gateway then has heard nothing since, while others went on.
func (r *Run) expectSilence(gateway *rig.Node, since time.Time) {
	facts, now := r.log.Facts(), time.Now()
	// What it had sent before is still on its way for a moment.
	from := since.Add(500 * time.Millisecond)
	for _, n := range r.Gateways {
		heard := oracle.Heard(facts, n.Name, since, from, now)
		if n == gateway {
			r.Expect(heard == 0, "the fault did nothing: viewers heard %d frames of %s while it was paused", heard, n.Name)
		} else {
			r.Expect(heard > 0, "viewers of %s heard nothing while another gateway was paused", n.Name)
		}
	}
}
