package pubsub

import (
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/cmd/chaos/proxy"
	"hotfoot/store/storetest"
)

func TestSubscriber_outage(t *testing.T) {
	t.Parallel()
	t.Run("says that it was cut, comes back by itself, and says so", func(t *testing.T) {
		t.Parallel()
		s, client := newSubscriber(t)
		e, other := newEar(), newEar()
		subs := []*Subscription{s.Subscribe("news", e.listener()), s.Subscribe("weather", other.listener())}
		ready(t, subs...)
		for turn := 1; turn <= 3; turn++ {
			must(t, client.Do(t.Context(), "CLIENT", "KILL", "TYPE", "pubsub").Err())
			e.hears(t, "-", turn)
			e.hears(t, "+", turn+1)
			mustPublish(t, client, "news", fmt.Sprint("turn ", turn), 1)
			heard := e.hears(t, fmt.Sprint("turn ", turn), 1)
			if want := []string{"-", "+", fmt.Sprint("turn ", turn)}; !slices.Equal(heard[len(heard)-3:], want) {
				t.Errorf("heard %q, want it to end with %q", heard, want)
			}
			other.hears(t, "+", turn+1)
		}
		if s.Gaps() != 3 {
			t.Errorf("%d gaps, want 3", s.Gaps())
		}
	})
	t.Run("outlives a Redis that was killed", func(t *testing.T) {
		t.Parallel()
		dir := storetest.Dir(t)
		server := startServer(t, dir)
		client := connect(t, server.URL())
		s := NewSubscriber(client, silent)
		run(t, s.Run)
		e := newEar()
		sub := s.Subscribe("news", e.listener())
		ready(t, sub)
		server.Kill()
		e.hears(t, "-", 1)
		if sub.Live() {
			t.Error("live without a server")
		}
		late := newEar()
		s.Subscribe("late", late.listener())
		startServer(t, dir)
		e.hears(t, "+", 2)
		late.hears(t, "+", 1)
		mustPublish(t, client, "news", "again", 1)
		e.hears(t, "again", 1)
		mustPublish(t, client, "late", "too", 1)
		late.hears(t, "too", 1)
	})
	t.Run("notices a Redis that has frozen", func(t *testing.T) {
		t.Parallel()
		server := startServer(t, storetest.Dir(t))
		client := connect(t, server.URL())
		s := NewSubscriber(client, silent)
		run(t, s.Run)
		e := newEar()
		ready(t, s.Subscribe("news", e.listener()))
		server.Pause()
		defer server.Resume()
		began := time.Now()
		e.hears(t, "-", 1)
		// The canary's limit, the second between two of its songs, and room for a busy machine.
		if took := time.Since(began); took > canaryLimit+canaryEvery+2*time.Second {
			t.Errorf("it took %v to notice", took)
		}
		server.Resume()
		e.hears(t, "+", 2)
		mustPublish(t, client, "news", "awake", 1)
		e.hears(t, "awake", 1)
	})
}

// crowd is many listeners, each on a channel of its own, and how many of them are live.
type crowd struct {
	live, lived atomic.Int64
	change      chan struct{}
}

func newCrowd(s *Subscriber, n int, name string) *crowd {
	c := &crowd{change: make(chan struct{}, 1)}
	for i := range n {
		s.Subscribe(fmt.Sprint(name, i), Listener{Message: func([]byte) {}, Live: func(live bool) {
			if live {
				c.live.Add(1)
				c.lived.Add(1)
			} else {
				c.live.Add(-1)
			}
			select {
			case c.change <- struct{}{}:
			default:
			}
		}})
	}
	return c
}

// await waits until so many are live, and answers how long that took.
func (c *crowd) await(t *testing.T, want int64) time.Duration {
	t.Helper()
	began := time.Now()
	deadline := time.After(patience)
	for c.live.Load() != want {
		select {
		case <-c.change:
		case <-deadline:
			t.Fatalf("%d are live, want %d", c.live.Load(), want)
		}
	}
	return time.Since(began)
}

