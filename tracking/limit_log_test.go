package tracking

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"
)

// book is a ledger in memory, that may be away.
type book struct {
	mu     sync.Mutex
	kept   map[limitMinute]LimitCount
	writes int
	rows   int
	err    error
}

func (b *book) KeepLimitCounts(_ context.Context, _ ID, counts []LimitCount) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return b.err
	}
	b.writes++
	b.rows += len(counts)
	for _, c := range counts {
		b.kept[limitMinute{c.Minute.Unix(), c.Subject}] = c
	}
	return nil
}

func (b *book) total() (allowed, refused int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.kept {
		allowed, refused = allowed+c.Allowed, refused+c.Refused
	}
	return allowed, refused
}

func TestLimitLog(t *testing.T) {
	t.Parallel()
	setup := func(config LimitLogConfig) (*LimitLog, *book, *clock) {
		b, c := &book{kept: map[limitMinute]LimitCount{}}, newClock()
		return NewLimitLog(b, config, c.now, slog.New(slog.DiscardHandler)), b, c
	}
	note := func(l *LimitLog, c *clock, subject int, allowed bool) {
		l.note(ID{1}, LimitPolicy{}, numbered(subject), [16]byte{}, c.now(), allowed)
	}
	once := func(t *testing.T, l *LimitLog) {
		t.Helper()
		if err := l.runOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("writes totals of each minute and subject, and only those that have changed", func(t *testing.T) {
		t.Parallel()
		l, b, c := setup(LimitLogConfig{})
		for n := range 10 {
			note(l, c, 1, n < 7)
		}
		note(l, c, 2, true)
		once(t, l)
		note(l, c, 2, true)
		once(t, l)
		once(t, l)
		if allowed, refused := b.total(); allowed != 9 || refused != 3 || b.rows != 3 || len(b.kept) != 2 {
			t.Errorf("%d allowed and %d refused in %d rows, %d of them written; want 9, 3, 2 and 3", allowed, refused, len(b.kept), b.rows)
		}
		c.pass(time.Minute)
		note(l, c, 1, true)
		once(t, l)
		if len(b.kept) != 3 {
			t.Errorf("%d rows, want one more for another minute", len(b.kept))
		}
	})
	t.Run("loses nothing while the ledger is away, and forgets what is written and over", func(t *testing.T) {
		t.Parallel()
		l, b, c := setup(LimitLogConfig{})
		b.err = errors.New("away")
		for n := range 3500 {
			note(l, c, n, true)
		}
		if err := l.runOnce(t.Context()); !errors.Is(err, b.err) {
			t.Errorf("got %v", err)
		}
		c.pass(time.Hour)
		b.err = nil
		once(t, l)
		if allowed, _ := b.total(); allowed != 3500 || b.writes != 4 {
			t.Errorf("%d decisions in %d writes, want 3500 in 4", allowed, b.writes)
		}
		once(t, l)
		if len(l.counts) != 0 {
			t.Errorf("%d counts are still kept", len(l.counts))
		}
	})
	t.Run("is bounded, and counts what it drops", func(t *testing.T) {
		t.Parallel()
		l, b, c := setup(LimitLogConfig{Size: 100})
		for range 2 {
			for n := range 150 {
				note(l, c, n, false)
			}
		}
		once(t, l)
		if _, refused := b.total(); refused != 200 || l.Dropped() != 100 {
			t.Errorf("%d counted and %d dropped, want 200 and 100", refused, l.Dropped())
		}
	})
	t.Run("writes what is left when it is told to stop", func(t *testing.T) {
		t.Parallel()
		l, b, c := setup(LimitLogConfig{Every: time.Hour})
		note(l, c, 1, true)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := l.Run(ctx); err != nil {
			t.Fatal(err)
		}
		if allowed, _ := b.total(); allowed != 1 {
			t.Errorf("%d were written, want 1", allowed)
		}
	})
}

func TestLimitChecks_Check(t *testing.T) {
	t.Parallel()
	b, c := &book{kept: map[limitMinute]LimitCount{}}, newClock()
	log := NewLimitLog(b, LimitLogConfig{}, c.now, slog.New(slog.DiscardHandler))
	limiter := &counting{clock: c, states: map[LimitSubject]LimitState{}}
	checks := NewLimitChecks(limiter, log, c.now)
	policy := LimitPolicy{Kind: FixedWindow, Limit: 2, Period: time.Minute}
	mine, theirs := NewID(), NewID()
	check := func(merchant ID, p LimitPolicy, key string) bool {
		t.Helper()
		d, err := checks.Check(t.Context(), merchant, p, key, 1)
		if err != nil {
			t.Fatal(err)
		}
		return d.Allowed
	}
	for n := range 3 {
		if allowed := check(mine, policy, "k"); allowed != (n < 2) {
			t.Errorf("the %d. of two: allowed is %v", n+1, allowed)
		}
	}
	named := policy
	named.Name = "keys"
	if check(mine, named, "k") {
		t.Error("a name makes another count")
	}
	for _, key := range []string{"K", "k ", "{k}", "k\x00", "\x00k", "k:", "*", strings.Repeat("k", MaxLimitKey)} {
		if !check(mine, policy, key) {
			t.Errorf("%q is another's", key)
		}
	}
	if !check(theirs, policy, "k") {
		t.Error("another merchant's key is mine")
	}
	for field, call := range map[string]func() error{
		"key": func() error { _, err := checks.Check(t.Context(), mine, policy, "", 1); return err },
		"policy.limit": func() error {
			_, err := checks.Check(t.Context(), mine, LimitPolicy{Kind: FixedWindow, Period: time.Second}, "k", 1)
			return err
		},
		"cost": func() error { _, err := checks.Check(t.Context(), mine, policy, "k", 3); return err },
	} {
		if err, ok := errors.AsType[*Error](call()); !ok || err.Code != CodeInvalid || err.Fields[0].Path != field {
			t.Errorf("%v, want that %s is invalid", err, field)
		}
	}
	if _, err := checks.Check(t.Context(), mine, policy, strings.Repeat("k", MaxLimitKey+1), 1); CodeOf(err) != CodeInvalid {
		t.Errorf("a key that is too long: %v", err)
	}
	limiter.err = Unavailable("Redis", nil)
	if _, err := checks.Check(t.Context(), mine, policy, "k", 1); CodeOf(err) != CodeUnavailable {
		t.Errorf("got %v", err)
	}
	if err := log.runOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	if allowed, refused := b.total(); allowed != 11 || refused != 2 {
		t.Errorf("%d allowed and %d refused were counted, want 11 and 2: what was decided, and nothing else", allowed, refused)
	}
}
