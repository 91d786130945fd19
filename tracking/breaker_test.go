package tracking

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"
)

// patient is a store that answers, refuses or hangs as the test wants.
type patient struct {
	state atomic.Int32 // 0 answers, 1 refuses, 2 hangs
	asked atomic.Int64
}

func (p *patient) probe(ctx context.Context) error {
	p.asked.Add(1)
	switch p.state.Load() {
	case 1:
		return errors.New("connection refused")
	case 2:
		<-ctx.Done()
		return ctx.Err()
	}
	return nil
}

func startBreaker(t *testing.T, p *patient, config BreakerConfig) *Breaker {
	t.Helper()
	b := NewBreaker("Redis", p.probe, config, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run ended with %v", err)
		}
	})
	return b
}

func TestBreaker(t *testing.T) {
	t.Parallel()
	quick := BreakerConfig{Every: time.Millisecond, Limit: 5 * time.Millisecond, Retry: time.Millisecond}
	for name, state := range map[string]int32{"a store that refuses": 1, "a store that hangs": 2} {
		t.Run(name+" is not asked, and is again once it answers", func(t *testing.T) {
			t.Parallel()
			p := &patient{}
			b := startBreaker(t, p, quick)
			within(t, "it is asked", func() bool { return p.asked.Load() > 2 })
			if err := b.Allow(); err != nil || !b.Since().IsZero() {
				t.Errorf("closed: %v, since %s", err, b.Since())
			}
			for range 3 {
				p.state.Store(state)
				within(t, "it opens", func() bool { return b.Allow() != nil })
				err := b.Allow()
				var e *Error
				if CodeOf(err) != CodeUnavailable || !errors.Is(err, ErrOpen) || !errors.As(err, &e) || e.RetryAfter == 0 {
					t.Errorf("open: %v", err)
				}
				if since := time.Since(b.Since()); since < 0 || since > time.Minute {
					t.Errorf("open for %s", since)
				}
				p.state.Store(0)
				within(t, "it closes", func() bool { return b.Allow() == nil })
			}
		})
	}
	t.Run("doubt has it asked at once", func(t *testing.T) {
		t.Parallel()
		p := &patient{}
		b := startBreaker(t, p, BreakerConfig{Every: time.Hour, Limit: 5 * time.Millisecond, Retry: time.Millisecond})
		within(t, "it is asked once", func() bool { return p.asked.Load() == 1 })
		p.state.Store(1)
		b.Doubt()
		b.Doubt()
		within(t, "it opens", func() bool { return b.Allow() != nil })
	})
	t.Run("whoever waits for a store that is away waits no longer", func(t *testing.T) {
		t.Parallel()
		p := &patient{}
		b := startBreaker(t, p, quick)
		for range 2 {
			p.state.Store(0)
			within(t, "it closes", func() bool { return b.Allow() == nil })
			waiting, done := b.Bound(t.Context())
			ended, end := b.Bound(t.Context())
			end()
			if waiting.Err() != nil || ended.Err() == nil || errors.Is(context.Cause(ended), ErrOpen) {
				t.Errorf("while the store answers: %v, %v", waiting.Err(), context.Cause(ended))
			}
			p.state.Store(2)
			<-waiting.Done()
			if cause := context.Cause(waiting); CodeOf(cause) != CodeUnavailable || !errors.Is(cause, ErrOpen) {
				t.Errorf("cause %v", cause)
			}
			late, lateDone := b.Bound(t.Context())
			<-late.Done()
			lateDone()
			done()
		}
	})
	t.Run("none allows everything", func(t *testing.T) {
		t.Parallel()
		var b *Breaker
		if ctx, done := b.Bound(t.Context()); ctx.Err() != nil {
			t.Error("a breaker that is not there ends a context")
		} else {
			done()
		}
		b.Doubt()
		if b.Allow() != nil || !b.Since().IsZero() {
			t.Error("a breaker that is not there is open")
		}
	})
}

// One answer that is missing is no reason to refuse everybody.
func TestBreaker_oneMissing(t *testing.T) {
	t.Parallel()
	answers := make(chan error)
	b := NewBreaker("Redis", func(context.Context) error { return <-answers }, BreakerConfig{Every: time.Nanosecond}, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	for range 10 {
		answers <- errors.New("late")
		answers <- nil
		if b.Allow() != nil {
			t.Fatal("it opened")
		}
	}
	cancel()
	close(answers)
	<-done
}
