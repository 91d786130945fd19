//go:build linux

package bench

import (
	"context"
	"errors"
	"os"
	"time"

	"hotfoot/cmd/hotfoot/bench/post"
	"hotfoot/cmd/hotfoot/bench/report"
	"hotfoot/cmd/hotfoot/bench/rig"
	"hotfoot/cmd/hotfoot/bench/viewers"
)

// What is shown of reads, by these names.
const (
	perSecond = "answers"
	p50       = "p50"
	p95       = "p95"
	p99       = "p99"
	dbCalls   = "statements/read"
	dbTime    = "Postgres time/read"
	hits      = "found hot"
)

// Of the statements, all of them, and those that read the records of deliveries, each of which is a row.
const (
	anything  = "%"
	ofRecords = "%m.visible_stops%"
)

// reading is a load of so many clients who read the deliveries that are picked.
func (c *city) reading(clients int, pick func(n int) int) post.Load {
	return post.Load{Connections: clients, Request: func(b []byte, _, n int, _ time.Time) []byte {
		return post.AppendGet(b, trackPath(c.day.Links[pick(n)]), "", "")
	}}
}

// read puts a load on a fresh server of a system, whose deliveries underway have all been read once.
func (b *Bench) read(ctx context.Context, c *city, system rig.System, load post.Load) ([]report.Reading, error) {
	server, err := c.StartReader(ctx, system)
	if err != nil {
		return nil, err
	}
	defer server.Stop()
	load.Addresses = []string{server.Address}
	if system == rig.Watched {
		set, err := viewers.NewSet(server.Address)
		if err != nil {
			return nil, err
		}
		defer set.Close()
		targets := make([]viewers.Target, min(len(c.Fleet), system.Fits(len(c.Fleet))))
		for i := range targets {
			targets[i] = viewers.Target{Path: trackPath(c.Fleet[i].Token) + "/live"}
		}
		if err := open(ctx, set, targets); err != nil {
			return nil, err
		}
	}
	warm := c.reading(load.Connections, func(n int) int { return n })
	warm.Addresses, warm.Requests = load.Addresses, len(c.Fleet)
	if _, err := warm.Run(ctx); err != nil {
		return nil, err
	}
	parts := func() []rig.Part {
		parts := []rig.Part{server.Part("server")}
		if system != rig.Naive && system != rig.Uncached {
			parts = append(parts, c.Redis())
		}
		return append(parts, c.Postgres())
	}
	return b.loaded(ctx, c, parts, load, b.Sizes.Reads.For, ofRecords)
}

// loaded puts a load on servers for a while, after a moment of warming up, and answers what came of it. fill is what the statements are like that read
// what is not hot, of which each row is one answer's.
func (b *Bench) loaded(ctx context.Context, c *city, parts func() []rig.Part, load post.Load, lasting time.Duration, fill string) ([]report.Reading, error) {
	send := func(lasting time.Duration) (post.Result, error) {
		load.For = lasting
		return load.Run(ctx)
	}
	warm, err := send(b.Sizes.WarmUp)
	if err != nil {
		return nil, err
	}
	// What was asked to warm up must not be asked again: it would be found hot.
	request := load.Request
	load.Request = func(b []byte, connection, n int, due time.Time) []byte {
		return request(b, connection, n+warm.Requests, due)
	}
	counted, err := c.counting(ctx, anything, fill)
	if err != nil {
		return nil, err
	}
	m := meterOf(func() []rig.Part { return append(parts(), rig.Part{Name: "client", PIDs: []int{os.Getpid()}}) })
	profiled := b.profile(ctx, c.Rig, lasting)
	result, err := send(lasting)
	if err = errors.Join(err, profiled()); err != nil {
		return nil, err
	}
	n := float64(result.Requests)
	cpu := m.spent(n, "/read", "µs")
	did, err := counted()
	if err != nil {
		return nil, err
	}
	readings := append([]report.Reading{
		{Name: perSecond, Unit: "1/s", Value: n / result.Took.Seconds()},
		{Name: p50, Unit: "ms", Value: milliseconds(result.Latency.Quantile(0.50))},
		{Name: p95, Unit: "ms", Value: milliseconds(result.Latency.Quantile(0.95))},
		{Name: p99, Unit: "ms", Value: milliseconds(result.Latency.Quantile(0.99))},
		{Name: dbCalls, Value: float64(did[0].Calls) / n},
		{Name: dbTime, Unit: "µs", Value: did[0].Time.Seconds() * 1e6 / n},
		{Name: hits, Unit: "%", Value: 100 * (1 - float64(did[1].Rows)/n)},
	}, cpu...)
	if load.Overload {
		readings = append(readings, report.Reading{Name: "refused", Unit: "%", Value: 100 * float64(result.Refused) / n})
	}
	return readings, nil
}

// counting begins to count the statements that are like each of these; done answers what they were.
func (c *city) counting(ctx context.Context, like ...string) (done func() ([]rig.Statements, error), err error) {
	read := func() ([]rig.Statements, error) {
		counts := make([]rig.Statements, len(like))
		for i := range like {
			var err error
			if counts[i], err = c.Statements(ctx, like[i]); err != nil {
				return nil, err
			}
		}
		return counts, nil
	}
	before, err := read()
	return func() ([]rig.Statements, error) {
		after, err := read()
		for i := range after {
			after[i] = after[i].Less(before[i])
		}
		return after, err
	}, err
}
