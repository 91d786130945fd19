package trackingtest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"hotfoot/tracking"
)

var _ tracking.Ledger = (*Memory)(nil)

// Memory is a ledger in memory: one lock stands for all row locks.
type Memory struct {
	mu         sync.Mutex
	couriers   map[tracking.ID]tracking.Courier
	deliveries map[tracking.ID]tracking.Delivery
	events     map[tracking.ID][]tracking.Event
	once       map[string]made
}

type made struct {
	hash     [32]byte
	delivery tracking.ID
}

// NewMemory makes an empty ledger.
func NewMemory() *Memory {
	return &Memory{
		couriers: map[tracking.ID]tracking.Courier{}, deliveries: map[tracking.ID]tracking.Delivery{},
		events: map[tracking.ID][]tracking.Event{}, once: map[string]made{},
	}
}

// Hire adds a courier.
func (m *Memory) Hire(c tracking.Courier) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.couriers[c.ID] = c
}

// Create implements tracking.Ledger.
func (m *Memory) Create(_ context.Context, d tracking.Delivery, events []tracking.Event, once tracking.Once) (tracking.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := d.MerchantID.String() + once.Key
	if earlier, found := m.once[key]; found && once.Key != "" {
		if earlier.hash != once.Hash {
			return tracking.Record{}, tracking.Errorf(tracking.CodeIdempotencyUsed, "used before")
		}
		return m.record(earlier.delivery), nil
	}
	if !m.employs(d.MerchantID, d.CourierID) {
		return tracking.Record{}, tracking.Invalid("courier_id", "no such courier")
	}
	for _, other := range m.deliveries {
		if d.ExternalID != "" && other.MerchantID == d.MerchantID && other.ExternalID == d.ExternalID {
			return tracking.Record{}, tracking.Errorf(tracking.CodeConflict, "a delivery with this external_id exists")
		}
	}
	d.RouteOrder = m.last(d.CourierID) + 1
	m.deliveries[d.ID], m.events[d.ID] = d, slices.Clone(events)
	m.recount(d.CourierID)
	if once.Key != "" {
		m.once[key] = made{once.Hash, d.ID}
	}
	return m.record(d.ID), nil
}

// Change implements tracking.Ledger.
func (m *Memory) Change(_ context.Context, merchant, delivery, joining tracking.ID, clientEventID string, decide tracking.Decide) ([]tracking.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before, found := m.deliveries[delivery]
	if !found || before.MerchantID != merchant {
		return nil, tracking.Errorf(tracking.CodeNotFound, "no such delivery")
	}
	if !m.employs(merchant, joining) {
		return nil, tracking.Invalid("courier_id", "no such courier")
	}
	change, err := decide(before, m.prior(delivery, clientEventID))
	if err != nil {
		return nil, err
	}
	if len(change.Events) == 0 && change.Delivery == before && change.Place == nil {
		return []tracking.Record{m.record(delivery)}, nil
	}
	d := change.Delivery
	d.Rev++
	if d.CourierID != before.CourierID {
		d.RouteOrder = m.last(d.CourierID) + 1
	}
	m.deliveries[delivery] = d
	m.events[delivery] = append(m.events[delivery], change.Events...)
	if change.Place != nil {
		route := slices.DeleteFunc(m.route(d.CourierID), func(id tracking.ID) bool { return id == delivery })
		m.renumber(slices.Insert(route, min(*change.Place, len(route)), delivery))
	}
	changed := m.recount(before.CourierID)
	if d.CourierID != before.CourierID {
		changed = append(changed, m.recount(d.CourierID)...)
	}
	records := []tracking.Record{m.record(delivery)}
	for _, id := range changed {
		if id != delivery {
			records = append(records, m.record(id))
		}
	}
	return records, nil
}

// Reorder implements tracking.Ledger.
func (m *Memory) Reorder(_ context.Context, merchant, courier tracking.ID, order []tracking.ID, _ time.Time) ([]tracking.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if courier.IsZero() || !m.employs(merchant, courier) {
		return nil, tracking.Errorf(tracking.CodeNotFound, "no such courier")
	}
	route := m.route(courier)
	for i, id := range order {
		if !slices.Contains(route, id) {
			return nil, tracking.Invalid(fmt.Sprintf("delivery_ids[%d]", i), "is not an unfinished stop of this courier")
		}
	}
	rest := slices.DeleteFunc(route, func(id tracking.ID) bool { return slices.Contains(order, id) })
	m.renumber(append(slices.Clone(order), rest...))
	var records []tracking.Record
	for _, id := range m.recount(courier) {
		records = append(records, m.record(id))
	}
	return records, nil
}

func (m *Memory) employs(merchant, courier tracking.ID) bool {
	return courier.IsZero() || m.couriers[courier].MerchantID == merchant
}

func (m *Memory) prior(delivery tracking.ID, clientEventID string) *tracking.Event {
	for _, e := range m.events[delivery] {
		if clientEventID != "" && e.ClientID == clientEventID {
			return &e
		}
	}
	return nil
}

func (m *Memory) last(courier tracking.ID) (order int64) {
	for _, d := range m.deliveries {
		if d.CourierID == courier && d.FinishedAt.IsZero() {
			order = max(order, d.RouteOrder)
		}
	}
	return order
}

// route lists a courier's unfinished stops in order.
func (m *Memory) route(courier tracking.ID) (ids []tracking.ID) {
	for id, d := range m.deliveries {
		if !courier.IsZero() && d.CourierID == courier && d.Status.OnRoute() {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b tracking.ID) int {
		return cmp.Or(cmp.Compare(m.deliveries[a].RouteOrder, m.deliveries[b].RouteOrder), slices.Compare(a[:], b[:]))
	})
	return ids
}

func (m *Memory) renumber(route []tracking.ID) {
	for i, id := range route {
		d := m.deliveries[id]
		d.RouteOrder = int64(i + 1)
		m.deliveries[id] = d
	}
}

// recount counts stops before each of a courier's again, and answers those for which it changed.
func (m *Memory) recount(courier tracking.ID) (changed []tracking.ID) {
	for i, id := range m.route(courier) {
		if d := m.deliveries[id]; d.StopsBefore != i {
			d.StopsBefore = i
			d.Rev++
			m.deliveries[id] = d
			changed = append(changed, id)
		}
	}
	return changed
}

func (m *Memory) record(id tracking.ID) tracking.Record {
	d := m.deliveries[id]
	r := tracking.Record{Delivery: d, Events: slices.Clone(m.events[id]), Merchant: tracking.Merchant{ID: d.MerchantID, VisibleStops: 2}, Epoch: 1}
	if !d.CourierID.IsZero() {
		r.Courier = m.couriers[d.CourierID]
	}
	return r
}
