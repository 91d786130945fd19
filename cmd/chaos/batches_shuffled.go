package main

import (
	"time"

	"hotfoot/cmd/chaos/load"
	"hotfoot/cmd/chaos/oracle"
)

func init() {
	add(Scenario{
		ID: "F21", Name: "duplicate, reversed, late, future and overlapping batches",
		Why:  "Postgres has each valid fix once, whatever order it came in and however often; late ones are stored and never shown.",
		Size: load.Size{Wild: true, ReportEvery: 100 * time.Millisecond},
		Run:  batchesShuffled,
	})
}

func batchesShuffled(r *Run) {
	r.Repeat(1, 10, func(int) {
		before := r.receipts()
		r.Fault(func() { r.Wait(r.Pick(4*time.Second, 30*time.Second)) })
		after := r.receipts()
		for what, n := range after {
			r.Expect(n > before[what], "the fault did nothing: no fix was answered %s", what)
		}
		r.tell("receipts before %v, after %v", before, after)
	})
	r.Expect(r.sentLate() > 0, "the fault did nothing: no fix was late")
	r.expectRejectedAre(func(p oracle.Point, sent time.Time) bool {
		return time.UnixMilli(p.RecordedAt).After(sent.Add(50 * time.Second))
	})
	r.expectFresh()
}

// receipts counts what became of fixes so far.
func (r *Run) receipts() map[string]float64 {
	counts := map[string]float64{}
	for what, metric := range map[string]string{
		"live":      `hotfoot_positions_total{code="",result="live"}`,
		"duplicate": `hotfoot_positions_total{code="",result="duplicate"}`, "in_future": `hotfoot_positions_total{code="in_future",result="rejected"}`,
	} {
		counts[what] = r.Metric(metric, r.API...)
	}
	return counts
}

// sentLate counts fixes that were too old to be shown when they were sent.
func (r *Run) sentLate() (n int) {
	phones := r.log.Facts().Phones
	for i := range phones {
		for _, reply := range phones[i].Replies {
			for _, p := range reply.Sent {
				if reply.At.Sub(time.UnixMilli(p.RecordedAt)) > shownAge {
					n++
				}
			}
		}
	}
	return n
}

// expectRejectedAre expects that no other fixes were refused than those of a kind, judged by when their report was answered.
func (r *Run) expectRejectedAre(kind func(p oracle.Point, answered time.Time) bool) {
	phones := r.log.Facts().Phones
	for i := range phones {
		phone := &phones[i]
		for _, reply := range phone.Replies {
			for _, p := range reply.Rejected {
				r.Expect(kind(p, reply.At), "%s: seq %d of %v was rejected at %v", phone.Name, p.Seq, time.UnixMilli(p.RecordedAt), reply.At)
			}
		}
	}
}

// Fixes that move the marker are at most two minutes old and one ahead, and reports travel a little.
const (
	shownAge   = 2*time.Minute + 5*time.Second
	shownAhead = time.Minute
)

// expectFresh expects that no viewer was shown a fix from a phone's memory or from the future, nor that somebody comes sooner than now.
func (r *Run) expectFresh() {
	viewers := r.log.Facts().Viewers
	for i := range viewers {
		v := &viewers[i]
		for _, f := range v.Frames {
			age := f.At.Sub(time.UnixMilli(f.Position))
			r.Expect(f.Position == 0 || age < shownAge && age > -shownAhead, "%s was shown a fix %v old at %v", v.Name, age, f.At)
			ahead := time.UnixMilli(f.ETA).Sub(f.At)
			r.Expect(f.ETA == 0 || ahead > -shownAge && ahead < 12*time.Hour, "%s was told an arrival %v ahead at %v", v.Name, ahead, f.At)
		}
	}
}
