package gateway

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"sync"
	"time"

	"hotfoot/tracking"
	"hotfoot/tracking/frame"
)

// Desk is what a courier's socket asks of the HTTP contract, so that both speak of deliveries and positions in the same words.
type Desk interface {
	// Route lists the courier's stops in order, failed ones last. Errors: CodeUnavailable.
	Route(ctx context.Context, courier tracking.ID) ([]tracking.Record, error)
	// Deliveries encodes stops as GET /v1/courier/deliveries does: a JSON array.
	Deliveries(route []tracking.Record) []byte
	// Report takes positions as POST /v1/courier/positions does, and answers its JSON object, or a problem's.
	Report(ctx context.Context, actor tracking.Actor, body []byte) []byte
}

// Couriers serves couriers' apps.
type Couriers struct {
	hub  *Hub
	desk Desk
}

// NewCouriers makes the handler.
func NewCouriers(hub *Hub, desk Desk) *Couriers { return &Couriers{hub: hub, desk: desk} }

// courierSocket tells one courier of their route.
type courierSocket struct {
	hub   *Hub
	desk  Desk
	actor tracking.Actor
	conn  *conn
	watch Watch

	mu        sync.Mutex
	route     []tracking.Record
	told      bool // the first route was sent
	reading   bool
	readAgain bool
	closed    bool
}

// Live serves the WebSocket of an authenticated courier.
func (c *Couriers) Live(w http.ResponseWriter, r *http.Request, actor tracking.Actor) {
	conn := c.hub.upgrade(w, r, "courier")
	if conn == nil {
		return
	}
	s := &courierSocket{hub: c.hub, desk: c.desk, actor: actor, conn: conn}
	conn.receive = s.receive
	conn.gone = s.close
	conn.serve(largeMessage)
	watch := c.hub.feed.Jobs(actor.CourierID, s.refresh, func(live bool) {
		if live {
			s.refresh()
		}
	})
	s.mu.Lock()
	s.watch = watch
	if s.closed {
		watch.Close()
	}
	s.mu.Unlock()
	// Confirmed or not, the courier sees the route as it stands; a confirmation reads it again.
	s.refresh()
}

func (s *courierSocket) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	if s.watch != nil {
		s.watch.Close()
	}
}

// refresh reads the route, one reader at a time; asked for while it reads, it reads once more.
func (s *courierSocket) refresh() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	if s.reading {
		s.readAgain = true
		return
	}
	s.reading = true
	s.hub.start(s.read)
}

func (s *courierSocket) read() {
	for {
		err := s.readOnce()
		s.mu.Lock()
		if err == nil && !s.readAgain || s.closed || s.hub.ctx.Err() != nil {
			s.reading = false
			s.mu.Unlock()
			return
		}
		s.readAgain = false
		s.mu.Unlock()
		if err != nil {
			pause(s.hub.ctx, rereadAfter)
		}
	}
}

func (s *courierSocket) readOnce() error {
	ctx, cancel := context.WithTimeout(s.hub.ctx, readLimit)
	defer cancel()
	route, err := s.desk.Route(ctx, s.actor.CourierID)
	if err != nil {
		return err
	}
	// Only the reader changes s.route, and there is one at a time.
	s.mu.Lock()
	before, told := s.route, s.told
	s.mu.Unlock()
	var notices []notice
	if told {
		if notices, err = s.changes(ctx, before, route); err != nil {
			return err
		}
		if len(notices) == 0 && sameRoute(before, route) {
			return nil
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.route, s.told = route, true
	frames := make([][]byte, 0, len(notices)+1)
	for _, n := range notices {
		frames = append(frames, n.encode(s.hub.now()))
	}
	frames = append(frames, slices.Concat([]byte(`{"type":"route","deliveries":`), s.desk.Deliveries(route), []byte("}")))
	for _, f := range frames {
		if !s.conn.outbox.event(newMessage(f), false) {
			s.conn.outbox.end(slow, time.Second)
		}
	}
	return nil
}

func sameRoute(a, b []tracking.Record) bool {
	return slices.EqualFunc(a, b, func(x, y tracking.Record) bool {
		return x.Delivery.ID == y.Delivery.ID && x.Delivery.Rev == y.Delivery.Rev
	})
}

// notice says in a word what became of one stop.
type notice struct {
	kind     string
	delivery tracking.ID
}

func (n notice) encode(now time.Time) []byte {
	// It cannot fail: an id and a time always encode.
	b, _ := json.Marshal(struct {
		Type       string      `json:"type"`
		DeliveryID tracking.ID `json:"delivery_id"`
		At         frame.Time  `json:"at"`
	}{n.kind, n.delivery, frame.Time(now)})
	return b
}

// changes says how one route became the other. What the courier ended themselves is no news to them.
func (s *courierSocket) changes(ctx context.Context, before, after []tracking.Record) ([]notice, error) {
	var notices []notice
	var stayed, order []tracking.ID
	for _, r := range before {
		id := r.Delivery.ID
		if has(after, id) {
			stayed = append(stayed, id)
			continue
		}
		now, err := s.hub.records.Record(ctx, id)
		switch {
		case err != nil:
			return nil, err
		case now.Delivery.Status == tracking.Cancelled:
			notices = append(notices, notice{"cancelled", id})
		case now.Delivery.CourierID != s.actor.CourierID:
			notices = append(notices, notice{"unassigned", id})
		}
	}
	for _, r := range after {
		if has(before, r.Delivery.ID) {
			order = append(order, r.Delivery.ID)
		} else {
			notices = append(notices, notice{"assigned", r.Delivery.ID})
		}
	}
	if !slices.Equal(stayed, order) {
		notices = append(notices, notice{"reordered", order[0]})
	}
	return notices, nil
}

func has(route []tracking.Record, id tracking.ID) bool {
	return slices.ContainsFunc(route, func(r tracking.Record) bool { return r.Delivery.ID == id })
}

// receive takes what the courier's app sends up: positions.
func (s *courierSocket) receive(message []byte) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(message, &fields); err != nil || string(fields["type"]) != `"positions"` {
		return tracking.Errorf(tracking.CodeMalformed, "not a message of this protocol")
	}
	id := fields["id"]
	if id == nil {
		id = json.RawMessage("null")
	}
	delete(fields, "type")
	delete(fields, "id")
	body, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(s.hub.ctx, readLimit)
	defer cancel()
	answer := s.desk.Report(ctx, s.actor, body)
	receipt := slices.Concat([]byte(`{"type":"receipt","id":`), id, []byte(","), answer[1:])
	if !s.conn.outbox.event(newMessage(receipt), false) {
		s.conn.outbox.end(slow, time.Second)
	}
	return nil
}
