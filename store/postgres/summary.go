package postgres

import (
	"context"
	"time"

	"hotfoot/tracking"
)

// A day's deliveries come from one range of an index, their events from the primary key, and of each courier one row of positions is enough: all of a
// day's are in one partition.
const summarySQL = `
WITH made AS MATERIALIZED (
    SELECT id, status, window_to, created_at, finished_at FROM deliveries WHERE merchant_id = $1 AND created_at >= $2 AND created_at < $3
), busy AS MATERIALIZED (
    SELECT DISTINCT e.actor_id FROM made JOIN delivery_events e ON e.delivery_id = made.id
    WHERE e.actor_kind = 'courier' AND e.at >= $2 AND e.at < $3
), took AS (
    SELECT percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY extract(epoch FROM finished_at - created_at)::double precision / 60) AS minutes
    FROM made WHERE status = 'delivered'
)
SELECT count(*), count(*) FILTER (WHERE status = 'delivered'), count(*) FILTER (WHERE status = 'failed'),
    count(*) FILTER (WHERE status = 'cancelled'), count(*) FILTER (WHERE status = 'returned'),
    count(*) FILTER (WHERE status = 'delivered' AND finished_at <= window_to), count(*) FILTER (WHERE status = 'delivered' AND finished_at > window_to),
    (SELECT count(*) FROM couriers c WHERE c.merchant_id = $1 AND (
        c.id IN (SELECT actor_id FROM busy)
        OR EXISTS (SELECT FROM positions p WHERE p.courier_id = c.id AND p.recorded_at >= $2 AND p.recorded_at < $3))),
    (SELECT minutes[1] FROM took), (SELECT minutes[2] FROM took)
FROM made`

// Summary sums a merchant's day up, which began at midnight UTC. Errors: CodeUnavailable.
func (s *Store) Summary(ctx context.Context, merchant tracking.ID, midnight time.Time) (tracking.Summary, error) {
	sum := tracking.Summary{AsOf: time.Now().UTC()}
	err := s.db.QueryRow(ctx, summarySQL, merchant, midnight, midnight.Add(24*time.Hour)).Scan(
		&sum.Created, &sum.Delivered, &sum.Failed, &sum.Cancelled, &sum.Returned, &sum.OnTime, &sum.Late, &sum.ActiveCouriers, &sum.Median, &sum.P90)
	sum.InProgress = sum.Created - sum.Delivered - sum.Failed - sum.Cancelled - sum.Returned
	return sum, translate(err)
}
