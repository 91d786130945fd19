package redisstore_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/store/redisstore"
	"hotfoot/store/storetest"
	"hotfoot/tracking"
)

// run runs a breaker until the test ends.
func run(t *testing.T, b *tracking.Breaker) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() { _ = b.Run(ctx) })
	t.Cleanup(func() { cancel(); done.Wait() })
}

// guarded is a Store on a server that may be paused or killed, behind a breaker that asks it often.
func guarded(t *testing.T, url string) (hot, *tracking.Breaker) {
	t.Helper()
	probe, err := redisstore.NewProbe(url)
	must(t, err)
	t.Cleanup(probe.Close)
	config := tracking.BreakerConfig{Every: 20 * time.Millisecond, Limit: 200 * time.Millisecond, Retry: 20 * time.Millisecond}
	breaker := tracking.NewBreaker("Redis", probe.Ping, config, slog.New(slog.DiscardHandler))
	h := newHotAt(t, url, redisstore.Config{})
	redisstore.Guard(h.client, breaker)
	run(t, breaker)
	return h, breaker
}

func TestGuard(t *testing.T) {
	t.Parallel()
	t.Run("refuses at once while the server is frozen, and goes on when it goes on", func(t *testing.T) {
		t.Parallel()
		server := startRedis(t, storetest.Dir(t))
		h, breaker := guarded(t, server.URL())
		c := h.courier()
		_, err := h.Place(t.Context(), placement(c, fix(1), 1))
		must(t, err)
		server.Pause()
		defer server.Resume()
		await(t, "the breaker opens", func() bool { return breaker.Allow() != nil })
		began := time.Now()
		_, err = h.Place(t.Context(), placement(c, fix(2), 2))
		if !errors.Is(err, tracking.ErrOpen) {
			t.Errorf("got %v, want %v", err, tracking.ErrOpen)
		}
		wantCode(t, err, tracking.CodeUnavailable)
		// The pipeline's way.
		h.truth.newest[c.ID] = fix(9)
		if newest, err := h.NewestOf(t.Context(), []tracking.ID{c.ID}); err != nil || *newest[0] != *fix(9) {
			t.Errorf("the newest are %v, %v, want the truth's", newest, err)
		}
		if err := h.MarkDurable(t.Context(), mark(c, 1)); !errors.Is(err, tracking.ErrOpen) {
			t.Errorf("got %v, want %v", err, tracking.ErrOpen)
		}
		// A server that is asked takes a second to say nothing.
		if took := time.Since(began); took > 500*time.Millisecond {
			t.Errorf("three refusals took %v", took)
		}
		server.Resume()
		awaitPlace(t, h, placement(c, fix(3), 3))
	})
	t.Run("refuses at once while the server is gone, and goes on when another has taken its place", func(t *testing.T) {
		t.Parallel()
		server := startRedis(t, storetest.Dir(t))
		h, breaker := guarded(t, server.URL())
		c := h.courier()
		_, err := h.Place(t.Context(), placement(c, fix(1), 1))
		must(t, err)
		// A write to the file may wait up to two seconds for a flush of it that is under way, and a kill before that takes it.
		await(t, "what was placed is in the file", func() bool {
			return strings.Contains(h.client.Info(t.Context(), "persistence").Val(), "aof_buffer_length:0\r")
		})
		server.Kill()
		await(t, "the breaker opens", func() bool { return breaker.Allow() != nil })
		_, err = h.Place(t.Context(), placement(c, fix(2), 2))
		if !errors.Is(err, tracking.ErrOpen) {
			t.Errorf("got %v, want %v", err, tracking.ErrOpen)
		}
		startRedis(t, server.dir)
		awaitPlace(t, h, placement(c, fix(3), 3))
		if n := h.waiting(t, c.ID); n != 2 {
			t.Errorf("%d batches wait, want 2: the one before and the one after", n)
		}
	})
	t.Run("sends nothing while it is open", func(t *testing.T) {
		t.Parallel()
		h := newHot(t)
		c := h.courier()
		fails := func(context.Context) error { return errors.New("no answer") }
		breaker := tracking.NewBreaker("Redis", fails, tracking.BreakerConfig{Retry: time.Millisecond}, slog.New(slog.DiscardHandler))
		run(t, breaker)
		await(t, "the breaker opens", func() bool { return breaker.Allow() != nil })
		shut := newHotAt(t, h.client.(*redis.Client).Options().Network+"://"+h.client.(*redis.Client).Options().Addr, redisstore.Config{})
		redisstore.Guard(shut.client, breaker)
		must(t, h.client.Ping(t.Context()).Err()) // connects
		stop := h.monitor(t)
		_, err := shut.Place(t.Context(), placement(c, fix(1), 1))
		wantCode(t, err, tracking.CodeUnavailable)
		wantCode(t, shut.Announce(t.Context(), record(1), record(1)), tracking.CodeUnavailable)
		sub := shut.client.Subscribe(t.Context(), "x")
		defer sub.Close()
		if _, err := sub.ReceiveTimeout(t.Context(), time.Second); err == nil {
			t.Error("a subscription was confirmed")
		}
		for _, command := range stop() {
			t.Errorf("the server was sent %s", command)
		}
	})
}

