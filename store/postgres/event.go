package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"hotfoot/tracking"
)

const insertEventSQL = `
INSERT INTO delivery_events (delivery_id, ver, status, at, device_at, actor_kind, actor_id, courier_id, client_event_id, request_hash,
    reason, proof_left_at, proof_name, lat, lon)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`

func insertEvents(ctx context.Context, tx pgx.Tx, delivery tracking.ID, events []tracking.Event) error {
	for _, e := range events {
		var hash []byte
		if e.ClientID != "" {
			hash = e.Hash[:]
		}
		var lat, lon *float64
		if e.Where != nil {
			lat, lon = &e.Where.Lat, &e.Where.Lon
		}
		actor := e.Actor.KeyID
		if e.Actor.Role == tracking.RoleCourier {
			actor = e.Actor.CourierID
		}
		_, err := tx.Exec(ctx, insertEventSQL, delivery, e.Ver, e.Status, e.At, optional(e.DeviceAt), e.Actor.Role, optional(actor), optional(e.CourierID),
			optional(e.ClientID), hash, e.Reason, e.Proof.LeftAt, e.Proof.Name, lat, lon)
		if err != nil {
			return err
		}
	}
	return nil
}

const eventColumns = `ver, status, at, device_at, actor_kind, actor_id, courier_id, client_event_id, request_hash, reason, proof_left_at, proof_name`

// scanEvent reads eventColumns, behind whatever leading columns the query has.
func scanEvent(row pgx.CollectableRow, leading ...any) (tracking.Event, error) {
	var e tracking.Event
	var device *time.Time
	var actor, courier *tracking.ID
	var clientID *string
	var hash []byte
	targets := append(leading, &e.Ver, &e.Status, &e.At, &device, &e.Actor.Role, &actor, &courier, &clientID, &hash, &e.Reason, &e.Proof.LeftAt, &e.Proof.Name)
	err := row.Scan(targets...)
	e.DeviceAt, e.CourierID, e.ClientID = value(device), value(courier), value(clientID)
	if e.Actor.Role == tracking.RoleCourier {
		e.Actor.CourierID = value(actor)
	} else {
		e.Actor.KeyID = value(actor)
	}
	copy(e.Hash[:], hash)
	return e, err
}

const priorEventSQL = `SELECT ` + eventColumns + ` FROM delivery_events WHERE delivery_id = $1 AND client_event_id = $2`

// priorEvent is the event that a client event id made before, nil for none.
func priorEvent(ctx context.Context, tx pgx.Tx, delivery tracking.ID, clientEventID string) (*tracking.Event, error) {
	if clientEventID == "" {
		return nil, nil
	}
	rows, err := tx.Query(ctx, priorEventSQL, delivery, clientEventID)
	if err != nil {
		return nil, err
	}
	e, err := pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (tracking.Event, error) { return scanEvent(row) })
	if err == pgx.ErrNoRows {
		return nil, nil
	}
	return &e, err
}

const eventTailsSQL = `
SELECT delivery_id, ` + eventColumns + ` FROM delivery_events e
WHERE delivery_id = ANY($1) AND ver > (SELECT ver FROM deliveries d WHERE d.id = e.delivery_id) - $2
ORDER BY delivery_id, ver`

// eventsOf reads the newest tracking.MaxEvents events of each delivery, ascending.
func eventsOf(ctx context.Context, q querier, deliveries []tracking.ID) (map[tracking.ID][]tracking.Event, error) {
	rows, err := q.Query(ctx, eventTailsSQL, deliveries, tracking.MaxEvents)
	if err != nil {
		return nil, err
	}
	events := make(map[tracking.ID][]tracking.Event, len(deliveries))
	_, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (struct{}, error) {
		var id tracking.ID
		e, err := scanEvent(row, &id)
		events[id] = append(events[id], e)
		return struct{}{}, err
	})
	return events, err
}

const allEventsSQL = `
SELECT ` + eventColumns + ` FROM delivery_events
WHERE delivery_id = $1 AND EXISTS (SELECT FROM deliveries WHERE id = $1 AND merchant_id = $2) ORDER BY ver LIMIT 1000`

// Events lists a delivery's events in order. Errors: CodeNotFound, CodeUnavailable.
func (s *Store) Events(ctx context.Context, merchant, delivery tracking.ID) ([]tracking.Event, error) {
	rows, err := s.db.Query(ctx, allEventsSQL, delivery, merchant)
	if err != nil {
		return nil, translate(err)
	}
	events, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (tracking.Event, error) { return scanEvent(row) })
	if err == nil && len(events) == 0 {
		return nil, tracking.Errorf(tracking.CodeNotFound, "no such delivery")
	}
	return events, translate(err)
}
