package tracking

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// ledgerOfPoints is a Track that keeps what was stored, refuses couriers that are poison, and can be away.
type pointStore struct {
	mu     sync.Mutex
	stored []ID // couriers, in order of their batches
	calls  []int
	poison map[ID]bool
	off    map[ID]bool // off duty
	recent map[ID][]Position
	asked  int // how often OnDuty was
	away   error
	hold   chan struct{} // when not nil, Store waits for it
	buried []DeadLetter
	notes  *[]string
}

func (p *pointStore) Bury(_ context.Context, letter DeadLetter) (Mark, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.note("bury")
	p.buried = append(p.buried, letter)
	return Mark{CourierID: letter.Batch.CourierID, Session: letter.Batch.Session, DurableSeq: 1}, nil
}

func (p *pointStore) buriedCouriers() (ids []ID) {
	for _, letter := range p.buried {
		ids = append(ids, letter.Batch.CourierID)
	}
	return ids
}

func (p *pointStore) Store(ctx context.Context, batches []Batch) ([]Mark, error) {
	if p.hold != nil {
		select {
		case <-p.hold:
		case <-ctx.Done():
			return nil, Unavailable("Postgres", ctx.Err())
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls = append(p.calls, len(batches))
	if p.away != nil {
		return nil, p.away
	}
	marks := make([]Mark, len(batches))
	for i, b := range batches {
		if p.poison[b.CourierID] {
			return nil, Invalid("lat", "cannot be stored")
		}
		marks[i] = Mark{CourierID: b.CourierID, Session: b.Session}
		for _, f := range b.Fixes {
			marks[i].DurableSeq = max(marks[i].DurableSeq, f.Seq)
		}
	}
	for _, b := range batches {
		p.stored = append(p.stored, b.CourierID)
	}
	p.note("store")
	return marks, nil
}

func (p *pointStore) OnDuty(_ context.Context, couriers []ID) ([]Duty, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked++
	onDuty := make([]Duty, len(couriers))
	for i, id := range couriers {
		onDuty[i] = Duty{On: !p.off[id], Recent: p.recent[id]}
	}
	return onDuty, p.away
}

func (p *pointStore) note(what string) {
	if p.notes != nil {
		*p.notes = append(*p.notes, what)
	}
}

// line is a Backlog of entries that were not acknowledged yet.
type line struct {
	entries []Entry
	readErr error
	ackErr  error
	notes   *[]string
}

func (l *line) Read(_ context.Context, limit int) ([]Entry, error) {
	return slices.Clone(l.entries[:min(limit, len(l.entries))]), l.readErr
}

func (l *line) Ack(_ context.Context, entries []Entry) error {
	if l.ackErr != nil {
		return l.ackErr
	}
	*l.notes = append(*l.notes, "ack")
	l.drop(entries...)
	return nil
}

func (l *line) drop(entries ...Entry) {
	l.entries = slices.DeleteFunc(l.entries, func(e Entry) bool {
		return slices.ContainsFunc(entries, func(d Entry) bool { return d.Handle == e.Handle })
	})
}

type marks struct {
	kept  []Mark
	notes *[]string
}

func (m *marks) MarkDurable(_ context.Context, kept []Mark) error {
	*m.notes = append(*m.notes, "mark")
	m.kept = append(m.kept, kept...)
	return nil
}

type historyParts struct {
	first *mover
	*History
	track *pointStore
	line  *line
	marks *marks
	notes []string
}

func newHistoryParts(couriers ...ID) *historyParts {
	p := &historyParts{}
	p.track, p.line, p.marks = &pointStore{poison: map[ID]bool{}, notes: &p.notes}, &line{notes: &p.notes}, &marks{notes: &p.notes}
	for i, c := range couriers {
		p.line.entries = append(p.line.entries, Entry{Handle: string(rune('a' + i)), Batch: Batch{CourierID: c, Session: "s", Fixes: []Fix{{Seq: int64(i + 1)}}}})
	}
	p.History = NewHistory(p.track, p.track, p.line, p.marks, HistoryConfig{Retry: time.Millisecond}, slog.New(slog.DiscardHandler))
	p.first = p.mover(p.line)
	return p
}

func newIDs(n int) []ID {
	ids := make([]ID, n)
	for i := range ids {
		ids[i] = NewID()
	}
	return ids
}

func TestHistory_runOnce(t *testing.T) {
	t.Parallel()
	t.Run("stores in one transaction, acknowledges only then, and marks last", func(t *testing.T) {
		t.Parallel()
		p := newHistoryParts(newIDs(3)...)
		points := 0
		p.config.OnStored = func(n int, _ time.Duration) { points += n }
		if err := p.runOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(p.notes, []string{"store", "ack", "mark"}) || !slices.Equal(p.track.calls, []int{3}) || points != 3 || len(p.line.entries) != 0 {
			t.Errorf("%v, calls %v, %d points, %d left", p.notes, p.track.calls, points, len(p.line.entries))
		}
	})
	t.Run("nothing to do is nothing done", func(t *testing.T) {
		t.Parallel()
		p := newHistoryParts()
		if err := p.runOnce(t.Context()); err != nil || len(p.notes) != 0 {
			t.Errorf("%v, %v", p.notes, err)
		}
	})
	t.Run("with Postgres away nothing is acknowledged, and nothing is tried in halves", func(t *testing.T) {
		t.Parallel()
		p := newHistoryParts(newIDs(4)...)
		p.track.away = Unavailable("Postgres", errors.New("refused"))
		if err := p.runOnce(t.Context()); CodeOf(err) != CodeUnavailable {
			t.Errorf("got %v", err)
		}
		if len(p.notes) != 0 || len(p.track.calls) != 1 || len(p.line.entries) != 4 {
			t.Errorf("%v, calls %v, %d left", p.notes, p.track.calls, len(p.line.entries))
		}
	})
	t.Run("an error that we do not know may pass: nothing is lost when it does", func(t *testing.T) {
		t.Parallel()
		p := newHistoryParts(newIDs(2)...)
		p.track.away = errors.New("never seen before")
		for range maxRefusals - 1 {
			if err := p.runOnce(t.Context()); err == nil || len(p.notes) != 0 {
				t.Fatalf("%v, %v", p.notes, err)
			}
		}
		p.track.away = nil
		if err := p.runOnce(t.Context()); err != nil || len(p.track.stored) != 2 || len(p.first.refused) != 0 {
			t.Errorf("%v, stored %v, refused %v", err, p.track.stored, p.first.refused)
		}
	})
	t.Run("one that does not pass does not hold up the line for ever", func(t *testing.T) {
		t.Parallel()
		p := newHistoryParts(newIDs(2)...)
		p.track.away = errors.New("never seen before")
		for range maxRefusals {
			_ = p.runOnce(t.Context())
		}
		if len(p.track.buried) != 2 || len(p.line.entries) != 0 || p.track.buried[0].Reason == "" {
			t.Errorf("buried %+v, left %d", p.track.buried, len(p.line.entries))
		}
	})
	t.Run("what cannot be read is buried as it stood, and the rest is stored", func(t *testing.T) {
		t.Parallel()
		p := newHistoryParts(newIDs(3)...)
		p.line.entries[1] = Entry{Handle: "x", Payload: []byte("nonsense"), Unreadable: errors.New("no batch")}
		if err := p.runOnce(t.Context()); err != nil || len(p.track.stored) != 2 || len(p.line.entries) != 0 {
			t.Errorf("%v, stored %v, left %d", err, p.track.stored, len(p.line.entries))
		}
		if b := p.track.buried; len(b) != 1 || string(b[0].Payload) != "nonsense" || b[0].Reason != "no batch" || b[0].Entry != "x" {
			t.Errorf("buried %+v", b)
		}
	})
	t.Run("a burial settles the phone's seqs", func(t *testing.T) {
		t.Parallel()
		ids := newIDs(1)
		p := newHistoryParts(ids...)
		p.track.poison[ids[0]] = true
		if err := p.runOnce(t.Context()); err != nil || !slices.Equal(p.notes, []string{"bury", "ack", "mark"}) || len(p.marks.kept) != 1 {
			t.Errorf("%v, %v, marks %+v", err, p.notes, p.marks.kept)
		}
	})
	t.Run("an acknowledgement that fails is no mark: the entries come again", func(t *testing.T) {
		t.Parallel()
		p := newHistoryParts(newIDs(2)...)
		p.line.ackErr = Unavailable("Redis", errors.New("refused"))
		if err := p.runOnce(t.Context()); err == nil || len(p.line.entries) != 2 || slices.Contains(p.notes, "mark") {
			t.Errorf("%v, %v", p.notes, err)
		}
	})
	t.Run("poison is buried alone, wherever it stands, and all others are stored", func(t *testing.T) {
		t.Parallel()
		for n := 1; n <= 9; n++ {
			for at := range n {
				ids := newIDs(n)
				p := newHistoryParts(ids...)
				p.track.poison[ids[at]] = true
				if err := p.runOnce(t.Context()); err != nil {
					t.Fatal(err)
				}
				rest := slices.Delete(slices.Clone(ids), at, at+1)
				if !slices.Equal(p.track.buriedCouriers(), []ID{ids[at]}) || !slices.Equal(p.track.stored, rest) || len(p.line.entries) != 0 {
					t.Errorf("poison at %d of %d: buried %v, stored %d, left %d", at, n, p.track.buriedCouriers(), len(p.track.stored), len(p.line.entries))
				}
			}
		}
	})
	t.Run("much poison is buried too", func(t *testing.T) {
		t.Parallel()
		ids := newIDs(6)
		p := newHistoryParts(ids...)
		for _, i := range []int{0, 3, 4} {
			p.track.poison[ids[i]] = true
		}
		if err := p.runOnce(t.Context()); err != nil || len(p.track.buried) != 3 || len(p.track.stored) != 3 {
			t.Errorf("buried %v, stored %v, %v", p.track.buriedCouriers(), p.track.stored, err)
		}
	})
	t.Run("each session is marked once, at its highest", func(t *testing.T) {
		t.Parallel()
		id := NewID()
		p := newHistoryParts(id, id, id)
		p.line.entries[1].Batch.Session = "other"
		p.line.entries[1].Batch.Fixes = nil // nothing durable: no mark
		if err := p.runOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		if want := []Mark{{CourierID: id, Session: "s", DurableSeq: 3}}; !slices.Equal(p.marks.kept, want) {
			t.Errorf("marks %+v, want %+v", p.marks.kept, want)
		}
	})
}

func TestHistory_Run(t *testing.T) {
	t.Parallel()
	t.Run("goes on after errors, and ends with its context", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		p := newHistoryParts()
		reads := 0
		h := NewHistory(p.track, p.track, readerFunc(func() ([]Entry, error) {
			if reads++; reads == 3 {
				cancel()
			}
			return nil, Unavailable("Redis", errors.New("refused"))
		}), p.marks, HistoryConfig{Retry: time.Millisecond}, slog.New(slog.DiscardHandler))
		if err := h.Run(ctx); err != nil || reads != 3 {
			t.Errorf("%v after %d reads", err, reads)
		}
	})
}

// What one transaction takes little of gathers; of what is large, or gone already, the next is read at once.
func TestHistory_Run_gathers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		began := time.Now()
		counts := []int{1, 2, 3, 0, 1}
		var at []time.Duration
		track := &pointStore{}
		h := NewHistory(track, track, readerFunc(func() ([]Entry, error) {
			at = append(at, time.Since(began))
			if len(at) > len(counts) {
				cancel()
				return nil, nil
			}
			entries := make([]Entry, counts[len(at)-1])
			for i := range entries {
				entries[i] = Entry{Handle: NewID().String(), Batch: Batch{CourierID: NewID()}}
			}
			if len(at) == 2 {
				time.Sleep(20 * time.Millisecond) // in the bubble's time; a slow read is part of the time in which entries gather
			}
			return entries, nil
		}), nobody{}, HistoryConfig{BatchEntries: 4}, slog.New(slog.DiscardHandler))
		if err := h.Run(ctx); err != nil {
			t.Fatal(err)
		}
		const gather = 50 * time.Millisecond
		want := []time.Duration{0, gather, 2 * gather, 2 * gather, 2 * gather, 3 * gather}
		if !slices.Equal(at, want) || len(track.stored) != 7 {
			t.Errorf("read at %v, want %v; %d stored, want 7", at, want, len(track.stored))
		}
	})
}

