package doctor

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/store/redisstore"
	"hotfoot/tracking/key"
)

// hot looks at Redis.
func (c *chart) hot(ctx context.Context, p Patient) {
	const form = "REDIS_URL=redis://host:6379/0"
	if p.RedisURL == "" {
		c.bad("redis", form, "REDIS_URL is not set")
		return
	}
	client, err := redisstore.Connect(p.RedisURL)
	if err != nil {
		// The error may quote the address.
		c.bad("redis", form, "REDIS_URL is not an address of Redis")
		return
	}
	defer client.Close()
	servers, err := serversOf(ctx, client)
	if err != nil || len(servers) == 0 {
		c.bad("redis", "start it, or correct REDIS_URL", "it does not answer: %v", err)
		return
	}
	cluster, clustered := client.(*redis.ClusterClient)
	partitions := map[string]int{servers[0].Options().Addr: key.Partitions}
	if clustered {
		partitions = homes(ctx, cluster)
	}
	beside := false
	for _, server := range servers {
		address := server.Options().Addr
		if clustered {
			c.server = address
		}
		c.examineServer(ctx, server, float64(p.BacklogMB)*mega*float64(partitions[address])/key.Partitions)
		host, _, _ := strings.Cut(address, ":")
		beside = beside || local(host) || server.Options().Network == "unix"
	}
	c.server = ""
	if clustered {
		c.cluster(ctx, servers, partitions)
	}
	if beside {
		c.kernel("")
	}
	c.backlog(ctx, client)
}

// serversOf are the servers that a client speaks to, replicas of a cluster included, in the order of their addresses.
func serversOf(ctx context.Context, client redis.UniversalClient) ([]*redis.Client, error) {
	if single, ok := client.(*redis.Client); ok {
		return []*redis.Client{single}, single.Ping(ctx).Err()
	}
	var mu sync.Mutex
	var servers []*redis.Client
	err := client.(*redis.ClusterClient).ForEachShard(ctx, func(_ context.Context, shard *redis.Client) error {
		mu.Lock()
		defer mu.Unlock()
		servers = append(servers, shard)
		return nil
	})
	slices.SortFunc(servers, func(a, b *redis.Client) int { return strings.Compare(a.Options().Addr, b.Options().Addr) })
	return servers, err
}

// examineServer looks at one server. backlog is what may wait in it for Postgres, in bytes.
func (c *chart) examineServer(ctx context.Context, server *redis.Client, backlog float64) {
	s, err := hear(ctx, server)
	if err != nil {
		c.bad("redis", "docs/runbooks/store-unavailable.md", "%s does not say how it is: %v", server.Options().Addr, err)
		return
	}
	c.ok("redis", "%s, version %s", server.Options().Addr, s.info["redis_version"])
	c.serverSettings(ctx, server)
	if s.info.Primary() {
		c.serverMemory(s, backlog)
	}
	c.serverFile(s)
	c.serverBuffers(s)
	c.serverReplicas(s)
	c.clock(ctx, "clock of Redis", func(ctx context.Context) (time.Time, error) { return server.Time(ctx).Result() })
}
