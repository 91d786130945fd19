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

// The events come as arrays, so that the row of the delivery travels once. The fix is looked for only where a customer may see it. How many stops come before stands in the row: whoever changes a route counts them.
const oneQuerySQL = `
SELECT d.id, d.merchant_id, d.status, d.ver, d.courier_id, d.stops_before, d.pickup_lat, d.pickup_lon, d.pickup_address, d.pickup_name,
    d.dropoff_lat, d.dropoff_lon, d.dropoff_address, d.dropoff_name, d.window_from, d.window_to, d.link_gen, d.finished_at,
    m.name, m.visible_stops, (SELECT epoch FROM epoch), c.name, c.vehicle, c.on_duty,
    e.vers, e.statuses, e.times, e.reasons, e.left_at, e.names,
    p.recorded_at, p.lat, p.lon, p.accuracy_m, p.speed_mps, p.heading_deg, p.altitude_m, p.battery
FROM deliveries d
JOIN merchants m ON m.id = d.merchant_id
LEFT JOIN couriers c ON c.id = d.courier_id
CROSS JOIN LATERAL (
    SELECT array_agg(ver) vers, array_agg(status) statuses, array_agg(at) times, array_agg(reason) reasons, array_agg(proof_left_at) left_at,
        array_agg(proof_name) names
    FROM (SELECT * FROM delivery_events WHERE delivery_id = d.id ORDER BY ver) tail
) e
LEFT JOIN LATERAL (
    SELECT * FROM positions WHERE courier_id = d.courier_id AND d.status IN ('en_route', 'arriving') AND c.on_duty AND recorded_at > $2 AND recorded_at <= $3
    ORDER BY recorded_at DESC LIMIT 1
) p ON true
WHERE d.id = $1`

// OneQuery assembles snapshots with one statement each.
func OneQuery(db *pgxpool.Pool) Assemble {
	return func(ctx context.Context, delivery tracking.ID) (tracking.Record, *tracking.Position, error) {
		record, newest, err := oneQuery(ctx, db, delivery)
		return record, newest, found(err)
	}
}

func oneQuery(ctx context.Context, db *pgxpool.Pool, delivery tracking.ID) (tracking.Record, *tracking.Position, error) {
	var row deliveryRow
	var staff courierRow
	var fix fixRow
	var vers []int64
	var statuses, reasons, leftAt, names []string
	var times []time.Time
	targets := append(append(row.targets(), staff.targets()...), &vers, &statuses, &times, &reasons, &leftAt, &names)
	since, until := shown(time.Now())
	if err := db.QueryRow(ctx, oneQuerySQL, delivery, since, until).Scan(append(targets, fix.targets()...)...); err != nil {
		return tracking.Record{}, nil, err
	}
	record := row.record()
	staff.join(&record)
	record.Events = make([]tracking.Event, len(vers))
	for i := range vers {
		record.Events[i] = tracking.Event{
			Ver: vers[i], Status: tracking.Status(statuses[i]), At: times[i], Reason: reasons[i], Proof: tracking.Proof{LeftAt: leftAt[i], Name: names[i]},
		}
	}
	return record, fix.position(), nil
}

// found turns pgx's word for no row into ours.
func found(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return tracking.Errorf(tracking.CodeNotFound, "no such delivery")
	}
	return err
}

// shown is between when a fix must have been recorded to be shown: the bounds leave one or two days' partitions.
func shown(now time.Time) (since, until time.Time) {
	return now.Add(-24 * time.Hour), now.Add(tracking.MaxFuture)
}
