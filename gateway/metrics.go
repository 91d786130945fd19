package gateway

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	conns     *prometheus.GaugeVec
	closed    *prometheus.CounterVec
	refused   *prometheus.CounterVec
	topics    prometheus.Gauge
	behind    prometheus.Gauge
	frames    *prometheus.CounterVec
	positions prometheus.Counter // of frames, as ticks are: counted all day, and not looked up each time
	ticks     prometheus.Counter
	conflated prometheus.Counter
	reads     prometheus.Counter
	windows   *prometheus.CounterVec
}

// NewMetrics registers the gateway's metrics, every reason at zero.
func NewMetrics(registry prometheus.Registerer) *metrics {
	m := &metrics{
		conns:     prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "hotfoot_sockets", Help: "Open sockets and streams, by kind."}, []string{"kind"}),
		closed:    prometheus.NewCounterVec(prometheus.CounterOpts{Name: "hotfoot_sockets_closed_total", Help: "Sockets the server closed, by kind and reason."}, []string{"kind", "reason"}),
		refused:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "hotfoot_sockets_refused_total", Help: "Handshakes refused, by reason."}, []string{"reason"}),
		topics:    prometheus.NewGauge(prometheus.GaugeOpts{Name: "hotfoot_topics", Help: "Deliveries that somebody watches on this node, or did a moment ago."}),
		behind:    prometheus.NewGauge(prometheus.GaugeOpts{Name: "hotfoot_topics_behind", Help: "Deliveries that are watched and not live: what their viewers see is polled."}),
		frames:    prometheus.NewCounterVec(prometheus.CounterOpts{Name: "hotfoot_frames_total", Help: "Frames encoded, by type: each once, however many sockets it goes to."}, []string{"type"}),
		conflated: prometheus.NewCounter(prometheus.CounterOpts{Name: "hotfoot_positions_conflated_total", Help: "Positions that a newer one replaced before a slow socket took them."}),
		reads:     prometheus.NewCounter(prometheus.CounterOpts{Name: "hotfoot_topic_reads_total", Help: "Records read for watched deliveries, again or for the first time."}),
		windows:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "hotfoot_map_windows_total", Help: "Windows that live maps asked for: taken, or in place of one that had not been answered yet."}, []string{"result"}),
	}
	registry.MustRegister(m.conns, m.closed, m.refused, m.topics, m.behind, m.frames, m.conflated, m.reads, m.windows)
	for _, kind := range []string{"customer", "stream", "ops", "courier"} {
		m.conns.WithLabelValues(kind)
		m.closed.WithLabelValues(kind, "write_failed")
		m.closed.WithLabelValues(kind, "silent")
		for _, f := range farewells {
			m.closed.WithLabelValues(kind, f.word)
		}
	}
	for _, reason := range []string{"overloaded", "crowded", "address", "key", "link", "restarting", "handshake", "not_found", "unauthorized", "unavailable"} {
		m.refused.WithLabelValues(reason)
	}
	for _, kind := range []string{"snapshot", "status", "view", "position", "tick", "frame"} {
		m.frames.WithLabelValues(kind)
	}
	m.positions, m.ticks = m.frames.WithLabelValues("position"), m.frames.WithLabelValues("tick")
	for _, result := range []string{"taken", "replaced"} {
		m.windows.WithLabelValues(result)
	}
	return m
}
