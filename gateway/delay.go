package gateway

import (
	"time"

	"hotfoot/tracking"
)

// maxHeld bounds the fixes that wait for one delivery's viewers: 8 kB, and with the longest delay one for each five seconds.
const maxHeld = 64

// held are a courier's fixes that customers may not see yet, since their merchant wants them to be some time old. A topic has one exactly while that is so:
// whoever is shown everything at once pays nothing for it.
type held struct {
	delay   time.Duration
	waiting []tracking.Position // ascending in time
	due     tracking.Position   // the newest that was old enough; the zero one until there is any
}

// add takes a newer fix in. Of fixes that follow each other faster than there is room for the last one stands for all.
func (h *held) add(p tracking.Position) {
	if n := len(h.waiting); n > 1 && h.waiting[n-1].RecordedAt.Sub(h.waiting[n-2].RecordedAt) < h.delay/maxHeld || n == maxHeld {
		h.waiting[n-1] = p
		return
	}
	h.waiting = append(h.waiting, p)
}

// release makes the newest fix that is old enough the one that is due, and answers whether that is another one than before.
func (h *held) release(now time.Time) bool {
	old := 0
	for old < len(h.waiting) && now.Sub(h.waiting[old].RecordedAt) >= h.delay {
		old++
	}
	if old == 0 {
		return false
	}
	h.due = h.waiting[old-1]
	h.waiting = h.waiting[:copy(h.waiting, h.waiting[old:])]
	return true
}

// hold begins or ends holding fixes back, as the record wants it, or begins anew under another delay. What is known already waits like any other, so that
// nothing is shown sooner than it may be. Called with mu held.
func (t *topic) hold() {
	switch delay := t.aim.Delay; {
	case delay == 0:
		t.held = nil
	case t.held == nil || t.held.delay != delay:
		t.held = &held{delay: delay}
		if t.placed {
			t.held.add(t.newest)
			t.held.release(t.hub.now())
		}
	}
}

// offered is the fix that is next to be decided about: the newest, or where fixes are held back the newest that is old enough. With none that is, the newest
// must do for a guess of the arrival. Called with mu held, of a topic that is placed.
func (t *topic) offered() *tracking.Position {
	if t.held != nil && !t.held.due.RecordedAt.IsZero() {
		return &t.held.due
	}
	return &t.newest
}

// lose forgets where the courier is, and what of it waits. Called with mu held.
func (t *topic) lose() {
	t.placed, t.due, t.promise, t.held = false, false, false, nil
}
