package tracking

import (
	"context"
	"encoding/binary"
	"errors"
	"sync"
	"testing"
	"time"
)

// clock is a time that a test sets.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// counting is a limiter by the pure arithmetic, which counts how often it is asked.
type counting struct {
	clock  *clock
	states map[LimitSubject]LimitState
	asked  int
	err    error
}

func (c *counting) Take(_ context.Context, p LimitPolicy, subject LimitSubject, cost int64) (d Decision, err error) {
	c.asked++
	if c.err != nil {
		return d, c.err
	}
	c.states[subject], d = c.states[subject].Take(p, c.clock.now().UnixMicro(), cost)
	return d, nil
}

func numbered(n int) (s LimitSubject) {
	binary.BigEndian.PutUint64(s[8:], uint64(n))
	return s
}

func TestLimitFront_Take(t *testing.T) {
	t.Parallel()
	policy := LimitPolicy{Kind: FixedWindow, Limit: 10, Period: time.Minute}
	setup := func() (*LimitFront, *counting) {
		c := &counting{clock: newClock(), states: map[LimitSubject]LimitState{}}
		return NewLimitFront(c, c.clock.now), c
	}
	take := func(t *testing.T, f *LimitFront, cost int64) Decision {
		t.Helper()
		d, err := f.Take(t.Context(), policy, numbered(1), cost)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	t.Run("remembers a refusal until it would no longer be one, and says how long that is", func(t *testing.T) {
		t.Parallel()
		f, c := setup()
		take(t, f, 10)
		if d := take(t, f, 1); d.Allowed || d.Remembered {
			t.Errorf("got %+v", d)
		}
		c.clock.pass(59 * time.Second)
		if d := take(t, f, 1); d.Allowed || !d.Remembered || d.RetryAfter != time.Second || d.Limit != 10 || d.Remaining != 0 || d.Reset != time.Second {
			t.Errorf("got %+v", d)
		}
		c.clock.pass(time.Second)
		if d := take(t, f, 1); !d.Allowed || c.asked != 3 {
			t.Errorf("got %+v, asked %d times, want 3", d, c.asked)
		}
	})
	t.Run("does not take a refusal of much for one of less", func(t *testing.T) {
		t.Parallel()
		f, _ := setup()
		take(t, f, 8)
		if d := take(t, f, 3); d.Allowed {
			t.Errorf("got %+v", d)
		}
		if d := take(t, f, 3); !d.Remembered {
			t.Errorf("got %+v", d)
		}
		if d := take(t, f, 2); !d.Allowed {
			t.Errorf("got %+v", d)
		}
	})
	t.Run("remembers no failure", func(t *testing.T) {
		t.Parallel()
		f, c := setup()
		c.err = errors.New("away")
		for range 2 {
			if _, err := f.Take(t.Context(), policy, numbered(1), 1); !errors.Is(err, c.err) {
				t.Errorf("got %v", err)
			}
		}
		if c.asked != 2 {
			t.Errorf("asked %d times, want 2", c.asked)
		}
	})
	t.Run("asks so many times a second and no more, under however many names", func(t *testing.T) {
		t.Parallel()
		f, c := setup()
		refused := 0
		for n := range 3 * askRate {
			if _, err := f.Take(t.Context(), policy, numbered(n), 1); err != nil {
				if CodeOf(err) != CodeOverloaded {
					t.Fatal(err)
				}
				refused++
			}
		}
		if c.asked != askRate || refused != 2*askRate {
			t.Errorf("asked %d times and refused %d, want %d and %d", c.asked, refused, askRate, 2*askRate)
		}
		c.clock.pass(time.Second)
		if d := take(t, f, 1); !d.Allowed {
			t.Errorf("got %+v", d)
		}
	})
}

func TestMemoryLimiter(t *testing.T) {
	t.Parallel()
	t.Run("counts as the policy says", func(t *testing.T) {
		t.Parallel()
		for _, kind := range LimitKinds {
			c := newClock()
			l := NewMemoryLimiter(LimitPolicy{Kind: kind, Limit: 3, Period: time.Second}, 100, c.now)
			for n := range 5 {
				if d := l.Take(numbered(1)); d.Allowed != (n < 3) {
					t.Errorf("%s, the %d.: %+v", kind, n+1, d)
				}
			}
			if d := l.Take(numbered(2)); !d.Allowed {
				t.Errorf("%s, another subject: %+v", kind, d)
			}
			c.pass(2 * time.Second)
			if d := l.Take(numbered(1)); !d.Allowed || d.Remaining != 2 {
				t.Errorf("%s, later: %+v", kind, d)
			}
		}
	})
	t.Run("is bounded, and lets go of those first who have taken least", func(t *testing.T) {
		t.Parallel()
		c := newClock()
		const size = 16 * 64
		l := NewMemoryLimiter(LimitPolicy{Kind: TokenBucket, Limit: 100, Period: time.Hour}, size, c.now)
		for range 100 {
			l.Take(numbered(-1))
		}
		for n := range 20 * size {
			l.Take(numbered(n))
		}
		kept := 0
		for i := range l.states.parts {
			kept += len(l.states.parts[i].kept)
		}
		if kept > size {
			t.Errorf("%d are kept, want at most %d", kept, size)
		}
		if d := l.Take(numbered(-1)); d.Allowed {
			t.Errorf("who has taken all is forgotten in a flood: %+v", d)
		}
	})
	t.Run("may be used by many at once", func(t *testing.T) {
		t.Parallel()
		l := NewMemoryLimiter(LimitPolicy{Kind: SlidingWindow, Limit: 1000, Period: time.Hour}, 64, time.Now)
		var wait sync.WaitGroup
		var mu sync.Mutex
		allowed := 0
		for range 8 {
			wait.Go(func() {
				n := 0
				for range 500 {
					if l.Take(numbered(1)).Allowed {
						n++
					}
				}
				mu.Lock()
				defer mu.Unlock()
				allowed += n
			})
		}
		wait.Wait()
		if allowed != 1000 {
			t.Errorf("%d were allowed, want 1000", allowed)
		}
	})
}

// Every report of positions is counted so.
func TestBudget_MemoryLimiter(t *testing.T) {
	for _, kind := range LimitKinds {
		l := NewMemoryLimiter(LimitPolicy{Kind: kind, Limit: 10_000, Period: time.Second}, 100, time.Now)
		if n := testing.AllocsPerRun(1000, func() { l.Take(numbered(1)) }); n != 0 {
			t.Errorf("%s: it allocates %v times, want none", kind, n)
		}
	}
}

func BenchmarkMemoryLimiter(b *testing.B) {
	l := NewMemoryLimiter(LimitPolicy{Kind: TokenBucket, Limit: 50, Period: time.Second, Burst: 2000}, 65_536, time.Now)
	subjects := make([]LimitSubject, 10_000)
	for i := range subjects {
		subjects[i] = LimitSubject(NewID())
	}
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		l.Take(subjects[n%len(subjects)])
	}
}
