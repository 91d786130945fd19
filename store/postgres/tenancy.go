package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"hotfoot/tracking"
)

var _ tracking.Tenants = (*Store)(nil)

// sightColumns are what sightTargets take of a merchant, of a table or alias named m: what it lets its customers see.
const sightColumns = `m.visible_stops, m.visible_from, m.rounding_m, m.delay_s`

func sightTargets(m *tracking.Merchant, delayS *int) []any {
	return []any{&m.VisibleStops, &m.VisibleFrom, &m.RoundingM, delayS}
}

const merchantColumns = `m.id, m.name, ` + sightColumns

func scanMerchant(row pgx.CollectableRow) (tracking.Merchant, error) {
	var m tracking.Merchant
	var delay int
	err := row.Scan(append([]any{&m.ID, &m.Name}, sightTargets(&m, &delay)...)...)
	m.Delay = time.Duration(delay) * time.Second
	return m, err
}

const merchantSQL = `SELECT ` + merchantColumns + ` FROM merchants m WHERE m.id = $1`

// MerchantOf implements tracking.Tenants.
func (s *Store) MerchantOf(ctx context.Context, id tracking.ID) (tracking.Merchant, error) {
	return merchantBy(ctx, s.db, merchantSQL, id)
}

func merchantBy(ctx context.Context, q querier, sql string, args ...any) (tracking.Merchant, error) {
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		return tracking.Merchant{}, translate(err)
	}
	m, err := pgx.CollectExactlyOneRow(rows, scanMerchant)
	if err == pgx.ErrNoRows {
		return m, tracking.Errorf(tracking.CodeNotFound, "no such merchant")
	}
	return m, translate(err)
}

const lockMerchantSQL = merchantSQL + ` FOR NO KEY UPDATE`

// Whoever is being passed the settings before begins anew.
const updateMerchantSQL = `
UPDATE merchants m SET visible_stops = $2, visible_from = $3, rounding_m = $4, delay_s = $5, owing_after = '00000000-0000-0000-0000-000000000000'
WHERE m.id = $1 RETURNING ` + merchantColumns

// UpdateMerchant implements tracking.Tenants.
func (s *Store) UpdateMerchant(ctx context.Context, id tracking.ID, change func(tracking.Merchant) (tracking.Merchant, error)) (tracking.Merchant, error) {
	var m tracking.Merchant
	err := s.within(ctx, func(ctx context.Context, tx pgx.Tx) error {
		before, err := merchantBy(ctx, tx, lockMerchantSQL, id)
		if err != nil {
			return err
		}
		if m, err = change(before); err != nil || m == before {
			return err
		}
		m, err = merchantBy(ctx, tx, updateMerchantSQL, id, m.VisibleStops, m.VisibleFrom, m.RoundingM, int(m.Delay/time.Second))
		return err
	})
	return m, err
}

// One that another node is at work on is skipped.
const owingSQL = `SELECT id, owing_after FROM merchants WHERE owing_after IS NOT NULL ORDER BY id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED`

// Everybody with something unfinished: who is about to set out for a door while the settings change holds the courier's row, and is waited for below.
const owedCouriersSQL = `
SELECT c.id FROM couriers c
WHERE c.merchant_id = $1 AND c.id > $2 AND EXISTS (SELECT FROM deliveries d WHERE d.courier_id = c.id AND d.finished_at IS NULL)
ORDER BY c.id LIMIT $3`

const paidSQL = `UPDATE merchants SET owing_after = $2 WHERE id = $1`

const touchUnderwaySQL = `
UPDATE deliveries SET rev = rev + 1, updated_at = $2 WHERE courier_id = ANY($1) AND finished_at IS NULL AND status IN ` + underway + ` RETURNING id`

// The statuses are those of tracking.Status.Underway; a test compares them. Of no other can anybody be seen, and whatever becomes one of them is announced
// with the merchant's settings as they are then.
const underway = `('en_route', 'arriving')`

// PassOn implements tracking.Tenants. It goes by couriers, in the order and under the locks that everybody takes who changes a route. Once a courier's lock is
// held whoever may have read the settings before has committed, so that what is announced here comes after it.
func (s *Store) PassOn(ctx context.Context, couriers int, now time.Time) (records []tracking.Record, owing bool, err error) {
	err = s.within(ctx, func(ctx context.Context, tx pgx.Tx) error {
		var merchant, after tracking.ID
		if err := tx.QueryRow(ctx, owingSQL).Scan(&merchant, &after); err == pgx.ErrNoRows {
			return nil
		} else if err != nil {
			return err
		}
		rows, err := tx.Query(ctx, owedCouriersSQL, merchant, after, couriers)
		if err != nil {
			return err
		}
		owed, err := pgx.CollectRows(rows, pgx.RowTo[tracking.ID])
		if err != nil {
			return err
		}
		owing = true
		var next *tracking.ID // nobody is owed anything any more
		if len(owed) == couriers {
			next = &owed[len(owed)-1]
		}
		if _, err := tx.Exec(ctx, paidSQL, merchant, next); err != nil || len(owed) == 0 {
			return err
		}
		if _, err := tx.Exec(ctx, lockCouriersSQL, owed, merchant); err != nil {
			return err
		}
		if rows, err = tx.Query(ctx, touchUnderwaySQL, owed, now); err != nil {
			return err
		}
		touched, err := pgx.CollectRows(rows, pgx.RowTo[tracking.ID])
		if err != nil || len(touched) == 0 {
			return err
		}
		records, err = recordsOf(ctx, tx, touched)
		return err
	})
	return records, owing && err == nil, err
}
