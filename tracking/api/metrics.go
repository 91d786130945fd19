package api

import (
	"github.com/prometheus/client_golang/prometheus"

	"hotfoot/tracking"
)

type httpMetrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

func newHTTPMetrics(registry prometheus.Registerer) *httpMetrics {
	m := &httpMetrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hotfoot_http_requests_total", Help: "Requests answered, by route template, method and status.",
		}, []string{"route", "method", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "hotfoot_http_request_seconds", Help: "Time to answer.", NativeHistogramBucketFactor: 1.1, Buckets: prometheus.DefBuckets,
		}, []string{"route", "method"}),
	}
	registry.MustRegister(m.requests, m.seconds)
	return m
}

type metrics struct {
	refused *prometheus.CounterVec
	// Points that were taken, by result, and those that were not, by reason: found once, since every point of every report is counted.
	taken    map[tracking.Result]prometheus.Counter
	rejected map[tracking.Reject]prometheus.Counter
	suspect  map[tracking.Suspicion]prometheus.Counter
}

func newMetrics(registry prometheus.Registerer) *metrics {
	m := &metrics{
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hotfoot_http_refused_total", Help: "Requests refused or failed, by problem code.",
		}, []string{"code"}),
		taken: map[tracking.Result]prometheus.Counter{}, rejected: map[tracking.Reject]prometheus.Counter{},
		suspect: map[tracking.Suspicion]prometheus.Counter{},
	}
	points := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "hotfoot_positions_total", Help: "Reported positions, by what became of them.",
	}, []string{"result", "code"})
	suspects := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "hotfoot_positions_suspect_total", Help: "Reported positions that are kept and not shown, by why they cannot be true.",
	}, []string{"reason"})
	registry.MustRegister(m.refused, points, suspects)
	// Every reason stands at zero from the start, so that an alert on its rate works the first time it happens.
	for _, code := range tracking.Codes {
		m.refused.WithLabelValues(string(code))
	}
	for _, result := range []tracking.Result{tracking.ResultLive, tracking.ResultLate, tracking.ResultDuplicate} {
		m.taken[result] = points.WithLabelValues(string(result), "")
	}
	for _, reject := range tracking.Rejects {
		m.rejected[reject] = points.WithLabelValues(string(tracking.ResultRejected), string(reject))
	}
	for _, s := range tracking.Suspicions {
		m.suspect[s] = suspects.WithLabelValues(s.String())
	}
	return m
}

func (m *metrics) countPoint(r tracking.Receipt) {
	if r.Result == tracking.ResultRejected {
		m.rejected[r.Reject].Inc()
	} else {
		m.taken[r.Result].Inc()
	}
	if r.Suspect != tracking.Believed {
		m.suspect[r.Suspect].Inc()
	}
}
