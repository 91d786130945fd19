package redisstore_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
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

// shards is a cluster of two masters that say "OK", but for commands that one of them leaves unanswered. It counts those.
type shards struct {
	url        string
	unanswered atomic.Int64
}

func newShards(t *testing.T, first, second string) *shards {
	t.Helper()
	s := &shards{}
	var slots atomic.Pointer[string]
	master := func(leaves string) string {
		return serve(t, func(heard []byte) []byte {
			// A command that is left may hold any bytes, so that what is heard cannot be taken apart.
			if n := bytes.Count(heard, []byte(leaves)); n > 0 {
				s.unanswered.Add(int64(n))
				return nil
			}
			var out []byte
			for _, command := range bytes.Split(heard, []byte("*"))[1:] {
				switch {
				case bytes.Contains(command, []byte("slots")):
					out = append(out, *slots.Load()...)
				case bytes.Contains(command, []byte("hello")), bytes.Contains(command, []byte("command")):
					out = append(out, "-ERR unknown command\r\n"...)
				default:
					out = append(out, "+OK\r\n"...)
				}
			}
			return out
		})
	}
	a, b := master(first), master(second)
	answer := "*2\r\n" + slotsOf(t, 0, 8191, a) + slotsOf(t, 8192, 16383, b)
	slots.Store(&answer)
	s.url = "redis://" + a + ",redis://" + b
	return s
}

func slotsOf(t *testing.T, from, to int, address string) string {
	t.Helper()
	host, port, err := net.SplitHostPort(address)
	must(t, err)
	return fmt.Sprintf("*3\r\n:%d\r\n:%d\r\n*3\r\n$%d\r\n%s\r\n:%s\r\n$%d\r\n%s\r\n", from, to, len(host), host, port, len(port), port)
}

// A script that appends may have run though nobody answered: sent again, it would append twice.
func TestCluster_sends_a_script_once(t *testing.T) {
	t.Parallel()
	s := newShards(t, "evalsha", "evalsha")
	h := newHotAt(t, s.url, redisstore.Config{})
	_, err := h.Place(t.Context(), placement(h.courier(), fix(1), 1))
	wantCode(t, err, tracking.CodeUnavailable)
	if n := s.unanswered.Load(); n != 1 {
		t.Errorf("it was sent %d times", n)
	}
}

// What shares a round trip is sent once, too: each of these may have run.
func TestCluster_sends_scripts_of_one_trip_once(t *testing.T) {
	t.Parallel()
	s := newShards(t, "evalsha", "evalsha")
	h := newHotAt(t, s.url, redisstore.Config{})
	c := h.courier()
	var wait sync.WaitGroup
	for range 5 {
		wait.Go(func() {
			_, err := h.Place(t.Context(), placement(c, fix(1), 1))
			if tracking.CodeOf(err) != tracking.CodeUnavailable {
				t.Errorf("got %v, want unavailable", err)
			}
		})
	}
	wait.Wait()
	if n := s.unanswered.Load(); n > 5 {
		t.Errorf("five were sent %d times", n)
	}
}

func TestCluster_bounds_all_attempts_together(t *testing.T) {
	t.Parallel()
	s := newShards(t, "hmget", "hmget")
	h := newHotAt(t, s.url, redisstore.Config{})
	r := record(1)
	h.truth.know(r)
	began := time.Now()
	if revs, err := h.Revs(t.Context(), []tracking.ID{r.Delivery.ID, tracking.NewID()}); err != nil || revs[0] != r.Revision() {
		t.Errorf("revisions %v, %v, want the truth's", revs, err)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("it took %v, want two seconds", took)
	}
	if s.unanswered.Load() == 0 {
		t.Error("nobody was asked")
	}
}

func TestProbe_of_a_cluster(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, first, second string
		answers             bool
	}{
		{"all answer", "none", "none", true},
		{"one is frozen", "ping", "none", true},
		{"the other is", "none", "ping", true},
		{"all are", "ping", "ping", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			probe, err := redisstore.NewProbe(newShards(t, c.first, c.second).url)
			must(t, err)
			defer probe.Close()
			for range 3 {
				ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
				if err := probe.Ping(ctx); (err == nil) != c.answers {
					t.Errorf("it says %v", err)
				}
				cancel()
			}
		})
	}
}

// Every script, and everything that is read in bulk, must work across slots; and one master that is gone takes nothing along but its own.
func TestStore_on_a_cluster(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cluster, err := private.StartCluster(ctx, private.Config{Dir: storetest.Dir(t)}, 2)
	must(t, err)
	t.Cleanup(cluster.Kill)
	h, breaker := guarded(t, cluster.URL())
	must(t, redisstore.CheckSettings(t.Context(), h.client))
	h.SetEpoch(1)
	const n = 40
	couriers, deliveries, records := make([]tracking.ID, n), make([]tracking.ID, n), make([]tracking.Record, n)
	marks := make([]tracking.Mark, n)
	for i := range n {
		c := h.courier()
		couriers[i], marks[i] = c.ID, mark(c, 1)[0]
		for _, keep := range []bool{true, false} {
			p := placement(c, fix(1), 1)
			p.Keep = keep
			_, err := h.Place(t.Context(), p)
			must(t, err)
		}
		must(t, h.KeepCourier(t.Context(), c))
		records[i] = record(1)
		deliveries[i] = records[i].Delivery.ID
		h.truth.know(records[i])
		_, err := h.Record(t.Context(), deliveries[i])
		must(t, err)
		records[i].Delivery.Rev++
	}
	must(t, h.Announce(t.Context(), records...))
	must(t, h.MarkDurable(t.Context(), marks))
	asked := h.truth.asked.Load()
	newest, err := h.NewestOf(t.Context(), couriers)
	must(t, err)
	revs, err := h.Revs(t.Context(), deliveries)
	must(t, err)
	for i := range n {
		if newest[i] == nil || *newest[i] != *fix(1) || revs[i] != records[i].Revision() {
			t.Errorf("%d: the newest is %v, the revision %v", i, newest[i], revs[i])
		}
	}
	if h.truth.asked.Load() != asked {
		t.Error("the truth was asked for what is hot")
	}

	frozen, alive := h.courierOn(t, cluster.Addr(0)), h.courierOn(t, cluster.Addr(1))
	cluster.Masters[0].Pause()
	defer cluster.Masters[0].Resume()
	_, err = h.Place(t.Context(), placement(alive, fix(2), 2))
	must(t, err)
	_, err = h.Place(t.Context(), placement(frozen, fix(2), 2))
	wantCode(t, err, tracking.CodeUnavailable)
	if err := breaker.Allow(); err != nil {
		t.Errorf("one master that is frozen opened the breaker: %v", err)
	}
	cluster.Masters[1].Pause()
	defer cluster.Masters[1].Resume()
	await(t, "the breaker opens", func() bool { return breaker.Allow() != nil })
}

// courierOn makes a courier who is kept on a certain master.
func (h hot) courierOn(t *testing.T, address string) tracking.Courier {
	t.Helper()
	for {
		c := h.courier()
		master, err := h.client.(*redis.ClusterClient).MasterForKey(t.Context(), key.Courier(c.ID))
		must(t, err)
		if master.Options().Addr == address {
			return c
		}
	}
}
