package pubsub

import (
	"context"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/store/private"
	"hotfoot/store/redisstore"
	"hotfoot/store/storetest"
	"hotfoot/tracking"
	"hotfoot/tracking/key"
)

// backWithin is how long a listener may hear nothing of what is published after its slot has moved.
const backWithin = 5 * time.Second

// cluster is three masters, and what is needed to move slots among them.
type cluster struct {
	*private.Cluster
	client  *redis.ClusterClient
	masters []*redis.Client
	ids     []string
}

func startCluster(t *testing.T) *cluster {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	servers, err := private.StartCluster(ctx, private.Config{Dir: storetest.Dir(t)}, 3)
	must(t, err)
	t.Cleanup(servers.Kill)
	c := &cluster{Cluster: servers, client: connect(t, servers.URL()).(*redis.ClusterClient)}
	for i := range servers.Masters {
		master := redis.NewClient(&redis.Options{Addr: servers.Addr(i)})
		t.Cleanup(func() { _ = master.Close() })
		id, err := master.ClusterMyID(ctx).Result()
		must(t, err)
		c.masters, c.ids = append(c.masters, master), append(c.ids, id)
	}
	return c
}

// owner is the master that serves a slot, as one of them sees it.
func (c *cluster) owner(t *testing.T, seenBy, slot int) int {
	t.Helper()
	shards, err := c.masters[seenBy].ClusterShards(t.Context()).Result()
	must(t, err)
	for _, shard := range shards {
		if slices.ContainsFunc(shard.Slots, func(r redis.SlotRange) bool { return r.Start <= int64(slot) && int64(slot) <= r.End }) {
			return slices.Index(c.ids, shard.Nodes[0].ID)
		}
	}
	return -1
}

// move moves a slot to another master, with all its keys.
func (c *cluster) move(t *testing.T, slot, to int) {
	t.Helper()
	ctx, from := t.Context(), c.owner(t, 0, slot)
	must(t, c.masters[to].Do(ctx, "CLUSTER", "SETSLOT", slot, "IMPORTING", c.ids[from]).Err())
	must(t, c.masters[from].Do(ctx, "CLUSTER", "SETSLOT", slot, "MIGRATING", c.ids[to]).Err())
	keys, err := c.masters[from].ClusterGetKeysInSlot(ctx, slot, 1000).Result()
	must(t, err)
	host, port, err := net.SplitHostPort(c.Addr(to))
	must(t, err)
	for _, k := range keys {
		must(t, c.masters[from].Do(ctx, "MIGRATE", host, port, k, 0, 5000).Err())
	}
	// Whoever takes a slot must know the newest claims of all others, or an older claim wins over its own.
	eventually(t, "masters agree on each other's claims", func() bool {
		first := c.claims(t, 0)
		return maps.Equal(c.claims(t, 1), first) && maps.Equal(c.claims(t, 2), first)
	})
	for _, master := range []int{to, from} {
		must(t, c.masters[master].Do(ctx, "CLUSTER", "SETSLOT", slot, "NODE", c.ids[to]).Err())
	}
	eventually(t, "masters agree on a slot", func() bool {
		return c.owner(t, 0, slot) == to && c.owner(t, 1, slot) == to && c.owner(t, 2, slot) == to
	})
}

// claims are how new each master's claims are, by their ids, as one master knows them.
func (c *cluster) claims(t *testing.T, master int) map[string]string {
	t.Helper()
	text, err := c.masters[master].ClusterNodes(t.Context()).Result()
	must(t, err)
	epochs := map[string]string{}
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		epochs[fields[0]] = fields[6]
	}
	return epochs
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("waited for: %s", what)
		}
		<-time.After(time.Millisecond)
	}
}

// receiver counts what one partition's listener hears, and when it last heard it.
type receiver struct {
	channel  string
	messages atomic.Int64
	newest   atomic.Int64 // the number of the newest message
	lives    atomic.Int64
	darks    atomic.Int64
	sub      *Subscription
}

