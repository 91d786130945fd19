package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"hotfoot/tracking"
)

var _ tracking.Ledger = (*Store)(nil)

const insertDeliverySQL = `
INSERT INTO deliveries (id, merchant_id, external_id, status, ver, rev, courier_id, route_order,
    pickup_lat, pickup_lon, pickup_address, pickup_name, dropoff_lat, dropoff_lon, dropoff_address, dropoff_name,
    recipient_name, recipient_phone, window_from, window_to, note, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, 1, $6, (SELECT coalesce(max(route_order), 0) + 1 FROM deliveries WHERE courier_id = $6 AND finished_at IS NULL),
    $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $20)`

const insertOnceSQL = `
INSERT INTO idempotency_keys (merchant_id, key, request_hash, delivery_id, created_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (merchant_id, key) DO NOTHING`

const findOnceSQL = `SELECT request_hash, delivery_id FROM idempotency_keys WHERE merchant_id = $1 AND key = $2`

// Create implements tracking.Ledger.
func (s *Store) Create(ctx context.Context, d tracking.Delivery, events []tracking.Event, once tracking.Once) (tracking.Record, error) {
	var record tracking.Record
	err := s.within(ctx, func(ctx context.Context, tx pgx.Tx) error {
		earlier, found, err := findOnce(ctx, tx, d.MerchantID, once)
		if err != nil {
			return err
		}
		if found {
			record, err = recordOf(ctx, tx, earlier)
			return err
		}
		if err := lockCouriers(ctx, tx, d.MerchantID, tracking.ID{}, d.CourierID); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, insertDeliverySQL, d.ID, d.MerchantID, optional(d.ExternalID), d.Status, d.Ver, optional(d.CourierID),
			d.Pickup.Lat, d.Pickup.Lon, d.Pickup.Address, d.Pickup.Name, d.Dropoff.Lat, d.Dropoff.Lon, d.Dropoff.Address, d.Dropoff.Name,
			d.Recipient.Name, d.Recipient.Phone, optional(d.Window.From), optional(d.Window.To), d.Note, d.CreatedAt)
		if err != nil {
			return err
		}
		if err := insertEvents(ctx, tx, d.ID, events); err != nil {
			return err
		}
		if once.Key != "" {
			tag, err := tx.Exec(ctx, insertOnceSQL, d.MerchantID, once.Key, once.Hash[:], d.ID, d.CreatedAt)
			if err != nil {
				return err
			}
			if tag.RowsAffected() == 0 {
				return errKeyTaken
			}
		}
		if !d.CourierID.IsZero() {
			if _, err := restop(ctx, tx, d.CourierID, d.UpdatedAt); err != nil {
				return err
			}
		}
		record, err = recordOf(ctx, tx, d.ID)
		return err
	})
	// Two requests with one key may race; the loser finds the key taken, or the external_id, and looks again as a repeat.
	if once.Key != "" && tracking.CodeOf(err) == tracking.CodeConflict {
		earlier, found, findErr := findOnce(ctx, s.db, d.MerchantID, once)
		if findErr != nil {
			return record, translate(findErr)
		}
		if found {
			return s.Record(ctx, earlier)
		}
	}
	return record, err
}

// errKeyTaken leaves Create only when the delivery that took the key has been removed meanwhile.
var errKeyTaken = tracking.Errorf(tracking.CodeConflict, "the Idempotency-Key is being used by another request")

func findOnce(ctx context.Context, q querier, merchant tracking.ID, once tracking.Once) (tracking.ID, bool, error) {
	var hash []byte
	var delivery tracking.ID
	if once.Key == "" {
		return delivery, false, nil
	}
	switch err := q.QueryRow(ctx, findOnceSQL, merchant, once.Key).Scan(&hash, &delivery); {
	case err == pgx.ErrNoRows:
		return delivery, false, nil
	case err != nil:
		return delivery, false, err
	case [32]byte(hash) != once.Hash:
		return delivery, false, tracking.Errorf(tracking.CodeIdempotencyUsed, "this Idempotency-Key was used before with another body")
	}
	return delivery, true, nil
}

const peekCourierSQL = `SELECT courier_id FROM deliveries WHERE id = $1 AND merchant_id = $2`

