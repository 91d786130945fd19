//go:build linux

package layer

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"hotfoot/tracking"
)

const deliverySQL = `
SELECT d.id, d.merchant_id, d.status, d.ver, d.courier_id, d.stops_before, d.pickup_lat, d.pickup_lon, d.pickup_address, d.pickup_name,
    d.dropoff_lat, d.dropoff_lon, d.dropoff_address, d.dropoff_name, d.window_from, d.window_to, d.link_gen, d.finished_at,
    m.name, m.visible_stops, (SELECT epoch FROM epoch)
FROM deliveries d JOIN merchants m ON m.id = d.merchant_id WHERE d.id = $1`

const eventsSQL = `SELECT ver, status, at, reason, proof_left_at, proof_name FROM delivery_events WHERE delivery_id = $1 ORDER BY ver`

const courierSQL = `SELECT name, vehicle, on_duty FROM couriers WHERE id = $1`

const stopsBeforeSQL = `
SELECT count(*) FROM deliveries
WHERE courier_id = $1 AND finished_at IS NULL AND status <> 'failed' AND route_order < (SELECT route_order FROM deliveries WHERE id = $2)`

const newestSQL = `
SELECT recorded_at, lat, lon, accuracy_m, speed_mps, heading_deg, altitude_m, battery FROM positions
WHERE courier_id = $1 AND recorded_at > $2 AND recorded_at <= $3 ORDER BY recorded_at DESC LIMIT 1`

// PerPart assembles snapshots with a statement for each part: status, events, courier (from whose vehicle the ETA follows), stops before, newest fix.
func PerPart(db *pgxpool.Pool) Assemble {
	return func(ctx context.Context, delivery tracking.ID) (tracking.Record, *tracking.Position, error) {
		record, newest, err := perPart(ctx, db, delivery)
		return record, newest, found(err)
	}
}

func perPart(ctx context.Context, db *pgxpool.Pool, delivery tracking.ID) (tracking.Record, *tracking.Position, error) {
	var row deliveryRow
	if err := db.QueryRow(ctx, deliverySQL, delivery).Scan(row.targets()...); err != nil {
		return tracking.Record{}, nil, err
	}
	record := row.record()
	rows, err := db.Query(ctx, eventsSQL, delivery)
	if err != nil {
		return record, nil, err
	}
	record.Events, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (e tracking.Event, err error) {
		err = row.Scan(&e.Ver, &e.Status, &e.At, &e.Reason, &e.Proof.LeftAt, &e.Proof.Name)
		return e, err
	})
	if err != nil || record.Delivery.CourierID.IsZero() {
		return record, nil, err
	}
	var staff courierRow
	if err := db.QueryRow(ctx, courierSQL, record.Delivery.CourierID).Scan(staff.targets()...); err != nil {
		return record, nil, err
	}
	staff.join(&record)
	if record.Delivery.Status.OnRoute() {
		if err := db.QueryRow(ctx, stopsBeforeSQL, record.Courier.ID, delivery).Scan(&record.Delivery.StopsBefore); err != nil {
			return record, nil, err
		}
	}
	if !record.Delivery.Status.Underway() || !record.Courier.OnDuty {
		return record, nil, nil
	}
	var fix fixRow
	since, until := shown(time.Now())
	if err := db.QueryRow(ctx, newestSQL, record.Courier.ID, since, until).Scan(fix.targets()...); err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return record, nil, err
	}
	return record, fix.position(), nil
}
