package gateway

import (
	"time"

	"hotfoot/tracking"
	"hotfoot/tracking/frame"
)

// changed is called with a record that was announced or read.
func (t *topic) changed(r tracking.Record) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.apply(&r)
}

// apply takes a newer record in and tells viewers what it changes. Called with mu held.
func (t *topic) apply(r *tracking.Record) {
	if t.closed || !r.NewerThan(t.record) {
		return
	}
	old, before := t.record, t.aim
	t.keep(*r)
	t.snapshots = nil
	if r.Delivery.CourierID != old.Delivery.CourierID || t.aim.Why != tracking.Shown {
		t.lose()
	}
	if before.Why != tracking.Shown {
		t.held = nil // what was known before the courier might be seen must not be shown now because it has become old
	}
	t.hold()
	t.watchCourier()
	t.revoke()
	if len(t.viewers) == 0 {
		return
	}
	now, sight := t.hub.now(), !t.aim.SameSight(&before)
	// A position that waits for a slow socket was encoded under what might be seen then.
	hide := t.aim.Why != tracking.Shown || sight
	events := r.EventsAfter(old.Delivery.Ver)
	if r.Epoch != old.Epoch || len(events) > 0 && events[0].Ver != old.Delivery.Ver+1 {
		// Another history, or more missed than a record carries. It has the position; one that waits is of the history before.
		t.tell(newMessage(frame.Snapshot(t.view(now, 0), 0, t.live, now)), "snapshot", true)
	} else {
		for _, e := range events {
			t.tell(newMessage(frame.Status(r.Epoch, e)), "status", hide)
		}
		if sight || viewDiffers(old, r) {
			t.tell(newMessage(frame.Changed(t.view(now, t.ver))), "view", hide)
		}
	}
	if r.Delivery.Status.Final() {
		for _, v := range t.viewers {
			v.outbox.end(finished, 0)
		}
	}
}

// viewDiffers reports whether something that a view frame carries has changed, beside visibility.
func viewDiffers(old, r *tracking.Record) bool {
	a, b := &old.Delivery, &r.Delivery
	return a.StopsBefore != b.StopsBefore || a.Status.OnRoute() != b.Status.OnRoute() || a.CourierID != b.CourierID ||
		a.Status.Underway() != b.Status.Underway() || old.Courier.Name != r.Courier.Name || old.Courier.Vehicle != r.Courier.Vehicle || a.Window != b.Window
}

// tell gives every viewer one frame that must arrive. Called with mu held.
func (t *topic) tell(m *message, kind string, hide bool) {
	t.hub.metrics.frames.WithLabelValues(kind).Inc()
	t.said = t.hub.now()
	for _, v := range t.viewers {
		if !v.outbox.event(m, hide) {
			v.outbox.end(slow, time.Second)
		}
	}
}

// nothing tells every viewer that nothing happened, and whether they would hear of it. Called with mu held.
func (t *topic) nothing(now time.Time) {
	t.hub.metrics.ticks.Inc()
	t.said = now
	d := borrow(func(b []byte) []byte { return frame.AppendTick(b, t.ver, t.live, now) })
	defer d.done()
	for _, v := range t.viewers {
		if !v.outbox.passing(&d) {
			v.outbox.end(slow, time.Second)
		}
	}
}

// revoke sends away whoever came by a link that does not open any more. Called with mu held.
func (t *topic) revoke() {
	for _, v := range t.viewers {
		if v.generation != t.record.Delivery.LinkGen {
			v.outbox.end(revoked, 0)
		}
	}
}

// watchCourier listens to the courier's positions exactly while they may be shown: a node does not even receive the others. Called with mu held.
func (t *topic) watchCourier() {
	wanted := tracking.ID{}
	if t.aim.Why == tracking.Shown {
		wanted = t.record.Delivery.CourierID
	}
	if wanted == t.courierID {
		return
	}
	if t.courier != nil {
		t.courier.Close()
		t.courier = nil
	}
	t.courierID = wanted
	if !wanted.IsZero() {
		t.courier = t.hub.feed.Courier(wanted, func(p tracking.Position) { t.moved(wanted, p) }, t.calm, t.confirmed)
		if t.isOpen() && t.courier.Live() {
			// Another delivery of the courier is watched here, so no confirmation will follow; but where they are is not known yet.
			t.hub.behind.add(t)
		}
	}
}

// moved is called by the feed with a courier's newest position, and calm once no more come at the same time. Taken in one after the other and then shown
// one after the other, fixes of many couriers cost less than each on its way through everything: both halves find in the processor's caches what they need.
func (t *topic) moved(courier tracking.ID, p tracking.Position) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.courierID == courier && t.place(p) {
		t.due = true
	}
}

func (t *topic) calm() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.due && !t.closed {
		t.show()
	}
}

// place takes a newer position in, and answers whether there is something to show: where the merchant wants that, not yet. Called with mu held.
func (t *topic) place(p tracking.Position) bool {
	if t.closed || t.placed && !p.RecordedAt.After(t.newest.RecordedAt) {
		return false
	}
	t.placed, t.newest = true, p
	if t.held == nil {
		return true
	}
	t.held.add(p)
	return t.held.release(t.hub.now()) || !t.promise
}

// show shows where the courier is to whom it may be shown. It runs for every fix of everybody who is watched: what can be sent at once leaves nothing
// behind. Called with mu held, of a topic that is placed.
func (t *topic) show() {
	promised := t.promise
	t.due, t.snapshots = false, nil
	if len(t.viewers) == 0 {
		return
	}
	now := t.hub.now()
	t.expect(now)
	var room tracking.Position
	shown := t.aim.Shows(t.offered(), now, &room)
	if shown == nil || !t.promise {
		if promised != t.promise {
			t.tell(newMessage(frame.Changed(t.view(now, t.ver))), "view", true)
		}
		return
	}
	t.said = now
	t.hub.metrics.positions.Inc()
	d := borrow(func(b []byte) []byte { return frame.AppendPosition(b, *shown, t.ver, &t.eta) })
	defer d.done()
	for _, v := range t.viewers {
		if v.outbox.newest(&d) {
			t.hub.metrics.conflated.Inc()
		}
	}
}

// confirmed is called by the feed when a watch was confirmed, so that something may have been missed before, or is not live any more.
func (t *topic) confirmed(live bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.closed:
	case !live:
		t.gaps++
		t.setLive(false)
	case t.isOpen():
		t.hub.behind.add(t)
	}
	// A topic that opens reads once its watches were confirmed anyway.
}

// setLive says it when it changes. Called with mu held.
func (t *topic) setLive(live bool) {
	if t.live == live {
		return
	}
	t.live, t.snapshots = live, nil
	if len(t.viewers) > 0 {
		t.nothing(t.hub.now())
	}
}

// tick says that nothing happened, when nothing did, shows what has become old enough, and lets go of what was made for newcomers.
func (t *topic) tick(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now.Sub(t.snapshotAt) > snapshotLife {
		t.snapshots = nil
	}
	if t.held != nil && t.held.release(now) {
		t.show()
	}
	if len(t.waiting) > 0 {
		t.letIn(func(w *waiter) bool { return now.Sub(w.since) >= joinLimit })
	}
	if len(t.viewers) > 0 && now.Sub(t.said) >= tickEvery {
		t.nothing(now)
	}
}