// A second pair of hands works while transactions are large, and then no more; whatever it read it has stored.
func TestHistory_Run_second(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	entry := func() Entry { return Entry{Handle: NewID().String(), Batch: Batch{CourierID: NewID()}} }
	var firstReads, helped int
	helping, calm := make(chan struct{}), make(chan struct{})
	track := &pointStore{}
	h := NewHistory(track, track, readerFunc(func() ([]Entry, error) {
		switch firstReads++; firstReads {
		case 1:
			return []Entry{entry()}, nil // small: nobody is needed
		case 2:
			return []Entry{entry(), entry(), entry()}, nil
		}
		<-calm
		cancel()
		return nil, nil
	}), nobody{}, HistoryConfig{BatchEntries: 4, Retry: time.Millisecond, Second: readerFunc(func() ([]Entry, error) {
		switch helped++; helped {
		case 1:
			close(helping)
			return []Entry{entry(), entry(), entry()}, nil
		case 2:
			return nil, Unavailable("Redis", errors.New("refused")) // what it has in hand must not stay there
		}
		defer close(calm)
		return []Entry{entry()}, nil
	})}, slog.New(slog.DiscardHandler))
	if err := h.Run(ctx); err != nil {
		t.Fatal(err)
	}
	<-helping
	if firstReads != 3 || helped != 3 || len(track.stored) != 8 {
		t.Errorf("%d reads, %d of the second, %d entries stored; want 3, 3 and 8", firstReads, helped, len(track.stored))
	}
}

