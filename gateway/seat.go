package gateway

import (
	"context"
	"math/rand/v2"
	"time"

	"hotfoot/tracking"
)

// seat is the place of one socket or stream on a node: what the hub needs of it to ping it, to send it away and to end it.
type seat struct {
	kind   string // "customer", "stream", "ops" or "courier", for the metrics
	outbox outbox
	pings  bool   // a stream cannot answer one
	cut    func() // ends it at once

	// When the next ping is due and when it has lived long enough, Unix nanoseconds; guarded by Hub.mu.
	pingAt, until int64
}

// reserve takes a place for one more viewer, if there is one; release gives it back. The refusal is CodeOverloaded. It comes before anything that costs a
// read: whoever is refused must be refused cheaply.
func (h *Hub) reserve() *tracking.Error {
	if h.draining.Load() {
		h.metrics.refused.WithLabelValues("restarting").Inc()
		return &tracking.Error{Code: tracking.CodeOverloaded, Message: "this node is stopping; another one will take you", RetryAfter: time.Second}
	}
	if h.taken.Add(1) > int64(h.config.MaxConns) {
		h.taken.Add(-1)
		h.metrics.refused.WithLabelValues("overloaded").Inc()
		return &tracking.Error{Code: tracking.CodeOverloaded, Message: "too many viewers on this node", RetryAfter: 5*time.Second + rand.N(5*time.Second)}
	}
	return nil
}

func (h *Hub) release() { h.taken.Add(-1) }

// sit enters a seat that was reserved; rise gives it back.
func (h *Hub) sit(s *seat) {
	now := h.now()
	// The first ping comes at a random moment of the interval, so that a crowd that came together is not pinged together. Nor does it leave together.
	s.pingAt = now.Add(rand.N(h.config.timing.ping)).UnixNano()
	sixth := h.config.MaxAge / 6
	s.until = now.Add(h.config.MaxAge - sixth + rand.N(2*sixth+1)).UnixNano()
	h.mu.Lock()
	h.seats[s] = struct{}{}
	h.mu.Unlock()
	// Drain tells those it finds; who came by it at that moment is told here.
	if h.draining.Load() {
		s.outbox.end(restarting, rand.N(h.config.DrainOver))
	}
	h.metrics.conns.WithLabelValues(s.kind).Inc()
}

func (h *Hub) rise(s *seat) {
	h.mu.Lock()
	delete(h.seats, s)
	h.mu.Unlock()
	h.release()
	h.metrics.conns.WithLabelValues(s.kind).Dec()
}

// pulse does for all seats and topics what would otherwise need a timer in each.
func (h *Hub) pulse() {
	now := h.now()
	h.mu.Lock()
	for s := range h.seats {
		if s.pings && now.UnixNano() >= s.pingAt {
			s.pingAt = now.Add(h.config.timing.ping).UnixNano()
			s.outbox.pingSoon()
		}
		if now.UnixNano() >= s.until {
			s.outbox.end(restarting, rand.N(time.Second))
		}
	}
	h.mu.Unlock()
	for _, t := range h.watched() {
		t.tick(now)
	}
}

// Drain stops taking viewers and sends those there are away, each with its own moment to come back at, until all are gone or ctx ends.
func (h *Hub) Drain(ctx context.Context) {
	h.draining.Store(true)
	h.mu.Lock()
	for s := range h.seats {
		s.outbox.end(restarting, rand.N(h.config.DrainOver))
	}
	h.mu.Unlock()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		h.mu.Lock()
		left := len(h.seats)
		h.mu.Unlock()
		if left == 0 {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
