package redisstore

import (
	"github.com/prometheus/client_golang/prometheus"

	"hotfoot/tracking"
)

// What became of a computation.
const (
	fillKept   = "kept"   // in Redis, for all
	fillUnkept = "unkept" // Redis was away or full, the answer too large, or the turn over
	fillFailed = "failed"
)

// asideMetrics are those of one computation.
type asideMetrics struct {
	answers map[tracking.Source]prometheus.Counter
	fills   map[string]prometheus.Counter
	seconds prometheus.Observer
	waits   prometheus.Counter
}

type asideVectors struct {
	answers, fills, waits *prometheus.CounterVec
	seconds               *prometheus.HistogramVec
}

func newAsideMetrics(registry prometheus.Registerer) *asideVectors {
	v := &asideVectors{
		answers: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hotfoot_computed_answers_total", Help: "Computed answers given, by computation and where they were found.",
		}, []string{"computation", "source"}),
		fills: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hotfoot_computed_fills_total", Help: "Computations for the cache, by what became of what came out.",
		}, []string{"computation", "outcome"}),
		waits: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hotfoot_computed_waits_total", Help: "Times this process waited for another one's computation.",
		}, []string{"computation"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "hotfoot_computed_fill_seconds", Help: "Time to compute an answer from the truth.", NativeHistogramBucketFactor: 1.1, Buckets: prometheus.DefBuckets,
		}, []string{"computation"}),
	}
	registry.MustRegister(v.answers, v.fills, v.waits, v.seconds)
	return v
}

// of registers everything about a computation at zero.
func (v *asideVectors) of(computation string) *asideMetrics {
	m := &asideMetrics{
		answers: map[tracking.Source]prometheus.Counter{}, fills: map[string]prometheus.Counter{},
		seconds: v.seconds.WithLabelValues(computation), waits: v.waits.WithLabelValues(computation),
	}
	for _, source := range tracking.Sources {
		m.answers[source] = v.answers.WithLabelValues(computation, string(source))
	}
	for _, outcome := range []string{fillKept, fillUnkept, fillFailed} {
		m.fills[outcome] = v.fills.WithLabelValues(computation, outcome)
	}
	return m
}