// Who gets no answer makes the breaker ask; who gets one, though it is not the one they wanted, does not.
func TestGuard_doubts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		does   func(t *testing.T, client redis.UniversalClient) error
		says   string // what the server says to everything, when it is not a real one
		doubts bool
	}{
		"a refused connection":      {does: get, doubts: true},
		"in a pipeline":             {does: pipeline, doubts: true},
		"a server that is loading":  {does: get, says: "-LOADING Redis is loading the dataset in memory\r\n", doubts: true},
		"a cluster without a slot":  {does: get, says: "-CLUSTERDOWN Hash slot not served\r\n", doubts: true},
		"a replica that is alone":   {does: get, says: "-MASTERDOWN Link with MASTER is down\r\n", doubts: true},
		"a replica":                 {does: get, says: "-READONLY You can't write against a read only replica.\r\n", doubts: true},
		"a server that says less":   {does: get, says: "$100\r\nx", doubts: true},
		"a full server":             {does: get, says: "-OOM command not allowed when used memory > 'maxmemory'.\r\n"},
		"a key of another kind":     {does: pipeline, says: "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n"},
		"nothing there":             {does: get, says: "$-1\r\n"},
		"a caller who is gone":      {does: cancelled},
		"a client that was closed":  {does: closed},
		"a caller without patience": {does: impatient, says: " ", doubts: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := away
			if c.says != "" {
				url = parrot(t, c.says)
			}
			client, err := redisstore.Connect(url + "?protocol=2")
			must(t, err)
			t.Cleanup(func() { _ = client.Close() })
			var asked atomic.Int64
			answers := func(context.Context) error { asked.Add(1); return nil }
			breaker := tracking.NewBreaker("Redis", answers, tracking.BreakerConfig{Every: time.Hour}, slog.New(slog.DiscardHandler))
			redisstore.Guard(client, breaker)
			run(t, breaker)
			await(t, "the breaker asks for the first time", func() bool { return asked.Load() == 1 })
			if err := c.does(t, client); err == nil {
				t.Error("it succeeded")
			}
			if c.doubts {
				await(t, "the breaker asks", func() bool { return asked.Load() >= 2 })
				return
			}
			breaker.Doubt()
			await(t, "the breaker asks", func() bool { return asked.Load() >= 2 })
			if n := asked.Load(); n != 2 {
				t.Errorf("the breaker asked %d times, want twice: at the start and for us", n)
			}
		})
	}
}

func get(t *testing.T, client redis.UniversalClient) error { return client.Get(t.Context(), "x").Err() }

func pipeline(t *testing.T, client redis.UniversalClient) error {
	pipe := client.Pipeline()
	pipe.Get(t.Context(), "x")
	pipe.Get(t.Context(), "y")
	_, err := pipe.Exec(t.Context())
	return err
}

func cancelled(t *testing.T, client redis.UniversalClient) error {
	ctx, cancel := cancellable(t)
	cancel()
	return client.Get(ctx, "x").Err()
}

func closed(t *testing.T, client redis.UniversalClient) error {
	must(t, client.Close())
	return get(t, client)
}

func impatient(t *testing.T, client redis.UniversalClient) error {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	return client.Get(ctx, "x").Err()
}

// parrot is a server that says the same to every command.
func parrot(t *testing.T, says string) (url string) {
	// Every command begins with a star, and nothing else here has one.
	return "redis://" + serve(t, func(heard []byte) []byte { return bytes.Repeat([]byte(says), bytes.Count(heard, []byte("*"))) })
}

// serve answers whatever is heard, for as long as the test runs.
func serve(t *testing.T, answer func(heard []byte) []byte) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	var serving sync.WaitGroup
	var mu sync.Mutex
	var conns []net.Conn
	t.Cleanup(func() {
		_ = listener.Close()
		mu.Lock()
		for _, conn := range conns {
			_ = conn.Close()
		}
		mu.Unlock()
		serving.Wait()
	})
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, conn)
			mu.Unlock()
			serving.Go(func() {
				heard := make([]byte, 64<<10)
				for {
					n, err := conn.Read(heard)
					if err != nil {
						return
					}
					if _, err := conn.Write(answer(heard[:n])); err != nil {
						return
					}
				}
			})
		}
	})
	return listener.Addr().String()
}

func TestProbe(t *testing.T) {
	t.Parallel()
	server := startRedis(t, storetest.Dir(t))
	probe, err := redisstore.NewProbe(server.URL())
	must(t, err)
	defer probe.Close()
	var waits []time.Duration
	probe.Timed(func(_ string, took time.Duration) { waits = append(waits, took) })
	ask := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		return probe.Ping(ctx)
	}
	must(t, ask())
	server.Pause()
	began := time.Now()
	if err := ask(); err == nil {
		t.Error("a frozen server answered")
	}
	if took := time.Since(began); took > 900*time.Millisecond {
		t.Errorf("it took %v to find out, want what the caller had patience for", took)
	}
	if len(waits) != 2 || waits[0] <= 0 || waits[1] < 150*time.Millisecond {
		t.Errorf("it tells of waits of %v, want a short one and the one in vain", waits)
	}
	server.Resume()
	await(t, "it answers again", func() bool { return ask() == nil })
	server.Kill()
	told := len(waits)
	// Longer than the client's pool would dial, were it a small one.
	for range 50 {
		if err := ask(); err == nil {
			t.Fatal("a server that is gone answered")
		}
	}
	if len(waits) != told {
		t.Errorf("refused connections count as %v", waits[told:])
	}
	startRedis(t, server.dir)
	must(t, ask())
	if _, err := redisstore.NewProbe("http://nowhere"); err == nil {
		t.Error("it takes any address")
	}
}