// everyPartition subscribes to a channel of each.
func everyPartition(t *testing.T, s *Subscriber) []*receiver {
	t.Helper()
	merchant := tracking.NewID()
	receivers := make([]*receiver, key.Partitions)
	for p := range receivers {
		r := &receiver{channel: key.Fleet(p, merchant)}
		r.sub = s.Subscribe(r.channel, Listener{
			Message: func(b []byte) {
				n, _ := strconv.ParseInt(string(b), 10, 64)
				r.newest.Store(n)
				r.messages.Add(1)
			},
			Live: func(live bool) {
				if live {
					r.lives.Add(1)
				} else {
					r.darks.Add(1)
				}
			},
		})
		receivers[p] = r
	}
	for _, r := range receivers {
		ready(t, r.sub)
	}
	return receivers
}

// chatter publishes on all channels, again and again, until the test ends. It answers the number of the message that is being published.
func chatter(t *testing.T, c *cluster, receivers []*receiver) *atomic.Int64 {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	var talking sync.WaitGroup
	number := &atomic.Int64{}
	talking.Go(func() {
		ticker := time.NewTicker(10 * time.Millisecond)
		defer ticker.Stop()
		for ctx.Err() == nil {
			pipe := c.client.Pipeline()
			n := number.Add(1)
			for _, r := range receivers {
				pipe.SPublish(ctx, r.channel, n)
			}
			_, _ = pipe.Exec(ctx)
			<-ticker.C
		}
	})
	t.Cleanup(func() {
		stop()
		talking.Wait()
	})
	return number
}

// hearsFrom waits until each hears something that is published from now on, and answers how long the slowest took.
func hearsFrom(t *testing.T, number *atomic.Int64, receivers ...*receiver) time.Duration {
	t.Helper()
	began, now := time.Now(), number.Load()+1
	for _, r := range receivers {
		eventually(t, "a message on "+r.channel, func() bool { return r.newest.Load() >= now })
	}
	return time.Since(began)
}

func TestSubscriber_on_a_cluster(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	s := NewSubscriber(c.client, silent)
	s.sweepEvery = 50 * time.Millisecond
	run(t, s.Run)
	feed := NewFeed(s, silent)
	store := redisstore.New(c.client, struct{ redisstore.Truth }{}, redisstore.Config{})

	e := newEar()
	merchant := tracking.Merchant{ID: tracking.NewID(), Name: "Corner Kitchen"}
	at := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	var watches []Watch
	var records []tracking.Record
	partitions := map[int]bool{}
	for len(partitions) < key.Partitions {
		id := tracking.NewID()
		if partitions[key.Partition(id)] {
			continue
		}
		partitions[key.Partition(id)] = true
		records = append(records, tracking.Record{
			Epoch: 1, Merchant: merchant, Courier: tracking.Courier{ID: id, MerchantID: merchant.ID},
			Delivery: tracking.Delivery{ID: id, MerchantID: merchant.ID, CourierID: id, Status: tracking.Assigned, Ver: 1, Rev: 1, CreatedAt: at, UpdatedAt: at},
		})
		watches = append(watches,
			feed.Delivery(id, func(r tracking.Record) { e.note(fmt.Sprint("delivery ", r.Delivery.ID)) }, func(bool) {}),
			feed.Jobs(id, func() { e.note(fmt.Sprint("jobs ", id)) }, func(bool) {}))
	}
	watches = append(watches, feed.Fleet(merchant.ID, func(tracking.ID, tracking.Position) {},
		func(r tracking.Record) { e.note(fmt.Sprint("fleet ", r.Delivery.ID)) },
		func(c tracking.Courier) { e.note(fmt.Sprint("courier ", c.ID)) }, func(bool) {})...)
	watches = append(watches, feed.Revoked(func([32]byte) { e.note("revoked") }, func(bool) {}))
	for _, w := range watches {
		select {
		case <-w.Ready():
		case <-time.After(patience):
			t.Fatal("a watch is not confirmed")
		}
	}
	if s.Lanes() != key.Partitions {
		t.Errorf("%d lanes, want one for each partition", s.Lanes())
	}
	must(t, store.Announce(t.Context(), records...))
	must(t, NewControl(c.client).Revoke(t.Context(), [][32]byte{{1}}))
	e.hears(t, "revoked", 1)
	for _, r := range records {
		must(t, store.KeepCourier(t.Context(), tracking.Courier{ID: r.Delivery.ID, MerchantID: merchant.ID, Rev: 1}))
		for _, what := range []string{"delivery ", "jobs ", "fleet ", "courier "} {
			e.hears(t, fmt.Sprint(what, r.Delivery.ID), 1)
		}
	}
	if heard := e.await(t, "all", func([]string) bool { return true }); len(heard) != 4*len(records)+1 {
		t.Errorf("%d messages were heard, want each once", len(heard))
	}
	if got := s.Messages(); got != int64(4*len(records)+1) {
		t.Errorf("%d messages are counted", got)
	}
	for _, w := range watches {
		w.Close()
	}
	eventually(t, "lanes without listeners close", func() bool { return s.Lanes() == 0 })
	for i, master := range c.masters {
		channels, err := master.PubSubShardChannels(t.Context(), "").Result()
		must(t, err)
		for _, name := range channels {
			t.Errorf("master %d still has %s", i, name)
		}
	}
	if s.Gaps() != 0 {
		t.Errorf("%d gaps", s.Gaps())
	}
}

