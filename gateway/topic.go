package gateway

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"hotfoot/tracking"
	"hotfoot/tracking/frame"
)

const (
	tickEvery  = 5 * time.Second
	openLimit  = time.Second     // how long a reader waits for Redis to confirm a watch before it goes on without
	joinLimit  = 2 * time.Second // how long a viewer waits for the topic to open before it is shown what its link was opened with
	maxViewers = 2000            // of one delivery on one node
	// snapshotLife is how long a snapshot does for the next newcomer: it says what time it is.
	snapshotLife = time.Second
)

// viewer is one socket or stream that watches a delivery.
type viewer struct {
	outbox     *outbox
	generation uint8 // of the link it came by
	// Guarded by topic.mu.
	gone  bool // it may leave before it has entered
	place int  // among topic.viewers
}

// snapshot is an encoded one, for those who know the events up to a ver.
type snapshot struct {
	known   int64
	message *message
}

// topic is one delivery that somebody watches on this node: what they have been told, and (gate.go) the gate through which everything new comes.
type topic struct {
	hub *Hub
	id  tracking.ID
	// Guarded by the shard's mu.
	users int       // viewers and those on their way in
	left  time.Time // when the last of them went

	settled atomic.Int64 // the newest look that has ended; none before what might have been missed until the watches were confirmed was read

	// What a fix needs stands together: there is one every few milliseconds, of another topic each time, and what lies apart must be fetched apart.
	mu        sync.Mutex
	viewers   []*viewer
	closed    bool
	placed    bool // newest is known
	due       bool // it is to be shown
	promise   bool // eta was shown
	live      bool // the watches are confirmed and what they might have missed was read
	courierID tracking.ID
	aim       tracking.Aim
	ver       int64
	said      time.Time
	newest    tracking.Position
	held      *held // fixes that are not old enough to be shown; nil unless the merchant wants them to be
	eta       tracking.ETA
	// snapshots are encoded for newcomers, few at a time: a crowd that returns knows the same. Cleared by every change, and soon.
	snapshots []snapshot

	snapshotAt time.Time
	staleSince time.Time        // as the snapshots say
	looks      int64            // how many have begun
	waiting    []waiter         // for a look to end
	err        error            // there is no such delivery any more
	gaps       int              // how often a watch was lost
	record     *tracking.Record // without its events, and what else viewers are not told; what it points to is never changed
	tail       tail             // its events
	delivery   Watch
	courier    Watch // only while the courier may be shown
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
func (t *topic) isOpen() bool { return t.settled.Load() > 0 }

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

func (t *topic) exit(v *viewer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	v.gone = true
	if v.place < len(t.viewers) && t.viewers[v.place] == v {
		last := len(t.viewers) - 1
		t.viewers[v.place] = t.viewers[last]
		t.viewers[v.place].place = v.place
		t.viewers[last] = nil
		t.viewers = t.viewers[:last]
	}
}

// snapshotFor answers the encoded snapshot: encoded once for however many newcomers know the same. Called with mu held.
func (t *topic) snapshotFor(since int64) *message {
	now, stale := t.hub.now(), t.hub.config.StaleSince()
	if now.Sub(t.snapshotAt) > snapshotLife || !stale.Equal(t.staleSince) {
		t.snapshots = nil
	}
	for _, s := range t.snapshots {
		if s.known == since {
			return s.message
		}
	}
	if len(t.snapshots) == 0 {
		t.snapshotAt, t.staleSince = now, stale
	}
	t.hub.metrics.frames.WithLabelValues("snapshot").Inc()
	m := newMessage(frame.Snapshot(t.view(now, since), since, t.live, now))
	t.snapshots = append(t.snapshots, snapshot{since, m})
	return m
}

// keep keeps of a record what viewers may need. Called with mu held.
func (t *topic) keep(r tracking.Record) {
	t.tail = packTail(r.Events)
	r.Events, r.Courier.Phone = nil, ""
	r.Delivery.ExternalID, r.Delivery.Recipient, r.Delivery.Note = "", tracking.Recipient{}, ""
	t.record, t.aim, t.ver = &r, r.Aim(), r.Delivery.Ver
}

// known answers the record, without its events; nil unless everything that happens to the delivery is heard here.
func (t *topic) known() *tracking.Record {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err != nil || !t.hears() {
		return nil
	}
	return t.record
}

// recordFor is the record with the events after those that are known. Called with mu held.
func (t *topic) recordFor(known int64) *tracking.Record {
	if known >= t.ver {
		return t.record
	}
	r := *t.record
	r.Events = t.tail.after(known)
	return &r
}

// view decides what may be seen now by somebody who knows the events up to a ver. Called with mu held.
func (t *topic) view(now time.Time, known int64) tracking.View {
	v := tracking.View{Record: t.recordFor(known), Why: t.aim.Why, StaleSince: t.hub.config.StaleSince()}
	if t.expect(now); t.promise {
		eta := t.eta
		v.ETA = &eta
	}
	if t.placed {
		v.Position = t.aim.Shows(t.offered(), now, nil)
	}
	return v
}

// expect brings the promise up to date: what was promised stands until something else is known. Called with mu held.
func (t *topic) expect(now time.Time) {
	if !t.placed {
		t.promise = false
		return
	}
	eta, expected := t.aim.Estimate(t.offered(), now)
	if expected && (!t.promise || t.eta.Settles(eta, now)) {
		t.eta = eta
	}
	t.promise = expected
}
