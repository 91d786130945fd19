package gateway

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"hotfoot/tracking"
)

// Desk is what a courier's socket asks of the HTTP contract, so that both speak of deliveries and positions in the same words.
type Desk interface {
	// Route lists the courier's stops in order, failed ones last. Errors: CodeUnavailable.
	Route(ctx context.Context, courier tracking.ID) ([]tracking.Record, error)
	// Deliveries encodes stops as GET /v1/courier/deliveries does: a JSON array.
	Deliveries(route []tracking.Record) []byte
	// Report takes a message with positions as POST /v1/courier/positions does, and answers its receipt. Errors: CodeMalformed (not such a message).
	Report(ctx context.Context, actor tracking.Actor, message []byte) ([]byte, error)
}

// Couriers serves couriers' apps.
type Couriers struct {
	hub    *Hub
	desk   Desk
	refuse func(http.ResponseWriter, error)
}

// NewCouriers makes the handler; refuse writes an error as the HTTP contract wants it.
func NewCouriers(hub *Hub, desk Desk, refuse func(http.ResponseWriter, error)) *Couriers {
	return &Couriers{hub: hub, desk: desk, refuse: refuse}
}

// courierSocket tells one courier of their route.
type courierSocket struct {
	hub   *Hub
	desk  Desk
	actor tracking.Actor
	conn  *conn
	// again says that the route may have changed since it was last read.
	again chan struct{}

	mu      sync.Mutex
	watch   Watch
	reading bool
	closed  bool

	// Of the one reader: what was told, nil before that, and the stops that have left the route in a way that is not known yet.
	route     []tracking.Record
	undecided []tracking.Record
}

// Live serves the WebSocket of an authenticated courier.
func (c *Couriers) Live(w http.ResponseWriter, r *http.Request, actor tracking.Actor) {
	conn := c.hub.upgrade(w, r, "courier", actor.KeyHash, c.refuse)
	if conn == nil {
		return
	}
	s := &courierSocket{hub: c.hub, desk: c.desk, actor: actor, conn: conn, again: make(chan struct{}, 1)}
	conn.receive = s.receive
	c.hub.holders.add(actor.KeyHash, &conn.seat)
	conn.gone = func() {
		c.hub.holders.remove(actor.KeyHash, &conn.seat)
		c.hub.keys.give(actor.KeyHash)
		s.close()
	}
	conn.serve(largeMessage)
	s.open()
	// Confirmed or not, the courier sees the route as it stands; a confirmation reads it again.
	s.refresh()
}

func (s *courierSocket) open() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.watch = s.hub.feed.Jobs(s.actor.CourierID, s.refresh, func(live bool) {
		if live {
			s.refresh()
		}
	})
	s.hub.mu.Lock()
	s.hub.couriers[s] = struct{}{}
	s.hub.mu.Unlock()
}

func (s *courierSocket) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	if s.watch != nil {
		s.watch.Close()
	}
	s.hub.mu.Lock()
	delete(s.hub.couriers, s)
	s.hub.mu.Unlock()
}

// isLive reports whether changes of the route are announced.
func (s *courierSocket) isLive() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.watch.Live()
}

// refresh reads the route, one reader at a time; asked for while it reads, it reads once more.
func (s *courierSocket) refresh() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	select {
	case s.again <- struct{}{}:
	default:
	}
	if !s.reading {
		s.reading = s.hub.start(s.read)
	}
}

func (s *courierSocket) read() {
	ctx := s.hub.ctx
	for s.wanted() {
		if s.readOnce(ctx) == nil {
			continue
		}
		timer := time.NewTimer(rereadAfter + rand.N(rereadAfter))
		select {
		case <-s.again:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
		s.refresh()
	}
}

// rereadAfter is the least pause after a read that failed, or that could not say what became of a stop.
const rereadAfter = time.Second

// wanted takes the wish to read; without one, whoever reads has stopped.
func (s *courierSocket) wanted() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.again:
		s.reading = !s.closed && s.hub.ctx.Err() == nil
	default:
		s.reading = false
	}
	return s.reading
}

var errUndecided = errors.New("what became of a stop is not known yet")

// readOnce reads the route and tells what has changed.
func (s *courierSocket) readOnce(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	route, err := s.readRoute(ctx)
	if err != nil {
		return err
	}
	var notices []notice
	if s.route != nil {
		notices = s.changes(ctx, route)
	}
	if s.route == nil || len(notices) > 0 || !sameRoute(s.route, route) {
		s.tell(notices, route)
	}
	s.route = route
	if len(s.undecided) > 0 {
		return errUndecided
	}
	return nil
}

func (s *courierSocket) readRoute(ctx context.Context) ([]tracking.Record, error) {
	select {
	case s.hub.routes <- struct{}{}:
		defer func() { <-s.hub.routes }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	route, err := s.desk.Route(ctx, s.actor.CourierID)
	if route == nil {
		route = []tracking.Record{}
	}
	return route, err
}

func (s *courierSocket) tell(notices []notice, route []tracking.Record) {
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
}

// receive takes what the courier's app sends up: positions.
func (s *courierSocket) receive(message []byte) error {
	ctx, cancel := context.WithTimeout(s.hub.ctx, readLimit)
	defer cancel()
	receipt, err := s.desk.Report(ctx, s.actor, message)
	if err != nil {
		return err
	}
	if !s.conn.outbox.event(newMessage(receipt), false) {
		s.conn.outbox.end(slow, time.Second)
	}
	return nil
}
