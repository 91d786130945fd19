//go:build linux

package bench

import (
	"fmt"
	"math"

	"hotfoot/cmd/hotfoot/bench/report"
	"hotfoot/cmd/hotfoot/bench/rig"
)

// compare computes one value of each repeat from the same figure of two systems.
func compare(t *report.Table, what, figure string, of, beside rig.System, compute func(of, beside float64) float64) []float64 {
	ours, theirs := t.Repeats(what, string(of), figure), t.Repeats(what, string(beside), figure)
	var repeats []float64
	for i := range min(len(ours), len(theirs)) {
		// What took no time at all on a coarse clock cannot be compared.
		if v := compute(ours[i], theirs[i]); !math.IsInf(v, 0) && !math.IsNaN(v) {
			repeats = append(repeats, v)
		}
	}
	return repeats
}

func times(of, beside float64) float64 { return of / beside }

// less is by how many percent of is lower than beside.
func less(of, beside float64) float64 { return 100 * (1 - of/beside) }

func atLeast(want float64) func(float64) bool { return func(v float64) bool { return v >= want } }

func atMost(want float64) func(float64) bool { return func(v float64) bool { return v <= want } }

func above(want float64) func(float64) bool { return func(v float64) bool { return v > want } }

// judgeSnapshot says what hot reads are worth as fast as answers come, and answers two claims that are often read of caches.
func (b *Bench) judgeSnapshot(t *report.Table, what string) {
	r := b.Report
	name := func(of string) string { return fmt.Sprintf("snapshot, %s: %s", what, of) }
	r.Judge(name("throughput of uncached"), "at least 3 ×", " ×", compare(t, what, perSecond, rig.Hotfoot, rig.Uncached, times), atLeast(3))
	r.Judge(name("p50 lower than uncached"), "at least 70 %", " %", compare(t, what, p50, rig.Hotfoot, rig.Uncached, less), atLeast(70))
	r.Judge(name("throughput of naive (“3–5 × the throughput”)"), "at least 5 ×", " ×", compare(t, what, perSecond, rig.Hotfoot, rig.Naive, times), atLeast(5))
	r.Judge(name("p50 lower than naive (“response 40–78 % faster”)"), "more than 78 %", " %", compare(t, what, p50, rig.Hotfoot, rig.Naive, less), above(78))
	r.JudgeEach(name("Postgres statements for a hot read"), "0", "", t.Repeats(what, string(rig.Hotfoot), dbCalls), atMost(0))
}

func (b *Bench) judgeRate(t *report.Table, what string) {
	b.Report.Judge(fmt.Sprintf("snapshot, %s: p99 beside uncached", what), "at most 1 ×", " ×", compare(t, what, p99, rig.Hotfoot, rig.Uncached, times), atMost(1))
}

func (b *Bench) judgeMixed(t *report.Table, what string) {
	r := b.Report
	r.Judge("mixed: Postgres time less than uncached (“database load down 40–70 %”)", "more than 70 %", " %", compare(t, what, dbTime, rig.Hotfoot, rig.Uncached, less), above(70))
	r.Judge("mixed: p50 lower than uncached", "more than 40 %", " %", compare(t, what, p50, rig.Hotfoot, rig.Uncached, less), above(40))
	r.Judge("mixed: p50 lower than naive (“response 40–78 % faster”)", "more than 78 %", " %", compare(t, what, p50, rig.Hotfoot, rig.Naive, less), above(78))
}

func (b *Bench) judgeSummary(t *report.Table, what string) {
	r := b.Report
	r.Judge(fmt.Sprintf("summary, %s: p95 better than uncached (“2.3 s → 180 ms, 12.8 ×”)", what), "at least 12.8 ×", " ×",
		compare(t, what, p95, rig.Uncached, rig.Hotfoot, times), atLeast(12.8))
	r.Judge(fmt.Sprintf("summary, %s: Postgres time less than uncached", what), "at least 95 %", " %", compare(t, what, dbTime, rig.Hotfoot, rig.Uncached, less), atLeast(95))
}

func (b *Bench) judgeLimiter(t *report.Table, what, kind string) {
	b.Report.Judge(fmt.Sprintf("limiter, %s, %s: p99 beside a bare round trip", kind, what), "at most 1.5 ×", " ×", compare(t, what, p99, rig.System(kind), roundTrip, times), atMost(1.5))
}

// patience is how much later than the fill itself a waiter may have their answer, in milliseconds.
const patience = 20

func (b *Bench) judgeStampede(t *report.Table, what string) {
	b.Report.JudgeEach(fmt.Sprintf("stampede on a %s: fills", what), "1", "", t.Repeats(what, string(rig.Hotfoot), fills), func(v float64) bool { return v == 1 })
	b.Report.Judge(fmt.Sprintf("stampede on a %s: waiters' p99 after the fill", what), fmt.Sprintf("at most %d ms", patience), " ms",
		t.Repeats(what, string(rig.Hotfoot), afterwards), atMost(patience))
}
