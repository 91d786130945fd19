package gateway

import (
	"bytes"
	"net/http"
	"sync/atomic"
	"time"

	"hotfoot/tracking"
	"hotfoot/tracking/frame"
)

const (
	maxInFrame    = 1500   // couriers in one frame; the rest come with the next
	maxUntold     = 20_000 // events that may wait for a map that takes no frames
	framesWaiting = 8      // frames a slow map may have waiting before new ones are held back
)

// Ops serves the live map.
type Ops struct {
	hub    *Hub
	staff  Staff
	refuse func(http.ResponseWriter, error)
}

// NewOps makes the handler; refuse writes an error as the HTTP contract wants it.
func NewOps(hub *Hub, staff Staff, refuse func(http.ResponseWriter, error)) *Ops {
	return &Ops{hub: hub, staff: staff, refuse: refuse}
}

// opsSocket is one dispatcher's map. What stands below asks is guarded by fleet.mu.
type opsSocket struct {
	fleet *fleet
	conn  *conn
	asked atomic.Pointer[[]byte] // the newest window it has asked for, until its turn comes
	asks  atomic.Bool            // it has asked for one: from then on it is owed events and alerts

	window   window
	full     bool // the next frame that there is credit for says everything
	crowded  bool // the map has clusters
	seen     seen
	purse    purse
	clusters []byte   // as it was told
	events   [][]byte // encoded
	alerts   []*alert
	waiting  int   // of the alerts, those that were looked through for what need not be told
	stats    stats // as it was told
	n        int64
	live     bool // as it was told
	said     time.Time
}

// Live serves the WebSocket of an authenticated dispatcher.
func (o *Ops) Live(w http.ResponseWriter, r *http.Request, actor tracking.Actor) {
	conn := o.hub.upgrade(w, r, "ops", actor.KeyHash, o.refuse)
	if conn == nil {
		return
	}
	f := o.hub.joinFleet(actor.MerchantID, o.staff)
	s := &opsSocket{fleet: f, conn: conn, live: true, said: o.hub.now(), purse: newPurse(o.hub.now())}
	conn.receive = s.receive
	o.hub.holders.add(actor.KeyHash, &conn.seat)
	conn.gone = func() {
		o.hub.holders.remove(actor.KeyHash, &conn.seat)
		o.hub.keys.give(actor.KeyHash)
		f.mu.Lock()
		delete(f.views, s)
		f.mu.Unlock()
		o.hub.leaveFleet(f)
	}
	conn.serve(smallMessage * 4)
	f.mu.Lock()
	defer f.mu.Unlock()
	if !conn.ended.Load() {
		s.seen.grow(len(f.slots))
		f.views[s] = struct{}{}
	}
}

// receive takes the map's new window. A map that moves asks again and again: only what it asked for last is looked at, when its turn comes, so a flood
// costs no more than reading it.
func (s *opsSocket) receive(message []byte) error {
	s.asks.Store(true)
	result := "taken"
	kept := bytes.Clone(message) // it is there during the call alone
	if s.asked.Swap(&kept) != nil {
		result = "replaced"
	}
	s.conn.hub.metrics.windows.WithLabelValues(result).Inc()
	return nil
}

// turn has a look at what the map has asked for since its last turn.
func (s *opsSocket) turn() {
	message := s.asked.Swap(nil)
	if message == nil {
		return
	}
	w, err := parseWindow(*message)
	if err != nil {
		s.conn.outbox.end(failed(err), 0)
		return
	}
	s.fleet.mu.Lock()
	defer s.fleet.mu.Unlock()
	s.window, s.full = w, true
}

// The rest is called with fleet.mu held.

// look goes through what is new, and answers how many positions took the place of one that was still owed.
func (s *opsSocket) look(all []news) (held int) {
	if !s.window.set || s.full {
		return 0 // it will be told everything
	}
	for i := range all {
		n := &all[i]
		if !s.window.holds(n.place) || s.window.filtered() && !s.window.admits(n.unit) {
			if s.seen.marks[n.unit.slot]&inside != 0 {
				s.seen.leave(n.unit)
			}
			continue
		}
		s.seen.enter(n.unit)
		if n.retold {
			s.seen.marks[n.unit.slot] &^= told
		}
		if !s.crowded && !s.seen.owe(n.unit) {
			held++
		}
	}
	return held
}

