package main

import (
	"fmt"
	"time"
)

func init() {
	add(Scenario{
		ID: "F26", Name: "a worker killed between COMMIT and XACK, again and again",
		Why:   "What is stored and not acknowledged comes to another worker, and is in Postgres once all the same.",
		Needs: needsFailpoints, Workers: 1,
		Run: workerKilled,
	})
}

func workerKilled(r *Run) {
	worker := r.Workers[0]
	r.Repeat(5, 100, func(int) {
		died := worker.Deaths()
		worker.Restart(fmt.Sprintf("HOTFOOT_FAILPOINTS=Backlog.Ack:before=kill@%d", 1+r.Rand.IntN(5)))
		r.Fault(func() {
			r.Until("a worker dies between COMMIT and XACK", 10*time.Second, func() bool { return worker.Deaths() > died })
		})
	})
	worker.Restart()
	// What it had in its hands stays there; what the others have is settled in less.
	r.Wait(500 * time.Millisecond)
	dropped := r.pending(500 * time.Millisecond)
	r.Expect(len(dropped) > 0, "the fault did nothing: a worker died %d times, and nothing was in its hands", worker.Deaths())
	r.expectClaimed(dropped, worker)
}
