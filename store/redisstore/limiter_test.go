package redisstore_test

import (
	"context"
	"encoding/binary"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"hotfoot/store/redisstore"
	"hotfoot/store/storetest"
	"hotfoot/tracking"
	"hotfoot/tracking/key"
)

// policies are valid ones of a kind, from a handful in a millisecond to as much as there may be in as long as there may be.
func policies(kind tracking.LimitKind) *rapid.Generator[tracking.LimitPolicy] {
	return rapid.Custom(func(t *rapid.T) tracking.LimitPolicy { return drawPolicy(t, kind) }).Filter(func(p tracking.LimitPolicy) bool { return p.Validate("") == nil })
}

func drawPolicy(t *rapid.T, kind tracking.LimitKind) tracking.LimitPolicy {
	p := tracking.LimitPolicy{
		Kind:   kind,
		Limit:  rapid.OneOf(rapid.Int64Range(1, 10), rapid.Int64Range(1, tracking.MaxLimit)).Draw(t, "limit"),
		Period: time.Duration(rapid.OneOf(rapid.Int64Range(1, 20), rapid.Int64Range(1, tracking.MaxLimitPeriod.Milliseconds())).Draw(t, "period")) * time.Millisecond,
	}
	if p.Kind == tracking.TokenBucket {
		p.Burst = rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(1, 10), rapid.Int64Range(1, tracking.MaxLimit)).Draw(t, "burst")
	}
	return p
}

// encode is a state as the scripts keep it.
func encode(p tracking.LimitPolicy, s tracking.LimitState) []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(s.Since))
	if p.Kind != tracking.TokenBucket {
		b = binary.BigEndian.AppendUint64(b, uint64(s.Used))
	}
	if p.Kind == tracking.SlidingWindow {
		b = binary.BigEndian.AppendUint64(b, uint64(s.Before))
	}
	return b
}

// reachable draws a state that a policy may lead to. Windows begin at any time around now, also in the future, as after a failover to a slower clock.
func reachable(t *rapid.T, p tracking.LimitPolicy, now int64) tracking.LimitState {
	// In tenths, since what is drawn from a range is mostly small.
	window := p.Window().Microseconds()
	since := window*rapid.Int64Range(-30, 2).Draw(t, "tenths")/10 + rapid.Int64Range(-2000, 2000).Draw(t, "more")
	s := tracking.LimitState{Since: now + since}
	if p.Kind == tracking.TokenBucket {
		return s
	}
	s.Since -= s.Since % 1000
	s.Used = rapid.Int64Range(0, p.Limit).Draw(t, "used")
	if p.Kind == tracking.SlidingWindow {
		s.Before = rapid.Int64Range(0, p.Limit).Draw(t, "before")
	}
	return s
}

// Each script does what its twin in Go does, from any state and in any order, to the microsecond.
func TestLimiter_twin(t *testing.T) {
	t.Parallel()
	client := storetest.Redis(t)
	for _, kind := range tracking.LimitKinds {
		t.Run(string(kind), func(t *testing.T) { checkTwin(t, client, kind) })
	}
}

func checkTwin(t *testing.T, client redis.UniversalClient, kind tracking.LimitKind) {
	t.Helper()
	limiter := redisstore.NewLimiter(client)
	rapid.Check(t, func(rt *rapid.T) {
		p, subject := policies(kind).Draw(rt, "policy"), tracking.LimitSubject(tracking.NewID())
		clock, err := client.Time(t.Context()).Result()
		must(t, err)
		var state tracking.LimitState
		if rapid.Bool().Draw(rt, "known") {
			state = reachable(rt, p, clock.UnixMicro())
			must(t, client.Set(t.Context(), key.Limit(subject), encode(p, state), time.Hour).Err())
		}
		for range rapid.IntRange(1, 12).Draw(rt, "takes") {
			cost := rapid.OneOf(rapid.Int64Range(1, min(3, p.Quota())), rapid.Int64Range(1, p.Quota())).Draw(rt, "cost")
			got, now, err := limiter.TakeAt(t.Context(), p, subject, cost)
			must(t, err)
			var want tracking.Decision
			before := state
			if state, want = state.Take(p, now, cost); got != want {
				rt.Fatalf("%+v of %d at %d from %+v: Redis says %+v, its twin %+v", p, cost, now, before, got, want)
			}
		}
	})
}

// What the scripts keep goes when it says no more than nothing would, and not before: else a subject would have a second quota.
func TestLimiter_expiry(t *testing.T) {
	t.Parallel()
	client := storetest.Redis(t)
	limiter := redisstore.NewLimiter(client)
	for _, kind := range tracking.LimitKinds {
		p, subject := tracking.LimitPolicy{Kind: kind, Limit: 10, Period: time.Minute}, tracking.LimitSubject(tracking.NewID())
		d, err := limiter.Take(t.Context(), p, subject, 3)
		must(t, err)
		left := client.PTTL(t.Context(), key.Limit(subject)).Val()
		if left > d.Reset+time.Millisecond || left < d.Reset-10*time.Second {
			t.Errorf("%s: it is kept for %v, want until the reset in %v", kind, left, d.Reset)
		}
	}
	for _, kind := range tracking.LimitKinds {
		p, subject := tracking.LimitPolicy{Kind: kind, Limit: 1, Period: time.Millisecond}, tracking.LimitSubject(tracking.NewID())
		if kind == tracking.TokenBucket {
			p.Period = 10 * time.Millisecond
		}
		_, err := limiter.Take(t.Context(), p, subject, 1)
		must(t, err)
		await(t, "the key expires", func() bool { return client.Exists(t.Context(), key.Limit(subject)).Val() == 0 })
	}
}

