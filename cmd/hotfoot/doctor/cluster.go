package doctor

import (
	"context"

	"github.com/redis/go-redis/v9"

	"hotfoot/store/redisstore/vitals"
	"hotfoot/tracking/key"
)

const slots = 16384

// homes says how many of our partitions each master has, as far as the client knows.
func homes(ctx context.Context, client *redis.ClusterClient) map[string]int {
	partitions := map[string]int{}
	for p := range key.Partitions {
		if master, err := client.MasterForKey(ctx, key.Positions(p)); err == nil {
			partitions[master.Options().Addr]++
		}
	}
	return partitions
}

// cluster looks whether every slot is served, and where our partitions are.
func (c *chart) cluster(ctx context.Context, servers []*redis.Client, partitions map[string]int) {
	const check = "redis slots"
	for _, server := range servers {
		address := server.Options().Addr
		text, err := server.ClusterInfo(ctx).Result()
		if err != nil {
			c.warn(check, "redis-cli --cluster check "+address, "%s does not say how the cluster is: %v", address, err)
			continue
		}
		info := vitals.Decode(text)
		if served, _ := info.Number("cluster_slots_ok"); info["cluster_state"] != "ok" || served != slots {
			c.bad(check, "redis-cli --cluster check "+address, "as %s sees it, %.0f of %d slots are served", address, served, slots)
			return
		}
	}
	all, most := 0, 0
	for _, n := range partitions {
		all, most = all+n, max(most, n)
	}
	switch masters := len(partitions); {
	case all < key.Partitions:
		c.bad(check, "redis-cli --cluster check, with any address", "%d of %d partitions have no server", key.Partitions-all, key.Partitions)
	case most > 2*key.Partitions/masters:
		c.warn(check, "redis-cli --cluster rebalance, with any address", "one of %d masters has %d of the %d partitions", masters, most, key.Partitions)
	default:
		c.ok(check, "all are served; %d masters have at most %d of the %d partitions", masters, most, key.Partitions)
	}
}
