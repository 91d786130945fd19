package tracking

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// ErrOpen is the cause of a refusal by a Breaker: the store was not asked.
var ErrOpen = errors.New("it did not answer lately and is not asked until it does")

// Breaker stands before a store that may be away, so that nobody waits for one that does not answer. It finds that out by asking, not by
// counting the failures of others: a slow statement or a full server is no reason to refuse everybody, and no request has to try whether the
// store is back.
type Breaker struct {
	store  string
	probe  func(context.Context) error
	config BreakerConfig
	log    *slog.Logger
	since  atomic.Int64 // when it opened, Unix nanoseconds; 0 while it is closed
	doubt  chan struct{}

	mu    sync.Mutex
	reach context.Context // ends when the store is found to be away, and begins anew when it is back
	lose  context.CancelFunc
}

// BreakerConfig tunes a Breaker; zero fields get defaults.
type BreakerConfig struct {
	Every time.Duration // between two questions to a store that answers; 1 s
	Limit time.Duration // an answer that takes longer is none; 500 ms
	Retry time.Duration // between two questions to a store that does not; 250 ms
}

// NewBreaker makes a closed Breaker. store is its name for people; probe asks whether it answers, on a connection of its own. Run must run.
func NewBreaker(store string, probe func(context.Context) error, config BreakerConfig, log *slog.Logger) *Breaker {
	config.Every = cmp.Or(config.Every, time.Second)
	config.Limit = cmp.Or(config.Limit, 500*time.Millisecond)
	config.Retry = cmp.Or(config.Retry, 250*time.Millisecond)
	b := &Breaker{store: store, probe: probe, config: config, log: log, doubt: make(chan struct{}, 1)}
	b.reach, b.lose = context.WithCancel(context.Background())
	return b
}

// Allow answers nil, or CodeUnavailable at once while the store is away. A nil Breaker allows everything.
func (b *Breaker) Allow() error {
	if b == nil || b.since.Load() == 0 {
		return nil
	}
	return Unavailable(b.store, ErrOpen)
}

// Bound answers a context that also ends when the store is found to be away: who has asked it before that waits for nothing. Its cause is then
// what Allow would have answered. The caller must call the function when done.
func (b *Breaker) Bound(ctx context.Context) (context.Context, context.CancelFunc) {
	if b == nil {
		return context.WithCancel(ctx)
	}
	bound, end := context.WithCancelCause(ctx)
	b.mu.Lock()
	reach := b.reach
	b.mu.Unlock()
	stop := context.AfterFunc(reach, func() { end(Unavailable(b.store, ErrOpen)) })
	return bound, func() {
		stop()
		end(context.Canceled)
	}
}

// Since is when the store was found to be away; the zero time while it answers.
func (b *Breaker) Since() time.Time {
	if b == nil {
		return time.Time{}
	}
	if at := b.since.Load(); at != 0 {
		return time.Unix(0, at)
	}
	return time.Time{}
}

// Doubt says that somebody got no answer: the store is asked now instead of a moment later.
func (b *Breaker) Doubt() {
	if b == nil {
		return
	}
	select {
	case b.doubt <- struct{}{}:
	default:
	}
}

// Run asks until ctx ends. One answer that is missing may be a pause of the machine; with two in a row the store is away, and with the next answer
// it is back.
func (b *Breaker) Run(ctx context.Context) error {
	missing := 0
	for ctx.Err() == nil {
		err := b.ask(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			missing = 0
			if was := b.since.Swap(0); was != 0 {
				b.regain()
				b.log.Info("a store answers again", "store", b.store, "away", time.Since(time.Unix(0, was)).Round(time.Millisecond))
			}
			b.rest(ctx, b.config.Every)
		default:
			missing++
			if missing >= 2 && b.since.CompareAndSwap(0, time.Now().UnixNano()) {
				b.release()
				b.log.Warn("a store does not answer; it is not asked until it does", "store", b.store, "error", err)
			}
			if missing >= 2 {
				pause(ctx, b.config.Retry)
			}
		}
	}
	return nil
}

// release lets go of those who wait for an answer.
func (b *Breaker) release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lose()
}

func (b *Breaker) regain() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reach, b.lose = context.WithCancel(context.Background())
}

func (b *Breaker) ask(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, b.config.Limit)
	defer cancel()
	return b.probe(ctx)
}

// rest waits for the next question, or for doubt.
func (b *Breaker) rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-b.doubt:
	}
}
