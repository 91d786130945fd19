package gateway

import (
	"context"
	"slices"
	"time"

	"hotfoot/tracking"
)

// poll has read what is not live: nothing is announced of it, or nobody knows whether all of it was heard. Viewers see what changes all the same,
// a little later; and what could not be read before is tried again. One that is still being read is not asked for twice.
func (h *Hub) poll() {
	var behind []*topic
	for _, t := range h.watched() {
		if t.isOpen() && !t.isLive() {
			behind = append(behind, t)
		}
	}
	h.metrics.behind.Set(float64(len(behind)))
	if !h.behind.busy() {
		h.behind.add(behind...)
	}
}

// isLive reports whether announcements can be relied on.
func (t *topic) isLive() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.hears()
}

// hears is isLive for whoever holds mu.
func (t *topic) hears() bool {
	return t.live && t.delivery.Live() && (t.courier == nil || t.courier.Live())
}

// check compares what is shown live with the revisions that are kept, and has read what differs: an announcement may be lost on its way although
// nothing broke. Couriers whose watch is away read their route anew.
func (h *Hub) check(ctx context.Context) {
	for topics := range slices.Chunk(h.watched(), roundSize) {
		h.compare(ctx, topics)
	}
	for _, s := range h.courierSockets() {
		if !s.isLive() {
			s.refresh()
		}
	}
}

func (h *Hub) compare(ctx context.Context, topics []*topic) {
	ids := make([]tracking.ID, len(topics))
	for i, t := range topics {
		ids[i] = t.id
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	revs, err := h.records.Revs(ctx, ids)
	if err != nil {
		return // announcements are still heard, and the next check is near
	}
	for i, t := range topics {
		if t.isOpen() && t.revision() != revs[i] {
			h.behind.add(t)
		}
	}
}

// Rewritten has everything that is watched read anew: history was rewritten, and what was shown may never have happened.
func (h *Hub) Rewritten() {
	for _, t := range h.watched() {
		if t.isOpen() {
			h.behind.add(t)
		}
	}
	for _, s := range h.courierSockets() {
		s.refresh()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, f := range h.fleets {
		f.doubt()
	}
}

func (t *topic) revision() tracking.Revision {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.record.Revision()
}

func (h *Hub) courierSockets() []*courierSocket {
	h.mu.Lock()
	defer h.mu.Unlock()
	sockets := make([]*courierSocket, 0, len(h.couriers))
	for s := range h.couriers {
		sockets = append(sockets, s)
	}
	return sockets
}
