package vitals

import "github.com/prometheus/client_golang/prometheus"

var _ prometheus.Collector = (*Watch)(nil)

var (
	kindBytes  = describe("kind_bytes", "Memory by kind of key: the streams of positions as measured, the others estimated from keys drawn at random.", "kind")
	kindKeys   = describe("kind_keys", "Keys by kind, estimated from keys drawn at random.", "kind")
	slowTotal  = describe("slow_commands_total", "Commands that the slow log took up since this node began to look.")
	slowWorst  = describe("slowest_command_seconds", "The slowest of those that came since the look before.", "command")
	spike      = describe("latency_spike_seconds", "The newest spike of an event that came since the look before; 0 for none.", "event")
	replicaLag = describe("replica_lag_bytes", "What a replica has not acknowledged, as its primary sees it.", "replica")
)

// Describe implements prometheus.Collector.
func (w *Watch) Describe(out chan<- *prometheus.Desc) {
	w.failures.Describe(out)
	for _, measures := range [][]measure{ofInfo, ofCluster} {
		for _, m := range measures {
			out <- m.desc
		}
	}
	for _, d := range []*prometheus.Desc{kindBytes, kindKeys, slowTotal, slowWorst, spike, replicaLag} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (w *Watch) Collect(out chan<- prometheus.Metric) {
	w.failures.Collect(out)
	for address, seen := range *w.seen.Load() {
		send := func(desc *prometheus.Desc, kind prometheus.ValueType, value float64, labels ...string) {
			out <- prometheus.MustNewConstMetric(desc, kind, value, append([]string{address}, labels...)...)
		}
		seen.send(send)
	}
}

// send tells everything that was seen of one server.
func (s sight) send(send func(desc *prometheus.Desc, kind prometheus.ValueType, value float64, labels ...string)) {
	fields := func(measures []measure, info Info) {
		for _, m := range measures {
			if value, ok := m.of(info); ok {
				send(m.desc, m.kind, value)
			}
		}
	}
	fields(ofInfo, s.info)
	fields(ofCluster, s.cluster)
	for address, r := range s.info.Replicas() {
		send(replicaLag, prometheus.GaugeValue, r.Behind, address)
	}
	for name, kind := range s.kinds {
		send(kindBytes, prometheus.GaugeValue, kind.Bytes, name)
		send(kindKeys, prometheus.GaugeValue, kind.Keys, name)
	}
	if s.slow != nil {
		send(slowTotal, prometheus.CounterValue, s.slow.total)
		if s.slow.worst.command != "" {
			send(slowWorst, prometheus.GaugeValue, s.slow.worst.took.Seconds(), s.slow.worst.command)
		}
	}
	for event, took := range s.spikes {
		send(spike, prometheus.GaugeValue, took.Seconds(), event)
	}
}
