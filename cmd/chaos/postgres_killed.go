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
		var dying time.Duration
		r.Fault(func() {
			began := time.Now()
			r.Postgres.Kill()
			dying = time.Since(began)
			r.Wait(r.Pick(time.Second, 5*time.Second))
			r.Postgres.Restart()
		})
		// Postgres' processes take both cores for up to 0.6 s while the kernel takes back what they had, and everybody else waits for that.
		settled := dying + settledWithin/2
		expectRefusedWithoutPostgres(r, settled, refusedWithin)
		expectLiveWithoutPostgres(r, settled)
	})
	expectAcceptedStored(r)
}

const (
	// refusedWithin is how quickly what cannot be done now is refused while a store is known to be away.
	refusedWithin = 100 * time.Millisecond
	// refusalHeardWithin is how quickly it is when a store that is there refuses it.
	refusalHeardWithin = 500 * time.Millisecond
)

// expectRefusedWithoutPostgres expects that so long after the newest fault began no status was acknowledged, and nobody waited for the refusal: but
// for the slowest few, who share two cores with everything else.
func expectRefusedWithoutPostgres(r *Run, settled, within time.Duration) {
	statuses := r.After(r.StatusAnswers(), settled)
	refused := statuses.With(http.StatusServiceUnavailable)
	r.Expect(len(refused) > 0 && len(refused) == len(statuses), "%v into the fault statuses are refused with 503; answers were %v", settled, statuses.Codes())
	r.Expect(refused.Quantile(0.95) < within, "%v into the fault statuses are refused within %v; the 95th percentile took %v, the slowest %v",
		settled, within, refused.Quantile(0.95), refused.Slowest())
}

// expectLiveWithoutPostgres expects that so long after the newest fault began positions were accepted and shown.
func expectLiveWithoutPostgres(r *Run, settled time.Duration) {
	s := r.spans[len(r.spans)-1]
	positions := r.After(r.PositionAnswers(), settled)
	accepted := positions.With(http.StatusAccepted)
	// One whose every point was durable before may hear 200.
	r.Expect(len(accepted) > 0 && len(accepted)+len(positions.With(http.StatusOK)) == len(positions),
		"%v into the fault positions are accepted; answers were %v", settled, positions.Codes())
	shown := r.Shown("position", s.from.Add(settled), s.to)
	r.Expect(shown > 0, "viewers are shown positions while Postgres is away")
	r.tell("%v into the fault: statuses %v, positions %v, %d viewers saw positions", settled,
		r.After(r.StatusAnswers(), settled).Codes(), positions.Codes(), shown)
}
