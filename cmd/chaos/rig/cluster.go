package rig

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/store/private"
)

// Cluster is what is hot when it is a Redis Cluster. Nodes go to its masters directly: a cluster tells its clients its own addresses, so that no
// proxy stands before it.
type Cluster struct {
	// Client finds its way in the cluster as a node's would.
	Client *redis.ClusterClient
	fail   func(error)

	servers *private.Cluster
	masters []*redis.Client
	ids     []string
	down    map[int]bool
}

func startCluster(ctx context.Context, dir string, masters int, fail func(error)) (*Cluster, error) {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	servers, err := private.StartCluster(ctx, private.Config{Dir: filepath.Join(dir, "cluster")}, masters)
	if err != nil {
		return nil, err
	}
	c := &Cluster{fail: fail, servers: servers, down: map[int]bool{}}
	options := &redis.ClusterOptions{}
	for i := range masters {
		options.Addrs = append(options.Addrs, servers.Addr(i))
		c.masters = append(c.masters, redis.NewClient(&redis.Options{Addr: servers.Addr(i)}))
		id, err := c.masters[i].ClusterMyID(ctx).Result()
		if err != nil {
			return c, err
		}
		c.ids = append(c.ids, id)
	}
	c.Client = redis.NewClusterClient(options)
	return c, nil
}

// Kill ends one master at once.
func (c *Cluster) Kill(i int) {
	c.servers.Masters[i].Kill()
	c.down[i] = true
}

// Restart starts a master again on what it had, and returns when all masters serve: those that had given it up wait for a while.
func (c *Cluster) Restart(ctx context.Context, i int) {
	starting, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	_, err := c.servers.StartMaster(starting, i)
	c.try(err)
	delete(c.down, i)
	for _, master := range c.masters {
		c.await(ctx, "all masters serve", func() bool {
			return strings.Contains(master.ClusterInfo(ctx).Val(), "cluster_state:ok")
		})
	}
}

// Owner is the master that serves a slot.
func (c *Cluster) Owner(ctx context.Context, slot int) int {
	owner, err := c.ownerBy(ctx, 0, slot)
	c.try(err)
	return owner
}

// ownerBy is who serves a slot as one master sees it.
func (c *Cluster) ownerBy(ctx context.Context, master, slot int) (int, error) {
	shards, err := c.masters[master].ClusterShards(ctx).Result()
	for _, shard := range shards {
		serves := slices.ContainsFunc(shard.Slots, func(r redis.SlotRange) bool { return r.Start <= int64(slot) && int64(slot) <= r.End })
		if serves && len(shard.Nodes) > 0 {
			return slices.Index(c.ids, shard.Nodes[0].ID), nil
		}
	}
	return 0, errors.Join(err, fmt.Errorf("master %d knows nobody who serves slot %d", master, slot))
}

// Migration is a slot on its way from one master to another.
type Migration struct {
	cluster  *Cluster
	slot     int
	from, to int
}

// Move begins to move a slot: from now on both masters know that it is on its way, and some of its keys may be here and some there.
func (c *Cluster) Move(ctx context.Context, slot, to int) *Migration {
	m := &Migration{cluster: c, slot: slot, from: c.Owner(ctx, slot), to: to}
	c.try(c.masters[to].Do(ctx, "CLUSTER", "SETSLOT", slot, "IMPORTING", c.ids[m.from]).Err(),
		c.masters[m.from].Do(ctx, "CLUSTER", "SETSLOT", slot, "MIGRATING", c.ids[to]).Err())
	return m
}

// Keys moves up to n of the slot's keys, and answers how many there were.
func (m *Migration) Keys(ctx context.Context, n int) int {
	c := m.cluster
	keys, err := c.masters[m.from].ClusterGetKeysInSlot(ctx, m.slot, n).Result()
	if err == nil && len(keys) > 0 {
		host, port, _ := net.SplitHostPort(c.servers.Addr(m.to))
		args := []any{"MIGRATE", host, port, "", 0, 5000, "KEYS"}
		for _, key := range keys {
			args = append(args, key)
		}
		err = c.masters[m.from].Do(ctx, args...).Err()
	}
	c.try(err)
	return len(keys)
}

