package gateway

import (
	"context"
	"sync"
	"time"

	"hotfoot/tracking"
	"hotfoot/tracking/frame"
)

const (
	tickEvery   = 5 * time.Second
	openLimit   = time.Second     // how long a reader waits for Redis to confirm a watch before it goes on without
	readLimit   = 3 * time.Second // for one read of the stores
	rereadAfter = time.Second     // after a read that failed
	maxViewers  = 2000            // of one delivery on one node
)

// viewer is one socket or stream that watches a delivery.
type viewer struct {
	outbox     *outbox
	generation uint8           // of the link it came by
	record     tracking.Record // as the link opened it
	gone       bool            // guarded by topic.mu: it may leave before it has entered
}

// topic is one delivery that somebody watches on this node: what they have been told, and the gate through which everything new comes.
type topic struct {
	hub    *Hub
	id     tracking.ID
	opened chan struct{} // closed once there is something to show, or an error

	mu      sync.Mutex
	viewers map[*viewer]struct{}
	users   int // viewers and those on their way in; at zero the topic closes
	closed  bool
	err     error
	record  tracking.Record // zero Delivery.ID until opened
	newest  *tracking.Position
	why     tracking.Why
	eta     *tracking.ETA
	live    bool // the watches are confirmed and what they might have missed was read
	said    time.Time
	// snapshots are encoded for newcomers, by the ver they know already; a crowd that returns knows the same. Cleared by every change.
	snapshots  map[int64]*message
	snapshotAt time.Time
	delivery   Watch
	courier    Watch // only while the courier may be shown
	courierID  tracking.ID
	reading    bool
	readAgain  bool
}

// join answers the topic of a delivery with a place reserved in it; leave gives the place back. The first one in opens it.
func (h *Hub) join(id tracking.ID) *topic {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.topics[id]
	if t == nil {
		t = &topic{hub: h, id: id, opened: make(chan struct{}), viewers: map[*viewer]struct{}{}, said: h.now()}
		h.topics[id] = t
		h.metrics.topics.Inc()
		h.start(t.open)
	}
	t.users++ // guarded by h.mu, as joining and closing must not cross
	return t
}

// leave gives a place back; the last one out closes the topic.
func (h *Hub) leave(t *topic) {
	h.mu.Lock()
	t.users--
	last := t.users == 0
	if last {
		h.drop(t)
	}
	h.mu.Unlock()
	if last {
		t.close()
	}
}

// forget lets the next one who comes open the delivery anew.
func (h *Hub) forget(t *topic) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.drop(t)
}

// drop takes a topic off the map, if it is still there. Called with mu held.
func (h *Hub) drop(t *topic) {
	if h.topics[t.id] == t {
		delete(h.topics, t.id)
		h.metrics.topics.Dec()
	}
}

// open subscribes, has it confirmed, and only then reads: what changes in between arrives as an announcement.
func (t *topic) open() {
	watch := t.hub.feed.Delivery(t.id, t.changed, t.confirmed)
	t.mu.Lock()
	t.delivery = watch
	closed := t.closed
	t.mu.Unlock()
	if closed {
		watch.Close()
		return
	}
	t.await(watch)
	t.refresh()
}

func (t *topic) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	for _, w := range []Watch{t.delivery, t.courier} {
		if w != nil {
			w.Close()
		}
	}
}

// enter shows a newcomer everything, and from then on what is new. since is what they know already, 0 for nothing.
//
// What was read to open their link is newer than anything they may have seen on another node. So it is taken in first: a node that has not
// heard of the last change yet must not show them an older one.
func (t *topic) enter(ctx context.Context, v *viewer, epoch, since int64) error {
	select {
	case <-t.opened:
	case <-ctx.Done():
		return tracking.Unavailable("the delivery", ctx.Err())
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err != nil {
		return t.err
	}
	if v.gone {
		return nil
	}
	t.apply(v.record)
	v.record = tracking.Record{}
	if v.generation != t.record.Delivery.LinkGen {
		v.outbox.end(revoked, 0)
		return nil
	}
	if len(t.viewers) >= maxViewers {
		return tracking.Errorf(tracking.CodeTooMany, "too many viewers of this delivery")
	}
	if epoch != t.record.Epoch || since > t.record.Delivery.Ver {
		since = 0 // they know another history
	}
	t.viewers[v] = struct{}{}
	v.outbox.event(t.snapshotFor(since), false)
	if t.record.Delivery.Status.Final() {
		v.outbox.end(finished, 0)
	}
	return nil
}

func (t *topic) exit(v *viewer) {
	t.mu.Lock()
	v.gone = true
	delete(t.viewers, v)
	t.mu.Unlock()
}

// snapshotFor answers the encoded snapshot: encoded once for however many newcomers know the same. Called with mu held.
func (t *topic) snapshotFor(since int64) *message {
	now := t.hub.now()
	if len(t.snapshots) == 0 || now.Sub(t.snapshotAt) > time.Second {
		t.snapshots, t.snapshotAt = map[int64]*message{}, now
	}
	m := t.snapshots[since]
	if m == nil {
		t.hub.metrics.frames.WithLabelValues("snapshot").Inc()
		m = newMessage(frame.Snapshot(t.view(now), since, t.live, now))
		t.snapshots[since] = m
	}
	return m
}

// view decides what may be seen now. Called with mu held.
func (t *topic) view(now time.Time) tracking.View {
	v := tracking.See(t.record, t.newest, now)
	if v.ETA != nil && t.eta != nil && !t.eta.Settles(*v.ETA, now) {
		v.ETA = t.eta
	}
	t.eta = v.ETA
	return v
}

// changed is called by the feed with an announced record.
func (t *topic) changed(r tracking.Record) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.apply(r)
}

