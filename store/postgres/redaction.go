package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"hotfoot/tracking"
)

// One that somebody holds is skipped: the next round finds it.
const endedSQL = `
SELECT id FROM deliveries WHERE finished_at IS NOT NULL AND redacted_at IS NULL AND finished_at < $1
ORDER BY finished_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED`

// What is left is what a merchant needs for its books: ids, times, statuses, who drove. Both ends of the way are 0, 0, since a place must be on earth. The
// revision is raised, so that no copy passes for the newest; nobody is told, since nobody watches what is over.
const redactDeliveriesSQL = `
UPDATE deliveries SET pickup_lat = 0, pickup_lon = 0, pickup_address = '', pickup_name = '', dropoff_lat = 0, dropoff_lon = 0, dropoff_address = '', dropoff_name = '',
    recipient_name = '', recipient_phone = '', note = '', redacted_at = $2, rev = rev + 1, published_rev = rev + 1
WHERE id = ANY($1)`

// A retry of a report that was made so long ago is none. The hash goes too: of a short name it would give the name away.
const redactEventsSQL = `
UPDATE delivery_events SET reason = '', proof_left_at = '', proof_name = '', lat = NULL, lon = NULL, client_event_id = NULL, request_hash = NULL
WHERE delivery_id = ANY($1)`

const forgetOnceSQL = `DELETE FROM idempotency_keys WHERE delivery_id = ANY($1)`

// Redact implements tracking.Expiry.
func (s *Store) Redact(ctx context.Context, endedBefore time.Time, limit int) (redacted []tracking.ID, err error) {
	err = s.within(ctx, func(ctx context.Context, tx pgx.Tx) error {
		rows, err := tx.Query(ctx, endedSQL, endedBefore, limit)
		if err != nil {
			return err
		}
		if redacted, err = pgx.CollectRows(rows, pgx.RowTo[tracking.ID]); err != nil || len(redacted) == 0 {
			return err
		}
		return redact(ctx, tx, redacted, time.Now())
	})
	if err != nil {
		return nil, err
	}
	return redacted, nil
}

const dropLabelsSQL = `
UPDATE api_keys SET label = '' WHERE id IN (SELECT id FROM api_keys WHERE label <> '' AND least(revoked_at, expires_at) < $1 LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED)`

// DropLabels implements tracking.Expiry.
func (s *Store) DropLabels(ctx context.Context, endedBefore time.Time, limit int) (int, error) {
	var dropped int64
	err := s.within(ctx, func(ctx context.Context, tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, dropLabelsSQL, endedBefore, limit)
		dropped = tag.RowsAffected()
		return err
	})
	return int(dropped), err
}

// redact takes the people out of deliveries whose rows are locked.
func redact(ctx context.Context, tx pgx.Tx, deliveries []tracking.ID, now time.Time) error {
	if _, err := tx.Exec(ctx, redactDeliveriesSQL, deliveries, now); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, redactEventsSQL, deliveries); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, forgetOnceSQL, deliveries)
	return err
}
