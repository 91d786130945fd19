package gateway

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"hotfoot/tracking"
	"hotfoot/tracking/frame"
)

const (
	maxInFrame   = 1500 // couriers in one frame; the rest come with the next
	clusterZoom  = 11.0 // below it a crowd is shown as clusters
	clusterCrowd = 300  // couriers in view from which it counts as a crowd
	clusterGrid  = 4.0  // cells across a tile of 256 pixels
	maxWaiting   = 8    // frames a slow map may have waiting before new ones are held back
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
}

// window is what a map shows.
type window struct {
	west, south, east, north float64
	zoom                     float64
	couriers                 map[tracking.ID]bool
	query                    string
	set                      bool
}

type viewMessage struct {
	Type   string     `json:"type"`
	BBox   [4]float64 `json:"bbox"`
	Zoom   float64    `json:"zoom"`
	Filter struct {
		CourierIDs []tracking.ID `json:"courier_ids"`
		Query      string        `json:"q"`
	} `json:"filter"`
}

type opsEvent struct {
	DeliveryID string     `json:"delivery_id"`
	CourierID  *string    `json:"courier_id"`
	Ver        int64      `json:"ver"`
	Status     string     `json:"status"`
	At         frame.Time `json:"at"`
}

type alert struct {
	Kind       string     `json:"kind"`
	CourierID  *string    `json:"courier_id"`
	DeliveryID *string    `json:"delivery_id"`
	Since      frame.Time `json:"since"`
	Over       bool       `json:"over,omitempty"`
}

type cluster struct {
	ID    string  `json:"id"`
	Lat   float64 `json:"lat"`
	Lon   float64 `json:"lon"`
	Count int     `json:"count"`
}

type opsFrame struct {
	Type     string            `json:"type"`
	N        int64             `json:"n"`
	At       frame.Time        `json:"at"`
	Full     bool              `json:"full,omitempty"`
	Couriers []json.RawMessage `json:"couriers"`
	Gone     []tracking.ID     `json:"gone"`
	Clusters *[]cluster        `json:"clusters,omitempty"`
	Events   []opsEvent        `json:"events"`
	Alerts   []alert           `json:"alerts"`
	Stats    stats             `json:"stats"`
}

