package tracking

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"
)

// outbox remembers which revisions were not told.
type outbox struct {
	mu      sync.Mutex
	waiting []Record
	marked  []Record
	sweeps  int
	markErr error

	couriers       []Courier
	markedCouriers []Courier
}

func (o *outbox) Unpublished(_ context.Context, _ time.Time, limit int) ([]Record, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sweeps++
	return append([]Record(nil), o.waiting[:min(limit, len(o.waiting))]...), nil
}

func (o *outbox) MarkPublished(_ context.Context, told []Record) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.markErr != nil {
		return o.markErr
	}
	o.marked = append(o.marked, told...)
	o.waiting = o.waiting[min(len(told), len(o.waiting)):]
	return nil
}

func (o *outbox) count() (marked, sweeps int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.marked), o.sweeps
}

// UnpublishedCouriers and MarkCouriersPublished keep couriers as they keep records.
func (o *outbox) UnpublishedCouriers(_ context.Context, _ time.Time, limit int) ([]Courier, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]Courier(nil), o.couriers[:min(limit, len(o.couriers))]...), nil
}

func (o *outbox) MarkCouriersPublished(_ context.Context, told []Courier) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.markErr != nil {
		return o.markErr
	}
	o.markedCouriers = append(o.markedCouriers, told...)
	o.couriers = o.couriers[min(len(told), len(o.couriers)):]
	return nil
}

func (o *outbox) countCouriers() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.markedCouriers)
}

type announcerFunc func(ctx context.Context, records ...Record) error

func (f announcerFunc) Announce(ctx context.Context, records ...Record) error {
	return f(ctx, records...)
}

// KeepCourier answers what an announcement would be answered.
func (f announcerFunc) KeepCourier(ctx context.Context, _ Courier) error { return f(ctx) }

func newTestRelay(o *outbox, announce announcerFunc, config RelayConfig) *Relay {
	return NewRelay(o, announce, config, slog.New(slog.DiscardHandler))
}

func someRecords(n int) []Record {
	records := make([]Record, n)
	for i := range records {
		records[i].Delivery.ID = NewID()
	}
	return records
}

func fine(context.Context, ...Record) error { return nil }

func runRelay(t *testing.T, r *Relay) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run ended with %v", err)
		}
	})
}

// within waits for a condition.
func within(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: still not so after a minute", what)
		}
		pause(t.Context(), time.Millisecond)
	}
}

func TestRelay_Tell(t *testing.T) {
	t.Parallel()
	t.Run("what was told is marked", func(t *testing.T) {
		t.Parallel()
		o := &outbox{}
		r := newTestRelay(o, fine, RelayConfig{Sweep: time.Hour})
		runRelay(t, r)
		for range 10 {
			r.Tell(t.Context(), someRecords(3)...)
		}
		within(t, "all are marked", func() bool { marked, _ := o.count(); return marked == 30 })
	})
	t.Run("what could not be told is not marked", func(t *testing.T) {
		t.Parallel()
		o := &outbox{}
		r := newTestRelay(o, func(context.Context, ...Record) error { return errors.New("Redis is away") }, RelayConfig{})
		r.Tell(t.Context(), someRecords(1)...)
		if len(r.told) != 0 {
			t.Error("it waits to be marked")
		}
	})
	t.Run("goes on although the client has left, and never longer than its patience", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		r := newTestRelay(&outbox{}, func(ctx context.Context, _ ...Record) error {
			if ctx.Err() != nil {
				t.Error("the announcement died with its client")
			}
			<-ctx.Done()
			return ctx.Err()
		}, RelayConfig{Patience: time.Millisecond})
		r.Tell(ctx, someRecords(1)...)
	})
	t.Run("never blocks when nobody marks", func(t *testing.T) {
		t.Parallel()
		r := newTestRelay(&outbox{}, fine, RelayConfig{})
		for range 2 * cap(r.told) {
			r.Tell(t.Context(), someRecords(1)...)
		}
	})
	t.Run("nothing is told of nothing", func(t *testing.T) {
		t.Parallel()
		r := newTestRelay(&outbox{}, func(context.Context, ...Record) error { t.Error("told"); return nil }, RelayConfig{})
		r.Tell(t.Context())
	})
}

func TestRelay_sweep(t *testing.T) {
	t.Parallel()
	t.Run("tells and marks everything that was left behind, in pieces", func(t *testing.T) {
		t.Parallel()
		o := &outbox{waiting: someRecords(450)}
		told := 0
		r := newTestRelay(o, func(_ context.Context, records ...Record) error { told += len(records); return nil }, RelayConfig{})
		if err := r.sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if marked, sweeps := o.count(); told != 450 || marked != 450 || sweeps != 3 {
			t.Errorf("told %d, marked %d in %d looks", told, marked, sweeps)
		}
	})
	t.Run("marks nothing that could not be told, and tries again", func(t *testing.T) {
		t.Parallel()
		o := &outbox{waiting: someRecords(3)}
		var mu sync.Mutex
		tries := 0
		r := newTestRelay(o, func(context.Context, ...Record) error {
			mu.Lock()
			defer mu.Unlock()
			if tries++; tries < 3 {
				return Unavailable("Redis", errors.New("refused"))
			}
			return nil
		}, RelayConfig{Sweep: time.Millisecond})
		runRelay(t, r)
		within(t, "the third try marks", func() bool { marked, _ := o.count(); return marked == 3 })
	})
	t.Run("ends when marking fails instead of telling the same for ever", func(t *testing.T) {
		t.Parallel()
		o := &outbox{waiting: someRecords(300), markErr: Unavailable("Postgres", errors.New("refused"))}
		told := 0
		r := newTestRelay(o, func(context.Context, ...Record) error { told++; return nil }, RelayConfig{})
		if err := r.sweep(t.Context()); CodeOf(err) != CodeUnavailable || told != 1 {
			t.Errorf("%v after %d announcements", err, told)
		}
	})
}

func TestRelay_Keep(t *testing.T) {
	t.Parallel()
	t.Run("what was kept is marked", func(t *testing.T) {
		t.Parallel()
		o := &outbox{}
		r := newTestRelay(o, fine, RelayConfig{Sweep: time.Hour})
		runRelay(t, r)
		for range 10 {
			r.Keep(t.Context(), Courier{ID: NewID()})
		}
		within(t, "all are marked", func() bool { return o.countCouriers() == 10 })
	})
	t.Run("what could not be kept is left for the sweep, and nobody waits longer than patience", func(t *testing.T) {
		t.Parallel()
		o := &outbox{}
		r := newTestRelay(o, func(ctx context.Context, _ ...Record) error { <-ctx.Done(); return ctx.Err() }, RelayConfig{Patience: time.Millisecond})
		r.Keep(t.Context(), Courier{ID: NewID()})
		if len(r.kept) != 0 {
			t.Error("it waits to be marked")
		}
	})
	t.Run("the sweep keeps and marks what was left behind, in pieces", func(t *testing.T) {
		t.Parallel()
		o := &outbox{couriers: make([]Courier, 450)}
		kept := 0
		r := newTestRelay(o, func(context.Context, ...Record) error { kept++; return nil }, RelayConfig{})
		if err := r.sweepCouriers(t.Context()); err != nil || kept != 450 || o.countCouriers() != 450 {
			t.Errorf("%v, kept %d, marked %d", err, kept, o.countCouriers())
		}
	})
}
