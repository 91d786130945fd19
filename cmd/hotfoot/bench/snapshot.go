//go:build linux

package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"hotfoot/cmd/hotfoot/bench/post"
	"hotfoot/cmd/hotfoot/bench/report"
	"hotfoot/cmd/hotfoot/bench/rig"
	"hotfoot/cmd/hotfoot/bench/stats"
)

// What is shown of reads, by these names.
const (
	perSecond = "answers"
	p50       = "p50"
	p95       = "p95"
	p99       = "p99"
	dbCalls   = "statements/read"
	dbTime    = "Postgres time/read"
	dbCPU     = "Postgres CPU/read"
	hits      = "found hot"
)

// snapshots measures the customer's snapshot of deliveries that are underway: as fast as answers come, then at a rate that everybody carries.
func (b *Bench) snapshots(ctx context.Context, c *city) error {
	table := b.Report.New("reads, snapshot", fmt.Sprintf("GET /v1/track/{token} of deliveries that are underway, any of them with the same chance, each read once before; %s. "+
		"Over kept-alive connections as fast as answers come for %v, then at a fixed rate, with latency from when a request was due. naive: a statement for each part; "+
		"uncached: one statement for all; statements and their time are counted by Postgres, CPU by the operating system", c.size, b.Sizes.Reads.For))
	pick := uniform(len(c.Fleet))
	load := post.Load{Request: func(b []byte, _, n int, _ time.Time) []byte { return post.AppendGet(b, trackPath(c.day.Links[pick(n)]), "", "") }}
	for _, clients := range b.Sizes.Reads.Clients {
		load.Connections = clients
		what := clientsOf(clients)
		err := b.repeats(ctx, table, what, rig.Readers, func(system rig.System) ([]report.Reading, error) { return b.read(ctx, c, system, load, what) })
		if err != nil {
			return err
		}
		b.judgeSnapshot(table, what)
	}
	// Half of what the slowest carries: nobody is late because it is too much.
	slowest := 0.0
	for i, system := range rig.Readers {
		if v := stats.Median(table.Repeats(clientsOf(load.Connections), string(system), perSecond)); i == 0 || v < slowest {
			slowest = v
		}
	}
	load.PerSecond = max(1, int(slowest/2))
	what := fmt.Sprintf("%d/s", load.PerSecond)
	err := b.repeats(ctx, table, what, rig.Readers, func(system rig.System) ([]report.Reading, error) { return b.read(ctx, c, system, load, what) })
	b.judgeRate(table, what)
	return err
}

func clientsOf(n int) string { return fmt.Sprintf("%d clients", n) }

// uniform picks among n, the same way in every run.
func uniform(n int) func(i int) int {
	dice := rand.New(rand.NewPCG(3, 4))
	picks := make([]int32, 1<<20)
	for i := range picks {
		picks[i] = int32(dice.IntN(n))
	}
	return func(i int) int { return int(picks[i%len(picks)]) }
}

// read puts a load on a fresh server of a system, whose deliveries underway have all been read once.
func (b *Bench) read(ctx context.Context, c *city, system rig.System, load post.Load, _ string) ([]report.Reading, error) {
	server, err := c.StartReader(ctx, system)
	if err != nil {
		return nil, err
	}
	defer server.Stop()
	load.Addresses = []string{server.Address}
	warm := post.Load{
		Addresses: load.Addresses, Connections: load.Connections, Requests: len(c.Fleet),
		Request: func(b []byte, _, n int, _ time.Time) []byte { return post.AppendGet(b, trackPath(c.day.Links[n]), "", "") },
	}
	if _, err := warm.Run(ctx); err != nil {
		return nil, err
	}
	return b.loaded(ctx, c, server, system, load)
}

// loaded puts a load on a server and answers what came of it, after a moment of warming up.
func (b *Bench) loaded(ctx context.Context, c *city, server *rig.Process, system rig.System, load post.Load) ([]report.Reading, error) {
	send := func(lasting time.Duration) (post.Result, error) {
		ctx, cancel := context.WithTimeout(ctx, lasting)
		defer cancel()
		return load.Run(ctx)
	}
	if _, err := send(b.Sizes.WarmUp); err != nil {
		return nil, err
	}
	all, err := c.Statements(ctx, anything)
	if err != nil {
		return nil, err
	}
	records, err := c.Statements(ctx, ofRecords)
	if err != nil {
		return nil, err
	}
	m := meterOf(func() []rig.Part {
		parts := []rig.Part{server.Part("server")}
		if system == rig.Hotfoot {
			parts = append(parts, c.Redis())
		}
		return append(parts, c.Postgres())
	})
	profiled := b.profile(ctx, c.Rig, b.Sizes.Reads.For)
	result, err := send(b.Sizes.Reads.For)
	if err = errors.Join(err, profiled()); err != nil {
		return nil, err
	}
	n := float64(result.Requests)
	cpu := m.spent(n, "/read", "µs")
	allNow, err := c.Statements(ctx, anything)
	if err != nil {
		return nil, err
	}
	recordsNow, err := c.Statements(ctx, ofRecords)
	if err != nil {
		return nil, err
	}
	all, records = allNow.Less(all), recordsNow.Less(records)
	return append([]report.Reading{
		{Name: perSecond, Unit: "1/s", Value: n / result.Took.Seconds()},
		{Name: p50, Unit: "ms", Value: milliseconds(result.Latency.Quantile(0.50))},
		{Name: p95, Unit: "ms", Value: milliseconds(result.Latency.Quantile(0.95))},
		{Name: p99, Unit: "ms", Value: milliseconds(result.Latency.Quantile(0.99))},
		{Name: dbCalls, Value: float64(all.Calls) / n},
		{Name: dbTime, Unit: "µs", Value: all.Time.Seconds() * 1e6 / n},
		{Name: hits, Unit: "%", Value: 100 * (1 - float64(records.Rows)/n)},
	}, cpu...), nil
}

// Of the statements, all of them, and those that read the records of deliveries, each of which is a row.
const (
	anything  = "%"
	ofRecords = "%m.visible_stops%"
)
