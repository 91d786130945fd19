package tracking

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Run moves the backlog until ctx ends. Any number of nodes may run it.
func (h *History) Run(ctx context.Context) error {
	var second sync.WaitGroup
	defer second.Wait()
	first := h.mover(h.backlog)
	if h.config.Second != nil {
		first.large = make(chan struct{}, 1)
		second.Go(func() { h.mover(h.config.Second).help(ctx, first.large) })
	}
	for ctx.Err() == nil {
		began := time.Now()
		// What fails is logged, and tried again by the next step.
		if n, err := first.step(ctx); err == nil && n > 0 && !first.isLarge(n) {
			// It is safe where it is, and nobody waits for it: a transaction costs as much for one report as for ten.
			pause(ctx, h.config.Gather-time.Since(began))
		}
	}
	return nil
}

func (h *History) mover(backlog Backlog) *mover {
	return &mover{History: h, backlog: backlog, refused: map[string]int{}}
}

// mover moves entries of one member of the backlog's group.
type mover struct {
	*History
	backlog Backlog
	large   chan struct{} // is told by the first of two movers that its transactions are large; nil for another
	// refused counts how often the store refused an entry, by its handle, for reasons that may pass.
	refused map[string]int
	failing bool
}

// help works whenever transactions are large, until they are not. It leaves nothing in its hands: what could not be stored is tried again first.
func (m *mover) help(ctx context.Context, large <-chan struct{}) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-large:
		}
		for ctx.Err() == nil {
			if n, err := m.step(ctx); err == nil && !m.isLarge(n) {
				break
			}
		}
	}
}

// isLarge reports whether so many entries were about all that one transaction takes, so that there are more.
func (m *mover) isLarge(entries int) bool { return entries > m.config.BatchEntries/2 }

// step runs once, and rests after a failure.
func (m *mover) step(ctx context.Context) (entries int, err error) {
	entries, err = m.runOnce(ctx)
	if err != nil && ctx.Err() == nil {
		if !m.failing {
			m.log.Warn("moving positions to Postgres failed; they wait in the backlog", "error", err)
		}
		pause(ctx, m.config.Retry)
	}
	m.failing = err != nil
	return entries, err
}

// storeLimit bounds one transaction, so that a connection that has gone silent does not hold up the line until the kernel gives it up.
const storeLimit = 10 * time.Second

// runOnce stores what one Read brings, and answers how much that was.
func (m *mover) runOnce(ctx context.Context) (entries int, err error) {
	read, err := m.backlog.Read(ctx, m.config.BatchEntries)
	if err != nil || len(read) == 0 {
		return 0, err
	}
	if m.large != nil && m.isLarge(len(read)) {
		select {
		case m.large <- struct{}{}:
		default:
		}
	}
	return len(read), m.take(ctx, read)
}

func (m *mover) take(ctx context.Context, entries []Entry) error {
	readable := entries[:0:0]
	for _, e := range entries {
		if e.Unreadable == nil {
			readable = append(readable, e)
		} else if err := m.bury(ctx, e, e.Unreadable); err != nil {
			return err
		}
	}
	if len(readable) == 0 {
		return nil
	}
	return m.move(ctx, readable)
}

// move stores entries in one transaction. When one of them cannot be stored the rest must not wait for it: halves are tried until it stands
// alone, and then it is buried.
func (m *mover) move(ctx context.Context, entries []Entry) error {
	batches := make([]Batch, len(entries))
	points := 0
	for i, e := range entries {
		batches[i] = e.Batch
		points += len(e.Batch.Fixes)
	}
	began := time.Now()
	storing, cancel := context.WithTimeout(ctx, storeLimit)
	marks, err := m.track.Store(storing, batches)
	cancel()
	switch {
	case err == nil:
	case CodeOf(err) == CodeUnavailable || ctx.Err() != nil:
		return err
	case len(entries) == 1:
		return m.refuse(ctx, entries[0], err)
	default:
		half := len(entries) / 2
		return errors.Join(m.move(ctx, entries[:half]), m.move(ctx, entries[half:]))
	}
	m.config.OnStored(points, time.Since(began))
	if err := m.backlog.Ack(ctx, entries); err != nil {
		return err
	}
	clear(m.refused)
	return m.marker.MarkDurable(ctx, newestMarks(marks))
}

// maxRefusals is how often an entry is tried that the store refuses for a reason that we do not know.
const maxRefusals = 3

// refuse buries an entry that breaks a rule at once, and any other when it has been refused too often: a fault that passes must cost nobody
// their track, and one that does not must not hold up the line.
func (m *mover) refuse(ctx context.Context, entry Entry, reason error) error {
	m.refused[entry.Handle]++
	if CodeOf(reason) != CodeInvalid && m.refused[entry.Handle] < maxRefusals {
		return reason
	}
	return m.bury(ctx, entry, reason)
}

func (m *mover) bury(ctx context.Context, entry Entry, reason error) error {
	letter := DeadLetter{
		ID: NewID(), Entry: entry.Handle, Payload: entry.Payload, Batch: entry.Batch, Reason: reason.Error(), BuriedAt: time.Now(),
	}
	burying, cancel := context.WithTimeout(ctx, storeLimit)
	defer cancel()
	mark, err := m.track.Bury(burying, letter)
	if err != nil {
		return err
	}
	delete(m.refused, entry.Handle)
	m.config.OnBuried()
	m.log.Error("a batch of positions cannot be stored and was put aside; see hotfoot deadletters", "entry", entry.Handle, "courier", entry.Batch.CourierID, "reason", reason)
	if err := m.backlog.Ack(ctx, []Entry{entry}); err != nil {
		return err
	}
	return m.marker.MarkDurable(ctx, newestMarks([]Mark{mark}))
}

// newestMarks keeps one mark a session, the highest.
func newestMarks(marks []Mark) []Mark {
	type session struct {
		courier ID
		name    string
	}
	at := make(map[session]int, len(marks))
	kept := marks[:0]
	for _, mark := range marks {
		if mark.DurableSeq == 0 {
			continue
		}
		key := session{mark.CourierID, mark.Session}
		if i, ok := at[key]; ok {
			kept[i].DurableSeq = max(kept[i].DurableSeq, mark.DurableSeq)
			continue
		}
		at[key] = len(kept)
		kept = append(kept, mark)
	}
	return kept
}
