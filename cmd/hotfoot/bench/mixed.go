//go:build linux

package bench

import (
	"context"
	"fmt"
	"math/rand/v2"

	"hotfoot/cmd/hotfoot/bench/report"
	"hotfoot/cmd/hotfoot/bench/rig"
)

// coldPercent of the mixed reads go to any delivery of the day, most of which nobody has read before.
const coldPercent = 5

// mixed measures reads as a service has them: most go to what many look at, and some to what nobody has looked at yet.
func (b *Bench) mixed(ctx context.Context, c *city) error {
	table := b.Report.New("reads, mixed", fmt.Sprintf("as before, but %d %% of the reads go to deliveries underway, some far more often than others (Zipf, s = 1.1), and %d %% to any of the day's; "+
		"what is hot is forgotten before each repeat. Found hot: of all reads, those for which no row was read from Postgres", 100-coldPercent, coldPercent))
	clients := b.Sizes.Reads.Clients[len(b.Sizes.Reads.Clients)-1]
	what := clientsOf(clients)
	repeat := 0
	err := b.repeats(ctx, table, what, readers, func(system rig.System) ([]report.Reading, error) {
		if system == readers[0] {
			repeat++
		}
		if err := c.forget(ctx, c.day.IDs...); err != nil {
			return nil, err
		}
		pick := skewed(uint64(repeat), len(c.Fleet), len(c.day.Links))
		return b.read(ctx, c, system, c.reading(clients, pick))
	})
	b.judgeMixed(table, what)
	return err
}

// skewed picks mostly among the first hot, and now and then among all, the same way for every system.
func skewed(seed uint64, hot, all int) func(i int) int {
	dice := rand.New(rand.NewPCG(seed, 5))
	popular := rand.NewZipf(dice, 1.1, 1, uint64(hot-1))
	picks := make([]int32, 1<<20)
	for i := range picks {
		if dice.IntN(100) < coldPercent {
			picks[i] = int32(dice.IntN(all))
		} else {
			picks[i] = int32(popular.Uint64())
		}
	}
	return func(i int) int { return int(picks[i%len(picks)]) }
}
