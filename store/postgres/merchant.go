package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"hotfoot/tracking"
)

const upsertMerchantSQL = `
INSERT INTO merchants AS m (id, name, created_at) VALUES ($1, $2, $3)
ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING ` + merchantColumns

// Merchant answers the merchant of this name, made if there is none. Errors: CodeInvalid, CodeUnavailable.
func (s *Store) Merchant(ctx context.Context, name string, now time.Time) (tracking.Merchant, error) {
	var m tracking.Merchant
	err := s.within(ctx, func(ctx context.Context, tx pgx.Tx) error {
		rows, err := tx.Query(ctx, upsertMerchantSQL, tracking.NewID(), name, now)
		if err == nil {
			m, err = pgx.CollectExactlyOneRow(rows, scanMerchant)
		}
		return err
	})
	return m, err
}

const countsSQL = `
SELECT (SELECT count(*) FROM couriers WHERE merchant_id = $1 AND on_duty),
    count(*) FILTER (WHERE finished_at IS NULL),
    count(*) FILTER (WHERE status = 'created'),
    count(*) FILTER (WHERE finished_at IS NULL AND window_to < $2),
    count(*) FILTER (WHERE status = 'delivered' AND finished_at >= $3)
FROM deliveries WHERE merchant_id = $1 AND (finished_at IS NULL OR finished_at >= $3)`

// Counts counts a merchant's couriers and deliveries; today began at midnight. Errors: CodeUnavailable.
func (s *Store) Counts(ctx context.Context, merchant tracking.ID, now, midnight time.Time) (tracking.Counts, error) {
	var c tracking.Counts
	err := s.db.QueryRow(ctx, countsSQL, merchant, now, midnight).Scan(&c.CouriersOnDuty, &c.Active, &c.Unassigned, &c.Late, &c.DeliveredToday)
	return c, translate(err)
}

const clearSQL = `
TRUNCATE merchants, couriers, shifts, api_keys, deliveries, delivery_events, idempotency_keys, positions, position_sessions, dead_letters, fences, sealed_standings`

// Clear removes everything but the schema. It is for private databases only. Errors: CodeUnavailable.
func (s *Store) Clear(ctx context.Context) error {
	return s.within(ctx, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, clearSQL)
		return err
	})
}
