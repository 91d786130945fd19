package main

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hotfoot/pubsub"
	"hotfoot/tracking"
)

// historyMetrics says how positions move into Postgres.
type historyMetrics struct {
	points  prometheus.Counter
	buried  prometheus.Counter
	seconds prometheus.Histogram
}

func newHistoryMetrics(registry prometheus.Registerer) *historyMetrics {
	m := &historyMetrics{
		points: prometheus.NewCounter(prometheus.CounterOpts{Name: "hotfoot_history_points_total", Help: "Positions committed, repeats included."}),
		buried: prometheus.NewCounter(prometheus.CounterOpts{Name: "hotfoot_history_buried_total", Help: "Batches put aside because they can never be stored."}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "hotfoot_history_commit_seconds", Help: "Time of one transaction of positions.", NativeHistogramBucketFactor: 1.1, Buckets: prometheus.DefBuckets,
		}),
	}
	registry.MustRegister(m.points, m.buried, m.seconds)
	return m
}

func (m *historyMetrics) observe(points int, took time.Duration) {
	m.points.Add(float64(points))
	m.seconds.Observe(took.Seconds())
}

// newRetentionMetrics registers what retention does; it answers what to tell of each round.
func newRetentionMetrics(registry prometheus.Registerer) func(tracking.Expired, error) {
	rounds := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "hotfoot_retention_rounds_total", Help: "Rounds of retention, by how they ended."}, []string{"result"})
	ended := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "hotfoot_retention_ended_total", Help: "What retention ended, by what it was."}, []string{"kind"})
	registry.MustRegister(rounds, ended)
	done, failed := rounds.WithLabelValues("done"), rounds.WithLabelValues("failed")
	days, letters := ended.WithLabelValues("day"), ended.WithLabelValues("dead_letter")
	deliveries, labels, entries := ended.WithLabelValues("delivery"), ended.WithLabelValues("label"), ended.WithLabelValues("audit_entry")
	return func(e tracking.Expired, err error) {
		days.Add(float64(e.Days))
		letters.Add(float64(e.Letters))
		deliveries.Add(float64(e.Deliveries))
		labels.Add(float64(e.Labels))
		entries.Add(float64(e.Entries))
		if err != nil {
			failed.Inc()
		} else {
			done.Inc()
		}
	}
}

// newRoundTrips registers how long Redis takes to answer, as the breaker's question finds it each second; it answers what to tell of each.
func newRoundTrips(registry prometheus.Registerer) func(server string, took time.Duration) {
	seconds := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:                        "hotfoot_redis_round_trip_seconds",
		Help:                        "Time of a question a second to each Redis server, on a connection of its own; what was waited for in vain included.",
		NativeHistogramBucketFactor: 1.1, Buckets: []float64{.00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1},
	}, []string{"server"})
	registry.MustRegister(seconds)
	return func(server string, took time.Duration) { seconds.WithLabelValues(server).Observe(took.Seconds()) }
}

// storeCollector reads the pools' own counters when they are asked for.
type storeCollector struct {
	node                     *node
	pgTotal, pgIdle, pgWaits *prometheus.Desc
	redisTotal, redisIdle    *prometheus.Desc
	gaps, lanes, messages    *prometheus.Desc
	waiting, dead, ahead, up *prometheus.Desc
}

func newStoreCollector(n *node) *storeCollector {
	desc := func(name, help string) *prometheus.Desc { return prometheus.NewDesc(name, help, nil, nil) }
	return &storeCollector{
		node:       n,
		pgTotal:    desc("hotfoot_postgres_connections", "Postgres connections of this node."),
		pgIdle:     desc("hotfoot_postgres_connections_idle", "Those not in use."),
		pgWaits:    desc("hotfoot_postgres_acquire_waits_total", "Times a request had to wait for a connection."),
		redisTotal: desc("hotfoot_redis_connections", "Redis connections of this node."),
		redisIdle:  desc("hotfoot_redis_connections_idle", "Those not in use."),
		waiting:    desc("hotfoot_backlog_batches", "Batches of positions that wait for Postgres, of all nodes."),
		dead:       desc("hotfoot_dead_letters", "Batches that were put aside and that nobody has looked after, of all nodes."),
		ahead:      desc("hotfoot_partitions_ahead_days", "Days after today for which positions have a partition, without a gap; -1 when today has none."),
		up:         prometheus.NewDesc("hotfoot_store_up", "1 while the store answers this node, 0 while its breaker is open.", []string{"store"}, nil),
		gaps:       desc("hotfoot_pubsub_gaps_total", "Times a Pub/Sub connection was lost, and everything watched by way of it was read again."),
		lanes:      desc("hotfoot_pubsub_connections", "Pub/Sub connections of this node."),
		messages:   desc("hotfoot_pubsub_messages_total", "Messages that came to this node."),
	}
}

// Describe implements prometheus.Collector.
func (c *storeCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.pgTotal, c.pgIdle, c.pgWaits, c.redisTotal, c.redisIdle, c.gaps, c.lanes, c.messages, c.waiting, c.dead, c.ahead, c.up} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c *storeCollector) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64) { out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v) }
	counter := func(d *prometheus.Desc, v float64) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v)
	}
	pg := c.node.pool.Stat()
	gauge(c.pgTotal, float64(pg.TotalConns()))
	gauge(c.pgIdle, float64(pg.IdleConns()))
	counter(c.pgWaits, float64(pg.EmptyAcquireCount()))
	pool := c.node.client.PoolStats()
	gauge(c.redisTotal, float64(pool.TotalConns))
	gauge(c.redisIdle, float64(pool.IdleConns))
	if s := c.node.subscriber; s != nil {
		counter(c.gaps, float64(s.Gaps()))
		gauge(c.lanes, float64(s.Lanes()))
		counter(c.messages, float64(s.Messages()))
	}
	for store, breaker := range map[string]*tracking.Breaker{"postgres": c.node.truthSwitch, "redis": c.node.hotSwitch} {
		up := 1.0
		if breaker.Allow() != nil {
			up = 0
		}
		out <- prometheus.MustNewConstMetric(c.up, prometheus.GaugeValue, up, store)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()
	// Without an answer there is no sample: a zero would say that all is well.
	if waiting, err := pubsub.Waiting(ctx, c.node.client); err == nil {
		gauge(c.waiting, float64(waiting))
	}
	if dead, err := c.node.truth.CountDeadLetters(ctx); err == nil {
		gauge(c.dead, float64(dead))
	}
	if ahead, err := c.node.truth.PartitionsAhead(ctx, time.Now()); err == nil {
		gauge(c.ahead, float64(ahead))
	}
}
