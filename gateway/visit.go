package gateway

import (
	"context"
	"slices"
	"time"

	"hotfoot/tracking"
)

// visit is a viewer's way in.
type visit struct {
	topic  *topic
	record *tracking.Record // as the link was opened with it, perhaps without its events
	seen   tracking.Seen    // what they know already
	look   int64            // the topic's look that must have ended before they are shown anything
}

// waiter is a viewer whose look has not ended.
type waiter struct {
	visit
	viewer  *viewer
	since   time.Time
	entered func(error)
}

// enter shows a newcomer everything, and from then on what is new. It waits for that, unlike enterSoon. Errors: CodeTooMany, CodeNotFound, CodeUnavailable.
func (in visit) enter(ctx context.Context, v *viewer) error {
	entered := make(chan error, 1)
	in.enterSoon(v, func(err error) { entered <- err })
	select {
	case err := <-entered:
		return err
	case <-ctx.Done():
		return tracking.Unavailable("the delivery", ctx.Err())
	}
}

// enterSoon is enter as soon as their look has ended: they wait as an entry in a list, and nobody waits with them. entered is told once how it went, while
// the topic is locked: it must not block, and must not come back to the topic.
func (in visit) enterSoon(v *viewer, entered func(error)) {
	t := in.topic
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ends(in.look) {
		entered(t.admit(in, v))
		return
	}
	t.waiting = append(t.waiting, waiter{in, v, t.hub.now(), entered})
}

// ends reports whether there is nothing to wait for any more. Called with mu held.
func (t *topic) ends(look int64) bool { return t.settled.Load() >= look || t.err != nil }

// settles says that a look has ended. Called with mu held.
func (t *topic) settles(look int64) {
	t.settled.Store(max(look, t.settled.Load()))
	t.letIn(func(w *waiter) bool { return t.ends(w.look) })
}

// letIn has those enter who wait and of whom it is true. Called with mu held.
func (t *topic) letIn(whom func(*waiter) bool) {
	t.waiting = slices.DeleteFunc(t.waiting, func(w waiter) bool {
		is := whom(&w)
		if is {
			w.entered(t.admit(w.visit, w.viewer))
		}
		return is
	})
	if len(t.waiting) == 0 {
		t.waiting = nil
	}
}

// admit lets a viewer in. Called with mu held.
//
// What was read to open their link is newer than anything they may have seen on another node, so it is taken in first: a node that has not heard of the
// last change yet must not show them an older one. Those who come back waited for a look that began after they came, so that the same goes for the marker;
// if it has not ended, the stores are slow, and what they see now is true as far as anybody knows, and not called live.
func (t *topic) admit(in visit, v *viewer) error {
	if t.err != nil {
		return t.err
	}
	if v.gone {
		return nil
	}
	t.apply(in.record) // no newer than what is known if it came from here, without its events
	if v.generation != t.record.Delivery.LinkGen {
		v.outbox.end(revoked, 0)
		return nil
	}
	if len(t.viewers) >= maxViewers {
		return tracking.Errorf(tracking.CodeTooMany, "too many viewers of this delivery")
	}
	since := in.seen.Ver
	if in.seen.Epoch != t.record.Epoch || since > t.record.Delivery.Ver {
		since = 0 // they know another history
	}
	v.place = len(t.viewers)
	t.viewers = append(t.viewers, v)
	v.outbox.event(t.snapshotFor(since), false)
	if t.record.Delivery.Status.Final() {
		v.outbox.end(finished, 0)
	}
	return nil
}
