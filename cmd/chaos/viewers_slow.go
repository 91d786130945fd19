package main

import (
	"time"

	"hotfoot/cmd/chaos/load"
	"hotfoot/cmd/chaos/oracle"
)

func init() {
	add(Scenario{
		ID: "F24", Name: "viewers who read a byte a second, or nothing",
		Why: "Slow viewers cost others nothing and the gateway little; they miss positions, and no status unless they are told that they were too slow.",
		// Few couriers who report often: what waits for a viewer must fill the kernel's buffers before it is the gateway's concern.
		Size:  load.Size{Drowsy: 200, Couriers: 8, Deliveries: 8, ReportEvery: 20 * time.Millisecond},
		Large: load.Size{Drowsy: 500, ReportEvery: 100 * time.Millisecond, StepEvery: 200 * time.Millisecond},
		Run:   viewersSlow,
	})
}

const (
	// perDrowsy is what a socket that nobody reads may cost its gateway, and gatewayNoise what a gateway's memory does of its own accord.
	perDrowsy    = 64 << 10
	gatewayNoise = 24 << 20
	// lagNoise is how late a position may be on a machine that has much else to do.
	lagNoise = 100 * time.Millisecond
)

func viewersSlow(r *Run) {
	const conflated = "hotfoot_positions_conflated_total"
	skipped := r.Metric(conflated, r.Gateways...)
	r.Repeat(1, 3, func(int) {
		began := time.Now()
		r.Wait(2 * time.Second)
		before := oracle.Quantile(oracle.Lags(r.log.Facts(), began, time.Now()), 0.99)
		held := r.memory(r.Gateways...)
		r.Fault(func() {
			r.load.Doze()
			dozed := time.Now()
			r.Wait(r.Pick(5*time.Second, 90*time.Second))
			r.expectDrowsy(dozed, before, held)
			r.load.Wake()
		})
	})
	skipped = r.Metric(conflated, r.Gateways...) - skipped
	r.Expect(skipped > 0, "slow viewers are shown fewer positions; none was left out")
	r.tell("%.0f positions were left out, and %.0f slow viewers closed as such", skipped, r.Metric(`hotfoot_sockets_closed_total{kind="customer",reason="too_slow"}`, r.Gateways...))
}

// expectDrowsy expects that some have been drowsy since then, and that nobody else noticed.
func (r *Run) expectDrowsy(since time.Time, lag time.Duration, held int64) {
	facts, now := r.log.Facts(), time.Now()
	frames, drowsy := oracle.DrowsyFrames(facts, since.Add(time.Second), now)
	r.Expect(drowsy > 0 && frames < drowsy, "the fault did nothing: %d drowsy viewers read %d frames", drowsy, frames)
	slower := oracle.Quantile(oracle.Lags(facts, since, now), 0.99)
	r.Expect(slower <= max(2*lag, lagNoise), "others see positions as soon as before, 99 of 100 within %v; it took %v", lag, slower)
	grown := r.memory(r.Gateways...) - held
	r.Expect(grown < int64(drowsy)*perDrowsy+int64(len(r.Gateways))*gatewayNoise, "gateways hold at most %d kB for a slow viewer; they grew by %d kB for %d",
		perDrowsy>>10, grown>>10, drowsy)
	r.tell("99 of 100 positions were shown to others within %v before, %v while %d were slow; gateways grew by %d kB", lag, slower, drowsy, grown>>10)
}
