package redisstore

import "github.com/prometheus/client_golang/prometheus"

var _ prometheus.Collector = (*Store)(nil)

// counts say where records were read, and why some were not looked for.
type counts struct {
	read, refused              *prometheus.CounterVec
	held, hot, filled, awaited prometheus.Counter
	foreign, future, absent    prometheus.Counter
}

func newCounts() *counts {
	c := &counts{
		read: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hotfoot_records_read_total",
			Help: "Records of deliveries by where they came from: held (Redis confirmed this process's copy), redis, postgres, or another process that has just filled Redis.",
		}, []string{"from"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hotfoot_records_refused_total",
			Help: "Reads of deliveries that no store was asked for: ids that are not ours, of the future, or of what was found not to exist.",
		}, []string{"reason"}),
	}
	c.held, c.hot = c.read.WithLabelValues("held"), c.read.WithLabelValues("redis")
	c.filled, c.awaited = c.read.WithLabelValues("postgres"), c.read.WithLabelValues("other_process")
	c.foreign, c.future, c.absent = c.refused.WithLabelValues("foreign"), c.refused.WithLabelValues("future"), c.refused.WithLabelValues("absent")
	return c
}

// Describe implements prometheus.Collector.
func (s *Store) Describe(out chan<- *prometheus.Desc) {
	s.count.read.Describe(out)
	s.count.refused.Describe(out)
}

// Collect implements prometheus.Collector.
func (s *Store) Collect(out chan<- prometheus.Metric) {
	s.count.read.Collect(out)
	s.count.refused.Collect(out)
}
