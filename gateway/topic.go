package gateway

import (
	"context"
	"sync"
	"time"

	"hotfoot/tracking"
	"hotfoot/tracking/frame"
)

const (
	tickEvery  = 5 * time.Second
	openLimit  = time.Second     // how long a reader waits for Redis to confirm a watch before it goes on without
	joinLimit  = 2 * time.Second // how long a viewer waits for the topic to open before it is shown what its link was opened with
	maxViewers = 2000            // of one delivery on one node
)

// viewer is one socket or stream that watches a delivery.
type viewer struct {
	outbox     *outbox
	generation uint8              // of the link it came by
	record     tracking.Record    // as the link opened it
	newest     *tracking.Position // of its courier, when it was opened by somebody who comes back
	gone       bool               // guarded by topic.mu: it may leave before it has entered
}

// topic is one delivery that somebody watches on this node: what they have been told, and (gate.go) the gate through which everything new comes.
type topic struct {
	hub    *Hub
	id     tracking.ID
	opened chan struct{} // closed once what may have been missed before the watches were confirmed was read, or could not be

	mu      sync.Mutex
	viewers map[*viewer]struct{}
	users   int // viewers and those on their way in; at zero the topic closes
	closed  bool
	err     error // there is no such delivery any more
	record  tracking.Record
	newest  *tracking.Position
	why     tracking.Why
	eta     *tracking.ETA
	live    bool // the watches are confirmed and what they might have missed was read
	gaps    int  // how often a watch was lost
	said    time.Time
	// snapshots are encoded for newcomers, by the ver they know already; a crowd that returns knows the same. Cleared by every change.
	snapshots  map[int64]*message
	snapshotAt time.Time
	staleSince time.Time // as the snapshots say
	delivery   Watch
	courier    Watch // only while the courier may be shown
	courierID  tracking.ID
}

// join answers the topic of a delivery with a place reserved in it; leave gives the place back. The first one in opens it, with the record that
// their link was opened with.
func (h *Hub) join(r tracking.Record) *topic {
	h.mu.Lock()
	defer h.mu.Unlock()
	id := r.Delivery.ID
	t := h.topics[id]
	if t == nil {
		t = &topic{hub: h, id: id, opened: make(chan struct{}), viewers: map[*viewer]struct{}{}, said: h.now(), record: r, why: whyOf(r)}
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

// watched are all topics there are now.
func (h *Hub) watched() []*topic {
	h.mu.Lock()
	defer h.mu.Unlock()
	topics := make([]*topic, 0, len(h.topics))
	for _, t := range h.topics {
		topics = append(topics, t)
	}
	return topics
}

// open subscribes, has it confirmed, and only then has it read what may have changed since: what changes from then on is announced.
func (t *topic) open() {
	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		return
	}
	t.delivery = t.hub.feed.Delivery(t.id, t.changed, t.confirmed)
	t.watchCourier()
	watches := []Watch{t.delivery, t.courier}
	t.mu.Unlock()
	ctx, cancel := context.WithTimeout(t.hub.ctx, openLimit)
	defer cancel()
	for _, w := range watches {
		if w != nil {
			await(ctx, w)
		}
	}
	t.hub.newcomers.add(t)
}

// await waits a moment for a watch to be confirmed: what is read before may have changed unheard.
func await(ctx context.Context, w Watch) {
	select {
	case <-w.Ready():
	case <-ctx.Done():
	}
}

// isOpen reports whether newcomers can be served.
func (t *topic) isOpen() bool {
	select {
	case <-t.opened:
		return true
	default:
		return false
	}
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

// enter shows a newcomer everything, and from then on what is new. seen is what they know already. Errors: CodeTooMany, CodeNotFound,
// CodeUnavailable.
//
// What was read to open their link is newer than anything they may have seen on another node. So it is taken in first: a node that has not
// heard of the last change yet must not show them an older one. The same goes for the marker of those who come back.
func (t *topic) enter(ctx context.Context, v *viewer, seen tracking.Seen) error {
	waiting, cancel := context.WithTimeout(ctx, joinLimit)
	defer cancel()
	select {
	case <-t.opened:
	case <-waiting.Done():
		if ctx.Err() != nil {
			return tracking.Unavailable("the delivery", ctx.Err())
		}
		// The stores are slow. What they see now is true as far as anybody knows, and not called live.
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
	if v.newest != nil && v.record.Delivery.CourierID == t.record.Delivery.CourierID && t.record.Delivery.Status.Underway() {
		t.place(*v.newest)
	}
	v.record, v.newest = tracking.Record{}, nil
	if v.generation != t.record.Delivery.LinkGen {
		v.outbox.end(revoked, 0)
		return nil
	}
	if len(t.viewers) >= maxViewers {
		return tracking.Errorf(tracking.CodeTooMany, "too many viewers of this delivery")
	}
	since := seen.Ver
	if seen.Epoch != t.record.Epoch || since > t.record.Delivery.Ver {
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
	now, stale := t.hub.now(), t.hub.config.StaleSince()
	if len(t.snapshots) == 0 || now.Sub(t.snapshotAt) > time.Second || !stale.Equal(t.staleSince) {
		t.snapshots, t.snapshotAt, t.staleSince = map[int64]*message{}, now, stale
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
	v.StaleSince = t.hub.config.StaleSince()
	if v.ETA != nil && t.eta != nil && !t.eta.Settles(*v.ETA, now) {
		v.ETA = t.eta
	}
	t.eta = v.ETA
	return v
}