// End moves what is left and tells every master who serves the slot now; it answers how many keys that were.
func (m *Migration) End(ctx context.Context) (keys int) {
	for n := m.Keys(ctx, 100); n > 0; n = m.Keys(ctx, 100) {
		keys += n
	}
	c := m.cluster
	// Whoever takes a slot must know the newest claims of all others, or an older claim wins over its own.
	c.await(ctx, "masters agree on each other's claims", func() bool {
		first := c.claims(ctx, 0)
		for i := range c.masters {
			if !maps.Equal(c.claims(ctx, i), first) {
				return false
			}
		}
		return true
	})
	for _, master := range []int{m.to, m.from} {
		c.try(c.own(ctx, master, m))
	}
	c.await(ctx, "masters agree on a slot", func() bool {
		for i := range c.masters {
			if owner, err := c.ownerBy(ctx, i, m.slot); err != nil || owner != m.to {
				return false
			}
		}
		return true
	})
	return keys
}

// claims are how new each master's claims are, by their ids, as one master knows them.
func (c *Cluster) claims(ctx context.Context, master int) map[string]string {
	text, err := c.masters[master].ClusterNodes(ctx).Result()
	c.try(err)
	epochs := map[string]string{}
	for line := range strings.Lines(text) {
		if fields := strings.Fields(line); len(fields) > 6 {
			epochs[fields[0]] = fields[6]
		}
	}
	return epochs
}

// await waits until something is so.
func (c *Cluster) await(ctx context.Context, what string, holds func() bool) {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for !holds() {
		select {
		case <-ctx.Done():
			c.try(fmt.Errorf("%s: %w", what, context.Cause(ctx)))
			return
		case <-time.After(time.Millisecond):
		}
	}
}

// own tells one master who serves the slot now.
func (c *Cluster) own(ctx context.Context, master int, m *Migration) error {
	return c.masters[master].Do(ctx, "CLUSTER", "SETSLOT", m.slot, "NODE", c.ids[m.to]).Err()
}

// Slot is the slot of a hash tag.
func (c *Cluster) Slot(ctx context.Context, tag string) int {
	slot, err := c.masters[0].ClusterKeySlot(ctx, tag).Result()
	c.try(err)
	return int(slot)
}

// Redirections counts what masters have answered instead of serving: MOVED, ASK, TRYAGAIN and CLUSTERDOWN.
func (c *Cluster) Redirections(ctx context.Context) map[string]int {
	said := map[string]int{}
	for i, master := range c.masters {
		if c.down[i] {
			continue
		}
		text, err := master.Info(ctx, "errorstats").Result()
		c.try(err)
		for _, kind := range []string{"MOVED", "ASK", "TRYAGAIN", "CLUSTERDOWN"} {
			said[kind] += errorCount(text, kind)
		}
	}
	return said
}

func (c *Cluster) try(errs ...error) {
	if err := errors.Join(errs...); err != nil {
		c.fail(fmt.Errorf("redis cluster: %w", err))
	}
}

// recover brings back masters that are down.
func (c *Cluster) recover() {
	for i := range c.masters {
		if c.down[i] {
			c.Restart(context.Background(), i)
		}
	}
}

func (c *Cluster) close() {
	for _, master := range c.masters {
		_ = master.Close()
	}
	if c.Client != nil {
		_ = c.Client.Close()
	}
	c.servers.Kill()
}

// Len is how many masters there are.
func (c *Cluster) Len() int { return len(c.masters) }

// URL is the REDIS_URL that leads to it.
func (c *Cluster) URL() string { return c.servers.URL() }