// next sends what has changed in the window since the last frame, or a tick. A map that is slow to take frames gets fewer, and each says all that
// changed.
func (s *opsSocket) next(now time.Time, second bool) {
	if len(s.events) > maxUntold {
		s.conn.outbox.end(slow, time.Second)
	}
	if len(s.alerts) != s.waiting { // also of a map that takes no frames: what waits for it has a bound
		s.alerts = s.fleet.untold(s.alerts)
		s.waiting = len(s.alerts)
	}
	if frames, bytes := s.conn.outbox.backlog(); frames >= framesWaiting || bytes >= maxWaiting {
		return
	}
	if s.window.set && s.fleet.loaded {
		if text := s.compose(now, second); text != nil {
			s.say(now, "frame", text)
			return
		}
	}
	if s.fleet.live != s.live || now.Sub(s.said) >= tickEvery {
		s.say(now, "tick", frame.AppendTick(nil, 0, s.fleet.live, now))
	}
}

func (s *opsSocket) say(now time.Time, kind string, text []byte) {
	s.live, s.said = s.fleet.live, now
	s.purse.credit -= len(text)
	s.conn.hub.metrics.frames.WithLabelValues(kind).Inc()
	if !s.conn.outbox.event(newMessage(text), false) {
		s.conn.outbox.end(slow, time.Second)
	}
}

// isCrowd reports whether there are too many couriers in the window to show each.
func (s *opsSocket) isCrowd() bool { return s.window.zoom < clusterZoom && s.seen.count > clusterCrowd }

// compose makes the next frame; nil when it would say nothing new. The text is good until the next one is composed.
func (s *opsSocket) compose(now time.Time, second bool) []byte {
	s.purse.fill(now)
	// From clusters to couriers or back the map starts over: neither says what the other needs to know.
	full := s.purse.credit > 0 && (s.full || s.isCrowd() != s.crowded)
	if full {
		s.startOver()
	}
	d := &s.fleet.draft
	d.begin(now, s.n+1, full, s.fleet.live)
	d.clusters = d.clusters[:0]
	if s.crowded && s.purse.credit > 0 && (full || second) {
		d.clusters = s.appendClusters(d.clusters, now)
	} else if full {
		d.clusters = append(d.clusters, "[]"...)
	}
	// What the map has already it is not told again, unless it starts over.
	if !full && bytes.Equal(d.clusters, s.clusters) {
		d.clusters = d.clusters[:0]
	}
	worth := full || len(d.clusters) > 0 || len(s.events) > 0 || len(s.alerts) > 0 || len(s.seen.left) > 0 || s.fleet.stats != s.stats
	if len(d.clusters) > 0 {
		s.clusters = append(s.clusters[:0], d.clusters...)
	}
	d.events, s.events = tell(d.events, s.events, func(text []byte) []byte { return text })
	d.alerts, s.alerts = tell(d.alerts, s.alerts, func(a *alert) []byte { return a.text })
	s.waiting = len(s.alerts)
	d.stats = s.fleet.stats
	couriers := s.couriers(d)
	if !worth && couriers == 0 {
		return nil
	}
	s.n++
	s.stats = d.stats
	text := d.end(s.seen.left)
	s.seen.left = nil
	return text
}

// startOver has the whole window sent again.
func (s *opsSocket) startOver() {
	s.full = false
	s.seen.startOver()
	s.alerts = s.fleet.standing()
	s.fleet.atlas.within(s.window, func(_ cell, slots *[]int32) {
		for _, slot := range *slots {
			if u := s.fleet.slots[slot]; s.window.holds(u.place) && s.window.admits(u) {
				s.seen.enter(u)
			}
		}
	})
	if s.crowded = s.isCrowd(); s.crowded {
		return
	}
	for slot, m := range s.seen.marks {
		if m&inside != 0 {
			s.seen.owe(s.fleet.slots[slot])
		}
	}
}

// couriers writes those the map is owed into a frame, who waits longest first, as far as there is credit and room; the others go on waiting.
func (s *opsSocket) couriers(d *draft) (written int) {
	for room := s.purse.credit - d.size(len(s.seen.left)); len(s.seen.line) > 0 && written < maxInFrame && d.written() < room; {
		slot, show := s.seen.next()
		if show {
			u := s.fleet.slots[slot]
			d.courier(u, s.seen.show(u))
			written++
		}
	}
	return written
}

// appendClusters writes the clusters of the window. Those of everybody are counted for all maps together; a map with a filter has its own.
func (s *opsSocket) appendClusters(b []byte, now time.Time) []byte {
	zoom := int(s.window.zoom)
	if !s.window.filtered() {
		return s.fleet.census(zoom, now).append(b, s.window)
	}
	own := newCensus(zoom)
	for slot, m := range s.seen.marks {
		if m&inside != 0 {
			own.count(s.fleet.slots[slot].place, 1)
		}
	}
	return own.append(b, s.window)
}
