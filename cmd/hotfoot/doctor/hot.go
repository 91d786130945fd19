package doctor

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/store/redisstore"
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
	if err != nil {
		c.bad("redis", "start it, or correct REDIS_URL", "it does not answer: %v", err)
		return
	}
	beside := false
	for _, server := range servers {
		address := server.Options().Addr
		if len(servers) > 1 {
			c.server = address
		}
		c.examineServer(ctx, server, p)
		host, _, _ := strings.Cut(address, ":")
		beside = beside || local(host) || server.Options().Network == "unix"
	}
	c.server = ""
	if cluster, ok := client.(*redis.ClusterClient); ok {
		c.cluster(ctx, cluster, servers)
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

// examineServer looks at one server.
func (c *chart) examineServer(ctx context.Context, server *redis.Client, p Patient) {
	s, err := hear(ctx, server)
	if err != nil {
		c.bad("redis", "docs/runbooks/store-unavailable.md", "%s does not say how it is: %v", server.Options().Addr, err)
		return
	}
	c.ok("redis", "%s, version %s", server.Options().Addr, s.info["redis_version"])
	c.serverSettings(ctx, server)
	if s.info.Primary() {
		c.serverMemory(s, p.BacklogMB)
	}
	c.serverFile(s)
	c.serverBuffers(s)
	c.serverReplicas(s)
	c.clock(ctx, "clock of Redis", func(ctx context.Context) (time.Time, error) { return server.Time(ctx).Result() })
}