const lockDeliverySQL = `SELECT ` + deliveryColumns + ` FROM deliveries d WHERE d.id = $1 FOR NO KEY UPDATE`

// Change implements tracking.Ledger.
func (s *Store) Change(ctx context.Context, merchant, delivery, joining tracking.ID, clientEventID string, decide tracking.Decide) ([]tracking.Record, error) {
	for {
		var records []tracking.Record
		err := s.within(ctx, func(ctx context.Context, tx pgx.Tx) (err error) {
			records, err = change(ctx, tx, merchant, delivery, joining, clientEventID, decide)
			return err
		})
		// The courier changed between the look and the lock. Each turn means that somebody else's change went through.
		if err == errMoved && ctx.Err() == nil {
			continue
		}
		return records, err
	}
}

// errMoved never leaves this file.
var errMoved = tracking.Errorf(tracking.CodeConflict, "the delivery was given to another courier meanwhile")

func change(ctx context.Context, tx pgx.Tx, merchant, delivery, joining tracking.ID, clientEventID string, decide tracking.Decide) ([]tracking.Record, error) {
	var peeked *tracking.ID
	if err := tx.QueryRow(ctx, peekCourierSQL, delivery, merchant).Scan(&peeked); err != nil {
		if err == pgx.ErrNoRows {
			return nil, tracking.Errorf(tracking.CodeNotFound, "no such delivery")
		}
		return nil, err
	}
	before := value(peeked)
	if err := lockCouriers(ctx, tx, merchant, before, joining); err != nil {
		return nil, err
	}
	rows, err := tx.Query(ctx, lockDeliverySQL, delivery)
	if err != nil {
		return nil, err
	}
	d, err := pgx.CollectExactlyOneRow(rows, scanDelivery)
	if err != nil {
		return nil, err
	}
	if d.CourierID != before {
		return nil, errMoved
	}
	prior, err := priorEvent(ctx, tx, delivery, clientEventID)
	if err != nil {
		return nil, err
	}
	decision, err := decide(d, prior)
	if err != nil {
		return nil, err
	}
	if len(decision.Events) == 0 && decision.Delivery == d && decision.Place == nil {
		record, err := recordOf(ctx, tx, delivery)
		return []tracking.Record{record}, err
	}
	return store(ctx, tx, d, decision)
}

const updateDeliverySQL = `
UPDATE deliveries SET status = $2, ver = $3, rev = rev + 1, courier_id = $4, link_gen = $5, updated_at = $6, finished_at = $7,
    route_order = CASE WHEN courier_id IS NOT DISTINCT FROM $4 THEN route_order
        ELSE (SELECT coalesce(max(r.route_order), 0) + 1 FROM deliveries r WHERE r.courier_id = $4 AND r.finished_at IS NULL) END,
    stops_before = CASE WHEN $8 THEN stops_before END
WHERE id = $1`

// store writes a decision and everything that follows from it for other stops of the couriers concerned.
func store(ctx context.Context, tx pgx.Tx, before tracking.Delivery, decision tracking.Change) ([]tracking.Record, error) {
	d := decision.Delivery
	_, err := tx.Exec(ctx, updateDeliverySQL, d.ID, d.Status, d.Ver, optional(d.CourierID), int16(d.LinkGen), d.UpdatedAt, optional(d.FinishedAt),
		d.Status.OnRoute())
	if err != nil {
		return nil, err
	}
	if err := insertEvents(ctx, tx, d.ID, decision.Events); err != nil {
		return nil, err
	}
	if decision.Place != nil {
		if err := placeStop(ctx, tx, d.CourierID, d.ID, *decision.Place); err != nil {
			return nil, err
		}
	}
	changed := []tracking.ID{d.ID}
	couriers := []tracking.ID{before.CourierID}
	if d.CourierID != before.CourierID {
		couriers = append(couriers, d.CourierID)
	}
	for _, courier := range couriers {
		if courier.IsZero() {
			continue
		}
		moved, err := restop(ctx, tx, courier, d.UpdatedAt)
		if err != nil {
			return nil, err
		}
		for _, id := range moved {
			if id != d.ID {
				changed = append(changed, id)
			}
		}
	}
	return recordsOf(ctx, tx, changed)
}
