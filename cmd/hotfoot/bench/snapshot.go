//go:build linux

package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"hotfoot/cmd/hotfoot/bench/post"
	"hotfoot/cmd/hotfoot/bench/report"
	"hotfoot/cmd/hotfoot/bench/rig"
	"hotfoot/cmd/hotfoot/bench/stats"
)

// readers are those whose snapshots are compared, in the order in which they take turns.
var readers = []rig.System{rig.Naive, rig.Uncached, rig.Hotfoot}

// snapshots measures the customer's snapshot of deliveries that are underway: as fast as answers come, then at a rate that everybody carries.
func (b *Bench) snapshots(ctx context.Context, c *city) error {
	table := b.Report.New("reads, snapshot", fmt.Sprintf("GET /v1/track/{token} of deliveries that are underway, any of them with the same chance, each read once before; %s. "+
		"Over kept-alive connections as fast as answers come for %v, then at a fixed rate, with latency from when a request was due. naive: a statement for each part; "+
		"uncached: one statement for all; statements and their time are counted by Postgres, CPU by the operating system", c.size, b.Sizes.Reads.For))
	pick := uniform(len(c.Fleet))
	var load post.Load
	for _, clients := range b.Sizes.Reads.Clients {
		load = c.reading(clients, pick)
		what := clientsOf(clients)
		err := b.repeats(ctx, table, what, readers, func(system rig.System) ([]report.Reading, error) { return b.read(ctx, c, system, load) })
		if err != nil {
			return err
		}
		b.judgeSnapshot(table, what)
	}
	// Half of what the slowest carries: nobody is late because it is too much.
	load.PerSecond = max(1, int(slowest(table, clientsOf(load.Connections), readers)/2))
	what := fmt.Sprintf("%d/s", load.PerSecond)
	err := b.repeats(ctx, table, what, readers, func(system rig.System) ([]report.Reading, error) { return b.read(ctx, c, system, load) })
	b.judgeRate(table, what)
	return err
}

// slowest is what the slowest of some systems answers, each second.
func slowest(t *report.Table, what string, systems []rig.System) float64 {
	var medians []float64
	for _, system := range systems {
		medians = append(medians, stats.Median(t.Repeats(what, string(system), perSecond)))
	}
	return slices.Min(medians)
}

// clientsOf words a load.
func clientsOf(n int) string {
	if n == 1 {
		return "1 client"
	}
	return fmt.Sprintf("%d clients", n)
}

// uniform picks among n, the same way in every run.
func uniform(n int) func(i int) int {
	dice := rand.New(rand.NewPCG(3, 4))
	picks := make([]int32, 1<<20)
	for i := range picks {
		picks[i] = int32(dice.IntN(n))
	}
	return func(i int) int { return int(picks[i%len(picks)]) }
}
