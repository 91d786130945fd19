package main

import "time"

func init() {
	add(Scenario{
		ID: "F27", Name: "two workers own the same entries",
		Why:   "A worker that was frozen for longer than its entries were its own stores them again when it wakes, and nothing is there twice.",
		Needs: needsFailpoints, Workers: 1,
		Run: workerPaused,
	})
}

func workerPaused(r *Run) {
	worker := r.Workers[0]
	const stored = "hotfoot_history_points_total"
	r.Repeat(2, 3, func(int) {
		// It takes its time before it stores, so that it is frozen with entries in its hands.
		worker.Restart("HOTFOOT_FAILPOINTS=Track.Store:before=delay 300ms")
		r.Fault(func() {
			var owned []entry
			var before float64
			for range 10 {
				before = r.Metric(stored, worker)
				worker.Pause()
				if r.Wait(300 * time.Millisecond); len(owned) == 0 {
					owned = r.pending(300 * time.Millisecond)
				}
				if len(owned) > 0 {
					break
				}
				worker.Resume()
				r.Wait(50 * time.Millisecond)
			}
			r.Expect(len(owned) > 0, "the fault did nothing: the worker had nothing in its hands when it was frozen")
			r.expectClaimed(owned, r.API[0])
			worker.Resume()
			r.Until("the worker that wakes stores what it had in its hands again", 3*time.Second, func() bool { return r.Metric(stored, worker) > before })
		})
	})
}