// However many ask at once, on however many nodes, no more is allowed than there is.
func TestLimiter_together(t *testing.T) {
	t.Parallel()
	url := storetest.RedisURL(t)
	for _, kind := range tracking.LimitKinds {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			p, subject := tracking.LimitPolicy{Kind: kind, Limit: 50, Period: time.Hour}, tracking.LimitSubject(tracking.NewID())
			var allowed atomic.Int64
			var asking sync.WaitGroup
			for range 4 {
				client, err := redisstore.Connect(url)
				must(t, err)
				t.Cleanup(func() { _ = client.Close() })
				limiter := redisstore.NewLimiter(client)
				for range 4 {
					asking.Go(func() {
						for range 10 {
							d, err := limiter.Take(t.Context(), p, subject, 1)
							if err != nil {
								t.Error(err)
							}
							if d.Allowed {
								allowed.Add(1)
							}
						}
					})
				}
			}
			asking.Wait()
			if n := allowed.Load(); n != 50 {
				t.Errorf("%d of 160 were allowed, want 50", n)
			}
		})
	}
}

func TestLimiter_cost(t *testing.T) {
	t.Parallel()
	client := storetest.Redis(t)
	limiter := redisstore.NewLimiter(client)
	for _, cost := range []int64{0, -1, 11, 1 << 60} {
		_, err := limiter.Take(t.Context(), tracking.LimitPolicy{Kind: tracking.FixedWindow, Limit: 10, Period: time.Second}, tracking.LimitSubject{}, cost)
		wantCode(t, err, tracking.CodeInvalid)
	}
	if n := client.DBSize(t.Context()).Val(); n != 0 {
		t.Errorf("%d keys, want none", n)
	}
}

// A server that is away, frozen or full is answered for, and quickly.
func TestLimitFront_away(t *testing.T) {
	t.Parallel()
	p, subject := tracking.LimitPolicy{Kind: tracking.TokenBucket, Limit: 10, Period: time.Second}, tracking.LimitSubject{1}
	// The front gives up after a quarter of a second; the rest is for a machine that is busy.
	quickly := func(t *testing.T, client redis.UniversalClient) {
		t.Helper()
		front := tracking.NewLimitFront(redisstore.NewLimiter(client), time.Now)
		began := time.Now()
		_, err := front.Take(t.Context(), p, subject, 1)
		wantCode(t, err, tracking.CodeUnavailable)
		if took := time.Since(began); took > 900*time.Millisecond {
			t.Errorf("it took %v", took)
		}
	}
	t.Run("gone", func(t *testing.T) {
		t.Parallel()
		client, err := redisstore.Connect(away)
		must(t, err)
		defer client.Close()
		quickly(t, client)
	})
	t.Run("frozen, before anybody has noticed", func(t *testing.T) {
		t.Parallel()
		server := startRedis(t, storetest.Dir(t))
		client, err := redisstore.Connect(server.URL())
		must(t, err)
		defer client.Close()
		must(t, client.Ping(t.Context()).Err())
		server.Pause()
		defer server.Resume()
		quickly(t, client)
	})
	t.Run("frozen, and known to be: not even asked", func(t *testing.T) {
		t.Parallel()
		h := newHot(t)
		fails := func(context.Context) error { return context.DeadlineExceeded }
		breaker := tracking.NewBreaker("Redis", fails, tracking.BreakerConfig{Retry: time.Millisecond}, slog.New(slog.DiscardHandler))
		run(t, breaker)
		redisstore.Guard(h.client, breaker)
		await(t, "the breaker opens", func() bool { return breaker.Allow() != nil })
		quickly(t, h.client)
	})
	t.Run("full", func(t *testing.T) {
		t.Parallel()
		h := newHot(t)
		h.fill(t)
		quickly(t, h.client)
	})
}

// Who was refused and goes on asking costs the server nothing: no command, however many requests.
func TestLimitFront_flood(t *testing.T) {
	t.Parallel()
	h := newHot(t)
	front := tracking.NewLimitFront(redisstore.NewLimiter(h.client), time.Now)
	p, subject := tracking.LimitPolicy{Kind: tracking.SlidingWindow, Limit: 5, Period: time.Hour}, tracking.LimitSubject{1}
	for range 6 {
		_, err := front.Take(t.Context(), p, subject, 1)
		must(t, err)
	}
	stop := h.monitor(t)
	for range 10_000 {
		d, err := front.Take(t.Context(), p, subject, 1)
		must(t, err)
		if d.Allowed || !d.Remembered || d.RetryAfter <= 0 {
			t.Fatalf("got %+v", d)
		}
	}
	if commands := stop(); len(commands) != 0 {
		t.Errorf("10,000 refusals cost %d commands, the first %q", len(commands), commands[0])
	}
	stop = h.monitor(t)
	if d, err := front.Take(t.Context(), p, tracking.LimitSubject{2}, 1); err != nil || !d.Allowed {
		t.Errorf("another subject: %+v, %v", d, err)
	}
	var runs int
	for _, command := range stop() {
		if strings.Contains(strings.ToLower(command), `"evalsha"`) {
			runs++
		}
	}
	if runs != 1 {
		t.Errorf("a decision costs %d runs of a script, want 1", runs)
	}
}