// Each slot that is listened to moves to the next master and back, while messages are published. Nobody is left listening to the master before.
func TestSubscriber_follows_slots(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	s := NewSubscriber(c.client, silent)
	run(t, s.Run)
	receivers := everyPartition(t, s)
	number := chatter(t, c, receivers)
	hearsFrom(t, number, receivers...)
	slowest := time.Duration(0)
	for p, r := range receivers {
		slot, err := c.masters[0].ClusterKeySlot(t.Context(), r.channel).Result()
		must(t, err)
		home := c.owner(t, 0, int(slot))
		for _, to := range []int{(home + 1) % len(c.masters), home} {
			lives, darks := r.lives.Load(), r.darks.Load()
			c.move(t, int(slot), to)
			took := hearsFrom(t, number, r)
			slowest = max(slowest, took)
			if took > backWithin {
				t.Errorf("partition %d: %v after its slot has moved until something was heard", p, took)
			}
			if r.lives.Load() == lives || r.darks.Load() == darks {
				t.Errorf("partition %d: its slot has moved, and its listener was not told that something may be missing", p)
			}
		}
	}
	hearsFrom(t, number, receivers...)
	t.Logf("%d moves; the slowest listener heard again after %v", 2*len(receivers), slowest.Round(time.Millisecond))
}

// A master dies, and its replica takes its place.
func TestSubscriber_follows_a_failover(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*private.Server){
		"killed": (*private.Server).Kill,
		"frozen": (*private.Server).Pause,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := startCluster(t)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			_, err := c.AddReplica(ctx, 0)
			must(t, err)
			s := NewSubscriber(c.client, silent)
			run(t, s.Run)
			receivers := everyPartition(t, s)
			number := chatter(t, c, receivers)
			hearsFrom(t, number, receivers...)
			var orphans, others []*receiver
			for _, r := range receivers {
				slot, err := c.masters[0].ClusterKeySlot(ctx, r.channel).Result()
				must(t, err)
				if c.owner(t, 1, int(slot)) == 0 {
					orphans = append(orphans, r)
				} else {
					others = append(others, r)
				}
			}
			end(c.Masters[0])
			began := time.Now()
			for _, r := range orphans {
				eventually(t, "the listener of "+r.channel+" hears that it is not live", func() bool { return r.darks.Load() > 0 })
			}
			noticed := time.Since(began)
			eventually(t, "the replica is promoted", func() bool {
				return strings.Contains(c.masters[1].ClusterInfo(ctx).Val(), "cluster_state:ok") && c.owner(t, 1, slotOf(t, c, orphans[0].channel)) == -1
			})
			promoted := time.Since(began)
			took := hearsFrom(t, number, orphans...)
			t.Logf("%d of %d partitions: noticed after %v, promoted after %v, all hear again %v later",
				len(orphans), len(receivers), noticed.Round(time.Millisecond), promoted.Round(time.Millisecond), took.Round(time.Millisecond))
			if noticed > backWithin || took > backWithin {
				t.Errorf("it took %v to notice, and %v after the promotion to hear again", noticed, took)
			}
			dark := 0
			for _, r := range others {
				if r.darks.Load() > 0 {
					dark++
				}
			}
			if dark > len(others)/2 {
				t.Errorf("%d of %d listeners on other masters were told that they are not live", dark, len(others))
			}
			c.Masters[0].Resume()
		})
	}
}

func slotOf(t *testing.T, c *cluster, channel string) int {
	t.Helper()
	slot, err := c.masters[1].ClusterKeySlot(t.Context(), channel).Result()
	must(t, err)
	return int(slot)
}