// Everybody hears soon that nothing is live, however the connection ends, and is live again when it is back.
func TestSubscriber_crowd(t *testing.T) {
	t.Parallel()
	const n, limit = 3000, time.Second
	for name, c := range map[string]struct {
		fault func(p *proxy.Proxy, direct redis.UniversalClient) error
		limit time.Duration
	}{
		"cut": {func(p *proxy.Proxy, _ redis.UniversalClient) error { p.Cut(); return nil }, 2 * time.Second},
		"killed by the server": {func(_ *proxy.Proxy, direct redis.UniversalClient) error {
			return direct.Do(context.Background(), "CLIENT", "KILL", "TYPE", "pubsub").Err()
		}, 2 * time.Second},
		"cut, and nobody answers then": {func(p *proxy.Proxy, direct redis.UniversalClient) error {
			p.Stall(proxy.Both)
			return direct.Do(context.Background(), "CLIENT", "KILL", "TYPE", "pubsub").Err()
		}, limit + 2*time.Second},
		"silent both ways":         {func(p *proxy.Proxy, _ redis.UniversalClient) error { p.Stall(proxy.Both); return nil }, limit + 2*time.Second},
		"silent towards the node":  {func(p *proxy.Proxy, _ redis.UniversalClient) error { p.Stall(proxy.Down); return nil }, limit + 2*time.Second},
		"silent towards the store": {func(p *proxy.Proxy, _ redis.UniversalClient) error { p.Stall(proxy.Up); return nil }, limit + 2*time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			serverURL := storetest.RedisURL(t)
			direct := connect(t, serverURL)
			p, client := through(t, serverURL)
			s := NewSubscriber(client, silent)
			s.canaryEvery, s.canaryLimit = limit/5, limit
			run(t, s.Run)
			listeners := newCrowd(s, n, "channel")
			listeners.await(t, n)
			began := time.Now()
			must(t, c.fault(p, direct))
			for listeners.lived.Load() == n && listeners.live.Load() > 0 {
				select {
				case <-listeners.change:
				case <-time.After(patience):
					t.Fatalf("%d are still live", listeners.live.Load())
				}
			}
			took := time.Since(began)
			t.Logf("everybody heard of it after %v", took.Round(time.Millisecond))
			if took > c.limit {
				t.Errorf("it took %v until everybody had heard of it, want %v at most", took, c.limit)
			}
			p.Heal()
			listeners.await(t, n)
			if lived := listeners.lived.Load(); lived < 2*n {
				t.Errorf("%d confirmations, want one for each listener", lived-n)
			}
		})
	}
	t.Run("stalled while it asks", func(t *testing.T) {
		t.Parallel()
		serverURL := storetest.RedisURL(t)
		p, client := through(t, serverURL)
		s := NewSubscriber(client, silent)
		s.canaryEvery, s.canaryLimit = limit/5, limit
		run(t, s.Run)
		early := newCrowd(s, 10, "early")
		early.await(t, 10)
		p.Stall(proxy.Both)
		// More than the buffers on the way hold: whoever asks hangs in a write.
		late := newCrowd(s, n, strings.Repeat("long", 500))
		took := early.await(t, 0)
		t.Logf("everybody heard of it after %v", took.Round(time.Millisecond))
		if took > limit+2*time.Second {
			t.Errorf("it took %v until everybody had heard of it", took)
		}
		p.Heal()
		early.await(t, 10)
		late.await(t, n)
	})
}

func TestSubscriber_saysItOnce(t *testing.T) {
	t.Parallel()
	p, client := through(t, storetest.RedisURL(t))
	dials := countDials(client)
	log := newJournal()
	s := NewSubscriber(client, log.logger())
	s.canaryEvery = 20 * time.Millisecond // the first that is heard proves that the connection is back
	run(t, s.Run)
	e := newEar()
	ready(t, s.Subscribe("news", e.listener()))
	for turn := 1; turn <= 2; turn++ {
		p.Cut()
		e.hears(t, "-", turn)
		dials.await(t, 8)
		p.Heal()
		e.hears(t, "+", turn+1)
		log.says(t, "connection is back", turn)
		if n := strings.Count(log.String(), "there is no Pub/Sub connection"); n != turn || s.Gaps() != int64(turn) {
			t.Errorf("turn %d: it counts %d gaps and says %d times: %s", turn, s.Gaps(), n, log)
		}
	}
	if lines := strings.Count(log.String(), "\n"); lines != 4 || strings.Count(log.String(), "away=") != 2 {
		t.Errorf("it says: %s", log)
	}
}

// dialCounter tells of every attempt to connect.
type dialCounter struct{ tried chan struct{} }

// await waits for so many more attempts.
func (d dialCounter) await(t *testing.T, n int) {
	t.Helper()
	for len(d.tried) > 0 {
		<-d.tried
	}
	deadline := time.After(patience)
	for range n {
		select {
		case <-d.tried:
		case <-deadline:
			t.Fatal("it does not try again")
		}
	}
}

// countDials must be called before the client is used.
func countDials(client redis.UniversalClient) dialCounter {
	d := dialCounter{tried: make(chan struct{}, 1000)}
	options := client.(*redis.Client).Options()
	dial := options.Dialer
	options.Dialer = func(ctx context.Context, network, address string) (net.Conn, error) {
		d.tried <- struct{}{}
		return dial(ctx, network, address)
	}
	return d
}

// A node that hears others but never itself is connected to a server that is cut off from the rest; one that cannot publish is not.
func TestSubscriber_canary(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reply error
		gives bool
	}{
		"gives up a connection on which it is not heard though the server took it": {nil, true},
		"keeps a connection when the server did not even take it":                  {io.EOF, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			serverURL := storetest.RedisURL(t)
			client, others := connect(t, serverURL), connect(t, serverURL)
			mute := muteCanary{reply: c.reply, swallowed: make(chan struct{})}
			client.AddHook(mute)
			s := NewSubscriber(client, silent)
			s.canaryEvery, s.canaryLimit = 10*time.Millisecond, 2*time.Second
			run(t, s.Run)
			e := newEar()
			ready(t, s.Subscribe("news", e.listener()))
			// Others talk as often: silence is not what it is about.
			told := int64(0)
			for limit := int64(s.canaryLimit / s.canaryEvery); told < limit*3/2 && s.Gaps() == 0; told++ {
				select {
				case <-mute.swallowed:
				case <-time.After(patience):
					t.Fatal("it has stopped to sing")
				}
				must(t, others.Publish(t.Context(), "news", "talk").Err())
			}
			if gave := s.Gaps() > 0; gave != c.gives {
				t.Errorf("after %d canaries it has given up: %v, want %v", told, gave, c.gives)
			}
		})
	}
}

// muteCanary swallows what the canary says, and answers in the server's stead.
type muteCanary struct {
	reply     error
	swallowed chan struct{}
}

func (m muteCanary) DialHook(next redis.DialHook) redis.DialHook { return next }

func (m muteCanary) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (m muteCanary) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if cmd.Name() != "publish" {
			return next(ctx, cmd)
		}
		select {
		case m.swallowed <- struct{}{}:
		case <-ctx.Done():
		}
		if m.reply != nil {
			cmd.SetErr(m.reply)
		}
		return m.reply
	}
}