// apply takes a newer record in and tells viewers what it changes. Called with mu held.
func (t *topic) apply(r tracking.Record) {
	if t.closed || !r.NewerThan(t.record) {
		return
	}
	old := t.record
	t.record, t.snapshots = r, nil
	if r.Delivery.CourierID != old.Delivery.CourierID {
		t.newest, t.eta = nil, nil
	}
	first := old.Delivery.ID.IsZero()
	why := tracking.Visibility(r.Delivery, r.Courier.OnDuty, r.Merchant.VisibleStops)
	shownBefore := t.why
	t.why = why
	if why != tracking.Shown {
		t.newest = nil
	}
	t.watchCourier()
	if first {
		return // opened tells, once the courier is known too
	}
	t.revoke()
	now := t.hub.now()
	events := r.EventsAfter(old.Delivery.Ver)
	if r.Epoch != old.Epoch || len(events) > 0 && events[0].Ver != old.Delivery.Ver+1 {
		// Another history, or more missed than a record carries.
		t.tell(newMessage(frame.Snapshot(t.view(now), 0, t.live, now)), "snapshot", why != tracking.Shown)
	} else {
		for _, e := range events {
			t.tell(newMessage(frame.Status(r.Epoch, e)), "status", why != tracking.Shown)
		}
		if why != shownBefore || viewDiffers(old, r) {
			t.tell(newMessage(frame.Changed(t.view(now))), "view", why != tracking.Shown)
		}
	}
	if r.Delivery.Status.Final() {
		for v := range t.viewers {
			v.outbox.end(finished, 0)
		}
	}
}

// viewDiffers reports whether something that a view frame carries has changed, beside visibility.
func viewDiffers(old, r tracking.Record) bool {
	a, b := old.Delivery, r.Delivery
	return a.StopsBefore != b.StopsBefore || a.Status.OnRoute() != b.Status.OnRoute() || a.CourierID != b.CourierID ||
		a.Status.Underway() != b.Status.Underway() || old.Courier.Name != r.Courier.Name || old.Courier.Vehicle != r.Courier.Vehicle || a.Window != b.Window
}

// tell gives every viewer one frame that must arrive. Called with mu held.
func (t *topic) tell(m *message, kind string, hide bool) {
	t.hub.metrics.frames.WithLabelValues(kind).Inc()
	t.said = t.hub.now()
	for v := range t.viewers {
		if !v.outbox.event(m, hide) {
			v.outbox.end(slow, time.Second)
		}
	}
}

// revoke sends away whoever came by a link that does not open any more. Called with mu held.
func (t *topic) revoke() {
	for v := range t.viewers {
		if v.generation != t.record.Delivery.LinkGen {
			v.outbox.end(revoked, 0)
		}
	}
}

// watchCourier listens to the courier's positions exactly while they may be shown: a node does not even receive the others. Called with mu held.
func (t *topic) watchCourier() {
	wanted := tracking.ID{}
	if t.why == tracking.Shown {
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
		t.courier = t.hub.feed.Courier(wanted, func(p tracking.Position) { t.moved(wanted, p) }, t.confirmed)
		if t.courier.Live() {
			// Another delivery of the courier is watched here, so no confirmation will follow; but where they are is not known yet.
			t.reread()
		}
	}
}

// moved is called by the feed with a courier's newest position.
func (t *topic) moved(courier tracking.ID, p tracking.Position) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.courierID == courier {
		t.place(p)
	}
}

// place takes a newer position in and shows it to whom it may be shown. Called with mu held.
func (t *topic) place(p tracking.Position) {
	if t.closed || t.newest != nil && !p.RecordedAt.After(t.newest.RecordedAt) {
		return
	}
	promised := t.eta != nil
	t.newest, t.snapshots = &p, nil
	if len(t.viewers) == 0 {
		return
	}
	now := t.hub.now()
	v := t.view(now)
	if v.Position == nil {
		if !promised && v.ETA != nil {
			t.tell(newMessage(frame.Changed(v)), "view", true)
		}
		return
	}
	t.said = now
	t.hub.metrics.frames.WithLabelValues("position").Inc()
	m := newMessage(frame.AppendPosition(make([]byte, 0, 360), p, t.record.Delivery.Ver, v.ETA))
	for v := range t.viewers {
		if v.outbox.newest(m) {
			t.hub.metrics.conflated.Inc()
		}
	}
}

// confirmed is called by the feed when a watch was confirmed, so that something may have been missed before, or is not live any more.
func (t *topic) confirmed(live bool) {
	if live {
		t.refresh()
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.setLive(false)
}

// setLive says it when it changes. Called with mu held.
func (t *topic) setLive(live bool) {
	if t.live == live {
		return
	}
	t.live, t.snapshots = live, nil
	t.tell(newMessage(frame.Tick(t.record.Delivery.Ver, live, t.hub.now())), "tick", false)
}

// tick says that nothing happened, when nothing did.
func (t *topic) tick(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.viewers) > 0 && now.Sub(t.said) >= tickEvery {
		t.tell(newMessage(frame.Tick(t.record.Delivery.Ver, t.live, now)), "tick", false)
	}
}

func (t *topic) rev() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.record.Delivery.Rev
}
