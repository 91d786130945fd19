package gateway

import (
	"encoding/json"
	"net/http"
	"time"

	"hotfoot/tracking"
	"hotfoot/tracking/frame"
)

const (
	maxInFrame    = 1500   // couriers in one frame; the rest come with the next
	maxUntold     = 20_000 // events and alerts that may wait for a map that takes no frames
	framesWaiting = 8      // frames a slow map may have waiting before new ones are held back
)

// Ops serves the live map.
type Ops struct {
	hub   *Hub
	staff Staff
}

// NewOps makes the handler.
func NewOps(hub *Hub, staff Staff) *Ops { return &Ops{hub: hub, staff: staff} }

// opsSocket is one dispatcher's map. Everything below conn is guarded by fleet.mu.
type opsSocket struct {
	fleet *fleet
	conn  *conn

	window  window
	full    bool                  // the next frame says everything
	crowded bool                  // the map has clusters
	shown   map[tracking.ID]bool  // couriers the map has
	pending map[tracking.ID]*unit // couriers to look at
	stale   map[tracking.ID]bool  // couriers whose name, vehicle or stops the map does not know
	left    []tracking.ID
	events  []opsEvent
	alerts  []alert
	stats   stats
	n       int64
	live    bool // as it was told
	said    time.Time
}

// Live serves the WebSocket of an authenticated dispatcher.
func (o *Ops) Live(w http.ResponseWriter, r *http.Request, actor tracking.Actor) {
	conn := o.hub.upgrade(w, r, "ops")
	if conn == nil {
		return
	}
	f := o.hub.joinFleet(actor.MerchantID, o.staff)
	s := &opsSocket{
		fleet: f, conn: conn, full: true, live: true, said: o.hub.now(),
		shown: map[tracking.ID]bool{}, pending: map[tracking.ID]*unit{}, stale: map[tracking.ID]bool{},
	}
	conn.receive = s.receive
	conn.gone = func() {
		f.mu.Lock()
		delete(f.views, s)
		f.mu.Unlock()
		o.hub.leaveFleet(f)
	}
	conn.serve(smallMessage * 4)
	f.mu.Lock()
	defer f.mu.Unlock()
	if !conn.ended.Load() {
		f.views[s] = struct{}{}
	}
}

// receive takes the map's new window.
func (s *opsSocket) receive(message []byte) error {
	w, err := parseWindow(message)
	if err != nil {
		return err
	}
	s.fleet.mu.Lock()
	defer s.fleet.mu.Unlock()
	s.window, s.full = w, true
	return nil
}

// The rest is called with fleet.mu held.

func (s *opsSocket) touch(u *unit, described bool) {
	s.pending[u.courier.ID] = u
	if described {
		s.stale[u.courier.ID] = true
	}
}

func (s *opsSocket) gone(u *unit) {
	id := u.courier.ID
	delete(s.pending, id)
	delete(s.stale, id)
	if s.shown[id] {
		delete(s.shown, id)
		s.left = append(s.left, id)
	}
}

func (s *opsSocket) event(d tracking.Delivery, e tracking.Event) {
	if !s.window.set {
		return // a map that shows nothing yet has not missed anything, and need not be kept waiting things for
	}
	s.events = append(s.events, opsEvent{
		DeliveryID: d.ID.String(), CourierID: idOrNull(d.CourierID), Ver: e.Ver, Status: string(e.Status), At: frame.Time(e.At),
	})
}

// frames makes every view's next frame; once a second it also looks for what time alone has changed.
func (f *fleet) frames(now time.Time, second bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if second {
		f.age(now)
	}
	for v := range f.views {
		v.next(now, second)
	}
}

// next sends what has changed in the window since the last frame, or a tick. A map that is slow to take frames gets fewer, and each says all that
// changed.
func (s *opsSocket) next(now time.Time, second bool) {
	if len(s.events)+len(s.alerts) > maxUntold {
		s.conn.outbox.end(slow, time.Second)
	}
	if frames, bytes := s.conn.outbox.backlog(); frames >= framesWaiting || bytes >= maxWaiting {
		return
	}
	if s.window.set && s.fleet.loaded {
		if out, news := s.compose(now, second); news {
			s.say(now, "frame", encodeFrame(out))
			return
		}
	}
	if s.fleet.live != s.live || now.Sub(s.said) >= tickEvery {
		s.say(now, "tick", frame.Tick(0, s.fleet.live, now))
	}
}

func (s *opsSocket) say(now time.Time, kind string, text []byte) {
	s.live, s.said = s.fleet.live, now
	s.conn.hub.metrics.frames.WithLabelValues(kind).Inc()
	if !s.conn.outbox.event(newMessage(text), false) {
		s.conn.outbox.end(slow, time.Second)
	}
}

// compose makes the next frame; news is false when it would say nothing new.
func (s *opsSocket) compose(now time.Time, second bool) (out opsFrame, news bool) {
	out = opsFrame{Type: "frame", At: frame.Time(now), Couriers: []json.RawMessage{}, Gone: []tracking.ID{}, Stats: s.fleet.stats}
	if !s.fleet.live {
		out.Live = new(bool)
	}
	crowd := s.window.isCrowd(s.fleet.units)
	// From clusters to couriers or back the map starts over: neither says what the other needs to know.
	s.full = s.full || crowd != s.crowded
	s.crowded = crowd
	out.Full = s.full
	if s.full {
		s.startOver(&out)
	}
	if !crowd {
		out.Couriers = s.couriers()
		out.Gone = append(out.Gone, s.left...)
	} else if s.full || second {
		clusters := s.window.clusters(s.fleet.units)
		out.Clusters = &clusters
		clear(s.pending)
	}
	s.left = nil
	out.Events, s.events = cut(s.events)
	out.Alerts, s.alerts = cut(s.alerts)
	if !s.full && len(out.Couriers) == 0 && len(out.Gone) == 0 && len(out.Events) == 0 && len(out.Alerts) == 0 && out.Clusters == nil && out.Stats == s.stats {
		return out, false
	}
	s.n++
	out.N, s.stats, s.full = s.n, out.Stats, false
	return out, true
}

// startOver has the whole window sent again.
func (s *opsSocket) startOver(out *opsFrame) {
	clear(s.shown)
	clear(s.pending)
	s.left = nil
	s.alerts = s.fleet.standing()
	for id, u := range s.fleet.units {
		s.pending[id] = u
	}
	out.Clusters = &[]cluster{}
}

// couriers encodes those who changed, at most maxInFrame; the rest stay pending.
func (s *opsSocket) couriers() []json.RawMessage {
	out := []json.RawMessage{}
	for id, u := range s.pending {
		if len(out) == maxInFrame {
			break
		}
		delete(s.pending, id)
		if !s.window.holds(u) {
			if s.shown[id] {
				delete(s.shown, id)
				s.left = append(s.left, id)
			}
			continue
		}
		describe := !s.shown[id] || s.stale[id]
		delete(s.stale, id)
		s.shown[id] = true
		out = append(out, encodeUnit(u, describe))
	}
	return out
}
