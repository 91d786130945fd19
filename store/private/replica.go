package private

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// AddReplica starts another node that follows a master, and takes its place when it dies. It returns when the replica has everything, and all
// masters know of it. Replicas are not started again with a cluster's folder.
func (c *Cluster) AddReplica(ctx context.Context, master int) (*Server, error) {
	ports, err := freePorts(2)
	if err != nil {
		return nil, err
	}
	s, err := c.startNode(ctx, "replica"+strconv.Itoa(len(c.replicas)), ports[0], ports[1])
	if err != nil {
		return nil, err
	}
	c.replicas = append(c.replicas, s)
	if err := c.follow(ctx, "127.0.0.1:"+strconv.Itoa(ports[0]), master); err != nil {
		return nil, fmt.Errorf("redis cluster: a replica: %w", err)
	}
	return s, nil
}

func (c *Cluster) follow(ctx context.Context, address string, master int) error {
	replica := redis.NewClient(&redis.Options{Addr: address})
	defer replica.Close()
	if err := replica.Do(ctx, "CLUSTER", "MEET", "127.0.0.1", c.ports[0], c.ports[1]).Err(); err != nil {
		return err
	}
	id, err := replica.ClusterMyID(ctx).Result()
	if err != nil {
		return err
	}
	masters := make([]*redis.Client, len(c.Masters))
	for i := range masters {
		masters[i] = redis.NewClient(&redis.Options{Addr: c.Addr(i)})
		defer masters[i].Close()
	}
	followed, err := masters[master].ClusterMyID(ctx).Result()
	if err != nil {
		return err
	}
	// It can follow only whom it has heard of, and others say "slave" of it once they have heard that.
	steps := []func() bool{
		func() bool { return replica.ClusterReplicate(ctx, followed).Err() == nil },
		func() bool { return strings.Contains(replica.Info(ctx, "replication").Val(), "master_link_status:up") },
	}
	for _, m := range masters {
		steps = append(steps, func() bool {
			for line := range strings.Lines(m.ClusterNodes(ctx).Val()) {
				if strings.HasPrefix(line, id) && strings.Contains(line, "slave "+followed) {
					return true
				}
			}
			return false
		})
	}
	for _, done := range steps {
		for !done() {
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
	return nil
}
