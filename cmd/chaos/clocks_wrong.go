package main

import (
	"time"

	"hotfoot/cmd/chaos/load"
	"hotfoot/cmd/chaos/oracle"
)

func init() {
	add(Scenario{
		ID: "F22", Name: "phones whose clocks are wrong, jump, or show 1970 or 2038",
		Why:  "A phone's time is data and never order: what cannot be is refused by its receipt, what is late is stored, markers and arrivals stay sane.",
		Size: load.Size{WrongClocks: true},
		Run:  clocksWrong,
	})
}

// The server's own clock is not moved: that would need a time namespace, and Postgres and Redis with it. The domain's tests inject one.
func clocksWrong(r *Run) {
	r.Repeat(1, 10, func(int) {
		r.Fault(func() { r.Wait(r.Pick(4*time.Second, 30*time.Second)) })
	})
	for what, metric := range map[string]string{
		"in_future": `hotfoot_positions_total{code="in_future",result="rejected"}`,
		"too_old":   `hotfoot_positions_total{code="too_old",result="rejected"}`,
	} {
		r.Expect(r.Metric(metric, r.API...) > 0, "the fault did nothing: no fix was answered %s", what)
	}
	r.Expect(r.sentLate() > 0, "the fault did nothing: no fix was late")
	r.expectRejectedAre(func(p oracle.Point, answered time.Time) bool {
		off := time.UnixMilli(p.RecordedAt).Sub(answered)
		return off > 50*time.Second || off < -13*24*time.Hour
	})
	r.expectFresh()
}
