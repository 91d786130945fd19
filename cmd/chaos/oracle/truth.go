package oracle

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// StoredEvent is a row of delivery_events.
type StoredEvent struct {
	Ver     int64
	Status  string
	EventID string
}

// StoredDelivery is a row of deliveries.
type StoredDelivery struct {
	Ver    int64
	Status string
}

// Truth is what Postgres has.
type Truth struct {
	Positions  map[string][]Point // by courier id, one a row
	Events     map[string][]StoredEvent
	Deliveries map[string]StoredDelivery
	Couriers   map[string]string // ids by name
}

// Querier asks Postgres.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// Deliveries reads how far each delivery is.
func Deliveries(ctx context.Context, q Querier) (map[string]StoredDelivery, error) {
	rows, err := q.Query(ctx, `SELECT id::text, ver, status FROM deliveries`)
	if err != nil {
		return nil, fmt.Errorf("read deliveries: %w", err)
	}
	deliveries := map[string]StoredDelivery{}
	var id string
	var d StoredDelivery
	if _, err := pgx.ForEachRow(rows, []any{&id, &d.Ver, &d.Status}, func() error { deliveries[id] = d; return nil }); err != nil {
		return nil, fmt.Errorf("read deliveries: %w", err)
	}
	return deliveries, nil
}

// Read reads everything.
func Read(ctx context.Context, q Querier) (Truth, error) {
	t := Truth{Positions: map[string][]Point{}, Events: map[string][]StoredEvent{}, Couriers: map[string]string{}}
	var err error
	if t.Deliveries, err = Deliveries(ctx, q); err != nil {
		return t, err
	}
	var id, name string
	var at time.Time
	var point Point
	var event StoredEvent
	for _, table := range []struct {
		sql  string
		scan []any
		keep func()
	}{
		{
			`SELECT courier_id::text, session, seq, recorded_at FROM positions ORDER BY courier_id, session, seq, recorded_at`,
			[]any{&id, &point.Session, &point.Seq, &at},
			func() {
				point.RecordedAt = at.UnixMilli()
				t.Positions[id] = append(t.Positions[id], point)
			},
		},
		{
			`SELECT delivery_id::text, ver, status, coalesce(client_event_id, '') FROM delivery_events ORDER BY delivery_id, ver`,
			[]any{&id, &event.Ver, &event.Status, &event.EventID},
			func() { t.Events[id] = append(t.Events[id], event) },
		},
		{`SELECT id::text, name FROM couriers`, []any{&id, &name}, func() { t.Couriers[name] = id }},
	} {
		rows, err := q.Query(ctx, table.sql)
		if err != nil {
			return t, fmt.Errorf("read what Postgres has: %w", err)
		}
		if _, err := pgx.ForEachRow(rows, table.scan, func() error { table.keep(); return nil }); err != nil {
			return t, fmt.Errorf("read what Postgres has: %w", err)
		}
	}
	return t, nil
}

// statusAt is the status that Postgres gives a version; "" for none.
func (t Truth) statusAt(delivery string, ver int64) string {
	events := t.Events[delivery]
	if ver >= 1 && ver <= int64(len(events)) && events[ver-1].Ver == ver {
		return events[ver-1].Status
	}
	for _, e := range events {
		if e.Ver == ver {
			return e.Status
		}
	}
	return ""
}

// underway reports whether the courier is on the last stretch, the only one that customers see.
func underway(status string) bool { return status == "en_route" || status == "arriving" }

func final(status string) bool {
	return status == "delivered" || status == "cancelled" || status == "returned"
}
