package gateway

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"sync/atomic"
	"time"

	"hotfoot/tracking"
)

// seat is the place of one socket or stream on a node: what the hub needs of it to ping it, to send it away and to end it.
type seat struct {
	kind    string // "customer", "stream", "ops" or "courier", for the metrics
	outbox  outbox
	pings   bool         // a stream cannot answer one
	silent  atomic.Bool  // it was cut off for having answered none
	from    netip.Prefix // whose place it takes among addresses
	heardAt atomic.Int64 // when the peer last gave a sign of life, by Hub.uptime, nanoseconds

	// Guarded by the spoke's mu.
	spoke *spoke
	place int   // among its seats
	until int64 // when it has lived long enough, Unix nanoseconds
}

// reserve takes a place for one more viewer from an address, if there is one; release gives it back. The refusal is CodeOverloaded, or CodeTooMany for that
// address alone. It comes before anything that costs a read: whoever is refused must be refused cheaply.
func (h *Hub) reserve(from netip.Prefix) *tracking.Error {
	if h.draining.Load() {
		h.metrics.refused.WithLabelValues("restarting").Inc()
		return &tracking.Error{Code: tracking.CodeOverloaded, Message: "this node is stopping; another one will take you", RetryAfter: time.Second}
	}
	if h.taken.Add(1) > int64(h.config.MaxConns) {
		h.taken.Add(-1)
		h.metrics.refused.WithLabelValues("overloaded").Inc()
		return &tracking.Error{Code: tracking.CodeOverloaded, Message: "too many viewers on this node", RetryAfter: 5*time.Second + rand.N(5*time.Second)}
	}
	if from.IsValid() && !h.addresses.take(from, h.config.MaxPerAddress) {
		h.taken.Add(-1)
		return h.tooMany("address", "from this address")
	}
	return nil
}

func (h *Hub) release(from netip.Prefix) {
	h.taken.Add(-1)
	if from.IsValid() {
		h.addresses.give(from)
	}
}

// admit is reserve for a viewer, whose way in takes reading; opened ends that way, however it ended.
func (h *Hub) admit(from netip.Prefix) *tracking.Error {
	if h.opening.Add(1) > int64(h.config.MaxOpening) {
		h.opening.Add(-1)
		h.metrics.refused.WithLabelValues("crowded").Inc()
		return &tracking.Error{Code: tracking.CodeOverloaded, Message: "too many viewers come at once; try again shortly", RetryAfter: time.Second + rand.N(4*time.Second)}
	}
	refusal := h.reserve(from)
	if refusal != nil {
		h.opened()
	}
	return refusal
}

func (h *Hub) opened() { h.opening.Add(-1) }

// sit enters a seat that was reserved; rise gives it back.
func (h *Hub) sit(s *seat) {
	s.heardAt.Store(int64(h.uptime()))
	sixth := h.config.MaxAge / 6
	s.until = h.now().Add(h.config.MaxAge - sixth + rand.N(2*sixth+1)).UnixNano()
	h.seats.add(s)
	h.crowd.came.Add(1)
	// Drain tells those it finds; who came by it at that moment is told here.
	if h.draining.Load() {
		s.outbox.end(restarting, rand.N(h.config.DrainOver))
	}
	h.metrics.conns.WithLabelValues(s.kind).Inc()
}

func (h *Hub) rise(s *seat) {
	h.seats.remove(s)
	h.release(s.from)
	h.metrics.conns.WithLabelValues(s.kind).Dec()
}

// pulse does for all seats what would otherwise need a timer in each.
func (h *Hub) pulse() {
	now := h.now()
	h.seats.turn(now, h.config.timing.ping, func(s *seat, until int64) {
		switch {
		case now.UnixNano() >= until:
			s.outbox.end(restarting, rand.N(time.Second))
		case !s.pings:
		case h.uptime()-time.Duration(s.heardAt.Load()) > h.config.timing.silence:
			// Whatever TCP believes, the peer is gone.
			if s.silent.CompareAndSwap(false, true) {
				h.metrics.closed.WithLabelValues(s.kind, "silent").Inc()
			}
			s.outbox.pipe.cut()
		default:
			s.outbox.pingSoon()
		}
	})
}

// Drain stops taking viewers and sends those there are away, each with its own moment to come back at, until all are gone or ctx ends.
func (h *Hub) Drain(ctx context.Context) {
	h.draining.Store(true)
	h.seats.each(func(s *seat) { s.outbox.end(restarting, rand.N(h.config.DrainOver)) })
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for h.seats.count.Load() > 0 {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
