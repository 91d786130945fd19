package main

import (
	"fmt"
	"strings"
	"time"
)

func init() {
	add(Scenario{
		ID: "F16", Name: "publisher dies between commit and publish",
		Why:   "What was committed and never announced is found by the sweep of another node, and shown within five seconds.",
		Needs: needsFailpoints,
		Run:   publisherKilled,
	})
}

func needsFailpoints(e *Env) string {
	if !e.Built("failpoints") {
		return "needs a program built with -tags failpoints"
	}
	return ""
}

// sweptWithin is how soon viewers see a change that nobody announced.
const sweptWithin = 5 * time.Second

func publisherKilled(r *Run) {
	// A second attempt would announce what the first one did not.
	r.load.Hesitate(sweptWithin + time.Second)
	defer r.load.Hesitate(0)
	r.Repeat(2, 20, func(i int) {
		victim := r.API[i%len(r.API)]
		died := victim.Deaths()
		victim.Restart(fmt.Sprintf("HOTFOOT_FAILPOINTS=Ledger.Change:after=kill@%d", 5+r.Rand.IntN(20)))
		back := r.Fault(func() {
			r.Until("a node dies after a commit", 10*time.Second, func() bool { return victim.Deaths() > died })
		})
		r.Expect(back < sweptWithin, "viewers see what was not announced within %v; it took %v", sweptWithin, back)
		victim.Restart()
	})
	swept := 0
	for _, n := range r.Nodes() {
		swept += strings.Count(n.Log(), "announced changes that had been left behind")
	}
	r.Expect(swept > 0, "a sweep finds what was not announced; none did: the fault did nothing")
}
