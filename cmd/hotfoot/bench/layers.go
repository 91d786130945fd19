//go:build linux

package bench

import (
	"context"

	"hotfoot/cmd/hotfoot/bench/report"
	"hotfoot/cmd/hotfoot/bench/rig"
)

// layers measures what each layer contributes: the same snapshots from one layer after the other. They must be in Redis.
func (b *Bench) layers(ctx context.Context, c *city) error {
	table := b.Report.New("reads, layers", "the same snapshots from Postgres with one statement (uncached); from Redis alone, the delivery's hash and then the courier's; from an api, which holds what "+
		"it has decoded and has Redis confirm it in the round trip that reads the courier's place (hotfoot); and from a node with a gateway where each delivery is watched (hotfoot, watched)")
	clients := b.Sizes.Reads.Clients[len(b.Sizes.Reads.Clients)-1]
	pick := uniform(len(c.Fleet))
	return b.repeats(ctx, table, clientsOf(clients), []rig.System{rig.Uncached, rig.Hash, rig.Hotfoot, rig.Watched}, func(system rig.System) ([]report.Reading, error) {
		return b.read(ctx, c, system, c.reading(clients, pick))
	})
}