// Live serves the WebSocket of an authenticated dispatcher.
func (o *Ops) Live(w http.ResponseWriter, r *http.Request, actor tracking.Actor) {
	conn := o.hub.upgrade(w, r, "ops")
	if conn == nil {
		return
	}
	f := o.hub.joinFleet(actor.MerchantID, o.staff)
	s := &opsSocket{fleet: f, conn: conn, full: true, shown: map[tracking.ID]bool{}, pending: map[tracking.ID]*unit{}, stale: map[tracking.ID]bool{}}
	conn.receive = s.receive
	conn.gone = func() {
		f.mu.Lock()
		delete(f.views, s)
		f.mu.Unlock()
		o.hub.leaveFleet(f)
	}
	conn.serve(smallMessage * 4)
	select {
	case <-f.opened:
	case <-o.hub.ctx.Done():
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if !conn.ended.Load() {
		f.views[s] = struct{}{}
	}
}

// receive takes the map's new window.
func (s *opsSocket) receive(message []byte) error {
	var m viewMessage
	if err := json.Unmarshal(message, &m); err != nil || m.Type != "view" {
		return tracking.Errorf(tracking.CodeMalformed, "not a message of this protocol")
	}
	w := window{west: m.BBox[0], south: m.BBox[1], east: m.BBox[2], north: m.BBox[3], zoom: m.Zoom, query: strings.ToLower(m.Filter.Query), set: true}
	if !(w.south <= w.north && w.south >= -90 && w.north <= 90 && w.west >= -540 && w.east <= 540 && w.zoom >= 0 && w.zoom <= 30) {
		return tracking.Errorf(tracking.CodeInvalid, "not a window")
	}
	if len(m.Filter.CourierIDs) > 0 {
		w.couriers = map[tracking.ID]bool{}
		for _, id := range m.Filter.CourierIDs {
			w.couriers[id] = true
		}
	}
	s.fleet.mu.Lock()
	defer s.fleet.mu.Unlock()
	s.window, s.full = w, true
	return nil
}

// holds reports whether a courier is in the window. A window may cross the antimeridian, written as west > east or as degrees beyond 180.
func (w window) holds(u *unit) bool {
	if u.newest == nil || w.couriers != nil && !w.couriers[u.courier.ID] {
		return false
	}
	if w.query != "" && !strings.Contains(strings.ToLower(u.courier.Name), w.query) {
		return false
	}
	if u.newest.Lat < w.south || u.newest.Lat > w.north {
		return false
	}
	for _, lon := range [3]float64{u.newest.Lon, u.newest.Lon + 360, u.newest.Lon - 360} {
		if w.west <= w.east && lon >= w.west && lon <= w.east {
			return true
		}
	}
	return w.west > w.east && (u.newest.Lon >= w.west || u.newest.Lon <= w.east)
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

func idOrNull(id tracking.ID) *string {
	if id.IsZero() {
		return nil
	}
	text := id.String()
	return &text
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

// next sends what has changed in the window since the last frame. A map that is slow to take frames gets fewer, and each says all that changed.
func (s *opsSocket) next(now time.Time, second bool) {
	if !s.window.set || s.conn.outbox.waiting() >= maxWaiting {
		return
	}
	out := opsFrame{Type: "frame", At: frame.Time(now), Couriers: []json.RawMessage{}, Gone: []tracking.ID{}, Events: s.events, Alerts: s.alerts, Stats: s.fleet.stats}
	inView := 0
	if s.full || s.window.zoom < clusterZoom {
		for _, u := range s.fleet.units {
			if s.window.holds(u) {
				inView++
			}
		}
	}
	crowd := s.window.zoom < clusterZoom && inView > clusterCrowd
	// From clusters to couriers or back the map starts over: neither says what the other needs to know.
	s.full = s.full || crowd != s.crowded
	s.crowded = crowd
	if crowd {
		if !s.full && !second {
			return
		}
		clusters := s.clusters()
		out.Clusters, out.Full = &clusters, s.full
		clear(s.shown)
		clear(s.pending)
	} else {
		if s.full {
			s.startOver(&out)
		}
		out.Couriers, out.Gone = s.couriers(), s.left
	}
	if out.Gone == nil {
		out.Gone = []tracking.ID{}
	}
	if s.full {
		out.Full = true
		out.Alerts = s.fleet.standing()
	}
	if !s.full && len(out.Couriers) == 0 && len(out.Gone) == 0 && len(out.Events) == 0 && len(out.Alerts) == 0 && out.Clusters == nil && out.Stats == s.stats {
		return
	}
	if out.Events == nil {
		out.Events = []opsEvent{}
	}
	if out.Alerts == nil {
		out.Alerts = []alert{}
	}
	s.n++
	out.N, s.stats = s.n, out.Stats
	s.full, s.left, s.events, s.alerts = false, nil, nil, nil
	text, err := json.Marshal(out)
	if err != nil {
		s.conn.hub.log.Error("encoding a frame", "error", err)
		return
	}
	s.conn.hub.metrics.frames.WithLabelValues("frame").Inc()
	if !s.conn.outbox.event(newMessage(text), false) {
		s.conn.outbox.end(slow, time.Second)
	}
}

// startOver has the whole window sent again.
func (s *opsSocket) startOver(out *opsFrame) {
	clear(s.shown)
	clear(s.pending)
	s.left = nil
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

func encodeUnit(u *unit, describe bool) []byte {
	b := append(make([]byte, 0, 320), `{"id":"`...)
	b = append(b, u.courier.ID.String()...)
	b = append(b, `",`...)
	fix := frame.PositionObject(*u.newest)
	b = append(b, fix[1:len(fix)-1]...)
	if describe {
		name, _ := json.Marshal(u.courier.Name)
		b = fmt.Appendf(b, `,"name":%s,"vehicle":%q,"stops":%d`, name, u.courier.Vehicle, u.stops)
	}
	return append(b, '}')
}

// clusters counts couriers by the cell of a grid that is fixed to the world, so that a cluster keeps its id while the map moves.
func (s *opsSocket) clusters() []cluster {
	cells := math.Exp2(math.Floor(s.window.zoom)) * clusterGrid
	type sum struct {
		lat, lon float64
		count    int
	}
	sums := map[[2]int]*sum{}
	for _, u := range s.fleet.units {
		if !s.window.holds(u) {
			continue
		}
		cell := [2]int{int(math.Floor((u.newest.Lon + 180) / 360 * cells)), int(math.Floor((u.newest.Lat + 90) / 360 * cells))}
		c := sums[cell]
		if c == nil {
			c = &sum{}
			sums[cell] = c
		}
		c.lat += u.newest.Lat
		c.lon += u.newest.Lon
		c.count++
	}
	out := make([]cluster, 0, len(sums))
	for cell, c := range sums {
		out = append(out, cluster{
			ID: fmt.Sprintf("%d/%d/%d", int(s.window.zoom), cell[0], cell[1]), Count: c.count,
			Lat: math.Round(c.lat/float64(c.count)*1e5) / 1e5, Lon: math.Round(c.lon/float64(c.count)*1e5) / 1e5,
		})
	}
	slices.SortFunc(out, func(a, b cluster) int { return cmp.Compare(a.ID, b.ID) })
	return out
}
