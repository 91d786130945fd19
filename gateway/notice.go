package gateway

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"hotfoot/tracking"
	"hotfoot/tracking/frame"
)

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

// changes says how the route that was told became this one. A stop that is not on it any more was cancelled, taken away, or ended by the courier,
// which is no news to them: its record says which. That record is hot, so it may be older than the route, which is read from the truth; then the stop
// stays undecided until it is not.
func (s *courierSocket) changes(ctx context.Context, after []tracking.Record) []notice {
	var notices []notice
	var stayed, order []tracking.ID
	left := s.undecided
	s.undecided = nil
	for _, r := range s.route {
		if has(after, r.Delivery.ID) {
			stayed = append(stayed, r.Delivery.ID)
		} else {
			left = append(left, r)
		}
	}
	for _, r := range left {
		id := r.Delivery.ID
		if has(after, id) {
			continue // it is back
		}
		kind, known := s.fate(ctx, r)
		if !known {
			s.undecided = append(s.undecided, r)
		} else if kind != "" {
			notices = append(notices, notice{kind, id})
		}
	}
	for _, r := range after {
		if has(s.route, r.Delivery.ID) {
			order = append(order, r.Delivery.ID)
		} else {
			notices = append(notices, notice{"assigned", r.Delivery.ID})
		}
	}
	if !slices.Equal(stayed, order) {
		notices = append(notices, notice{"reordered", order[0]})
	}
	return notices
}

// fate is what became of a stop that has left the route; "" when the courier knows, and not known when the record does not say so yet.
func (s *courierSocket) fate(ctx context.Context, was tracking.Record) (kind string, known bool) {
	now, err := s.hub.records.Record(ctx, was.Delivery.ID)
	switch {
	case tracking.CodeOf(err) == tracking.CodeNotFound:
		return "cancelled", true
	case err != nil || !now.NewerThan(&was):
		return "", false
	case now.Delivery.Status == tracking.Cancelled:
		return "cancelled", true
	case now.Delivery.Status.Final():
		return "", true
	case now.Delivery.CourierID != s.actor.CourierID:
		return "unassigned", true
	}
	return "", false
}

func sameRoute(a, b []tracking.Record) bool {
	return slices.EqualFunc(a, b, func(x, y tracking.Record) bool {
		return x.Delivery.ID == y.Delivery.ID && x.Delivery.Rev == y.Delivery.Rev
	})
}

func has(route []tracking.Record, id tracking.ID) bool {
	return slices.ContainsFunc(route, func(r tracking.Record) bool { return r.Delivery.ID == id })
}
