package doctor

import (
	"context"

	"github.com/redis/go-redis/v9"

	"hotfoot/store/redisstore/vitals"
	"hotfoot/tracking/key"
)

const slots = 16384

// cluster looks whether every slot is served, and where our partitions are.
func (c *chart) cluster(ctx context.Context, client *redis.ClusterClient, servers []*redis.Client) {
	const check = "redis slots"
	for _, server := range servers {
		text, err := server.ClusterInfo(ctx).Result()
		if err != nil {
			c.warn(check, "", "%s does not say how the cluster is: %v", server.Options().Addr, err)
			continue
		}
		info := vitals.Decode(text)
		if served, _ := info.Number("cluster_slots_ok"); info["cluster_state"] != "ok" || served != slots {
			c.bad(check, "redis-cli --cluster check "+server.Options().Addr, "as %s sees it, %.0f of %d slots are served", server.Options().Addr, served, slots)
			return
		}
	}
	homes, most := map[string]int{}, 0
	for p := range key.Partitions {
		master, err := client.MasterForKey(ctx, key.Positions(p))
		if err != nil {
			c.bad(check, "redis-cli --cluster check, with any address", "partition %d has no server: %v", p, err)
			return
		}
		homes[master.Options().Addr]++
		most = max(most, homes[master.Options().Addr])
	}
	if even := key.Partitions / len(homes); most > 2*even {
		c.warn(check, "redis-cli --cluster rebalance, with any address", "one of %d masters has %d of the %d partitions", len(homes), most, key.Partitions)
		return
	}
	c.ok(check, "all are served; %d masters have at most %d of the %d partitions", len(homes), most, key.Partitions)
}