// nobody is told how far sessions have come.
type nobody struct{}

func (nobody) MarkDurable(context.Context, []Mark) error { return nil }

type readerFunc func() ([]Entry, error)

func (f readerFunc) Read(context.Context, int) ([]Entry, error) { return f() }
func (readerFunc) Ack(context.Context, []Entry) error           { return nil }

// runOnce is what the first pair of hands does.
func (p *historyParts) runOnce(ctx context.Context) error {
	_, err := p.first.runOnce(ctx)
	return err
}

// direct runs RunDirect until the test ends.
func (p *historyParts) direct(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.RunDirect(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Errorf("RunDirect ended with %v", err)
			}
		})
	}
	t.Cleanup(stop)
	return stop
}

func TestHistory_Commit(t *testing.T) {
	t.Parallel()
	batch := func(seq int64) Batch { return Batch{CourierID: NewID(), Fixes: []Fix{{Seq: seq}}} }
	t.Run("answers the batch's own mark", func(t *testing.T) {
		t.Parallel()
		p := newHistoryParts()
		p.direct(t)
		for seq := range int64(5) {
			b := batch(seq + 1)
			if c, err := p.Commit(t.Context(), b, Plausibility{}); err != nil || c.Mark.DurableSeq != seq+1 || c.Mark.CourierID != b.CourierID {
				t.Errorf("got %+v, %v", c, err)
			}
		}
	})
	t.Run("judges a batch by where Postgres saw its courier", func(t *testing.T) {
		t.Parallel()
		p := newHistoryParts()
		b := Batch{CourierID: NewID(), Fixes: []Fix{{Seq: 1, Position: *seen(20, 90)}, {Seq: 2, Position: *seen(30, 0.1)}}}
		doubted := seen(10, 90)
		doubted.Suspect = SuspectTeleport
		p.track.recent = map[ID][]Position{b.CourierID: {*seen(0, 0), *doubted}}
		p.direct(t)
		c, err := p.Commit(t.Context(), b, Plausibility{})
		if err != nil || c.Batch.Fixes[0].Position.Suspect != SuspectTeleport || c.Batch.Fixes[1].Position.Suspect != Believed {
			t.Errorf("got %+v, %v", c, err)
		}
		if b.Fixes[0].Position.Suspect != Believed {
			t.Error("the caller's batch has changed, which may be read meanwhile")
		}
		p.track.recent[b.CourierID] = append(p.track.recent[b.CourierID], *seen(15, 90.1))
		p.track.recent[b.CourierID][2].Suspect = SuspectTeleport
		if c, err = p.Commit(t.Context(), b, Plausibility{}); err != nil || c.Batch.Fixes[0].Position.Suspect != Believed {
			t.Errorf("the third at one place: got %+v, %v", c, err)
		}
	})
	t.Run("who is off duty is refused, and nobody else", func(t *testing.T) {
		t.Parallel()
		p := newHistoryParts()
		p.track.off = map[ID]bool{}
		var wait sync.WaitGroup
		for i := range 10 {
			b := batch(1)
			want := Code("")
			if i%2 == 1 {
				p.track.off[b.CourierID], want = true, CodeOffShift
			}
			wait.Go(func() {
				if _, err := p.Commit(t.Context(), b, Plausibility{}); CodeOf(err) != want {
					t.Errorf("got %v, want %q", err, want)
				}
			})
		}
		for len(p.queue) < 10 {
			pause(t.Context(), time.Millisecond)
		}
		p.direct(t)
		wait.Wait()
		if len(p.track.stored) != 5 || p.track.asked > 2 {
			t.Errorf("%d batches are stored, and it was asked %d times; want those of couriers on duty, and once a commit", len(p.track.stored), p.track.asked)
		}
	})
	t.Run("what arrives during one commit shares the next", func(t *testing.T) {
		t.Parallel()
		p := newHistoryParts()
		p.track.hold = make(chan struct{})
		var wait sync.WaitGroup
		for i := range 40 {
			b := batch(int64(i + 1))
			wait.Go(func() {
				if c, err := p.Commit(t.Context(), b, Plausibility{}); err != nil || c.Mark.CourierID != b.CourierID {
					t.Errorf("got %+v, %v", c, err)
				}
			})
		}
		for len(p.queue) < 40 {
			pause(t.Context(), time.Millisecond)
		}
		p.direct(t)
		close(p.track.hold)
		wait.Wait()
		if len(p.track.calls) > 2 {
			t.Errorf("40 requests in transactions of %v, want at most two", p.track.calls)
		}
	})
	t.Run("one that can never be stored does not hurt those it shares with", func(t *testing.T) {
		t.Parallel()
		p := newHistoryParts()
		batches := []Batch{batch(1), batch(2), batch(3)}
		p.track.poison[batches[1].CourierID] = true
		var wait sync.WaitGroup
		for i, b := range batches {
			wait.Go(func() {
				_, err := p.Commit(t.Context(), b, Plausibility{})
				if want := map[bool]Code{true: CodeInvalid}[i == 1]; CodeOf(err) != want {
					t.Errorf("batch %d: %v, want %q", i, err, want)
				}
			})
		}
		for len(p.queue) < 3 {
			pause(t.Context(), time.Millisecond)
		}
		p.direct(t)
		wait.Wait()
	})
	t.Run("a full queue is refused at once, with a time to come back", func(t *testing.T) {
		t.Parallel()
		p := newHistoryParts()
		p.History = NewHistory(p.track, p.track, p.line, p.marks, HistoryConfig{Queue: 1}, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := p.Commit(ctx, batch(1), Plausibility{}); CodeOf(err) != CodeUnavailable {
			t.Errorf("nobody serves and the caller has left: %v", err)
		}
		_, err := p.Commit(t.Context(), batch(2), Plausibility{})
		var e *Error
		if !errors.As(err, &e) || e.Code != CodeOverloaded || e.RetryAfter == 0 {
			t.Errorf("got %v", err)
		}
	})
	t.Run("whoever waits longer than they want is let go", func(t *testing.T) {
		t.Parallel()
		p := newHistoryParts()
		p.track.hold = make(chan struct{})
		defer close(p.track.hold)
		p.direct(t)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		if _, err := p.Commit(ctx, batch(1), Plausibility{}); CodeOf(err) != CodeUnavailable {
			t.Errorf("got %v", err)
		}
	})
	t.Run("the end of the loop answers those who still wait", func(t *testing.T) {
		t.Parallel()
		p := newHistoryParts()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		got := make(chan error, 1)
		go func() {
			_, err := p.Commit(context.Background(), batch(1), Plausibility{})
			got <- err
		}()
		for len(p.queue) < 1 {
			pause(t.Context(), time.Millisecond)
		}
		if err := p.RunDirect(ctx); err != nil {
			t.Error(err)
		}
		if err := <-got; err != nil && CodeOf(err) != CodeUnavailable {
			t.Errorf("got %v", err)
		}
	})
}
