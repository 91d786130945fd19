package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"hotfoot/tracking"
)

var _ tracking.Staff = (*Store)(nil)

const courierColumns = `id, merchant_id, name, vehicle, phone, on_duty, hidden_zones, rev, created_at`

func scanCourier(row pgx.CollectableRow) (tracking.Courier, error) {
	var c tracking.Courier
	var phone *string
	var zones []float64
	err := row.Scan(&c.ID, &c.MerchantID, &c.Name, &c.Vehicle, &phone, &c.OnDuty, &zones, &c.Rev, &c.CreatedAt)
	c.Phone, c.HiddenZones = value(phone), zonesOf(zones)
	return c, err
}

// zonesOf reads what is kept of zones, three numbers each, and flat writes it.
func zonesOf(numbers []float64) (zones []tracking.Zone) {
	for ; len(numbers) >= 3; numbers = numbers[3:] {
		zones = append(zones, tracking.Zone{Lat: numbers[0], Lon: numbers[1], RadiusM: numbers[2]})
	}
	return zones
}

func flat(zones []tracking.Zone) []float64 {
	numbers := make([]float64, 0, 3*len(zones))
	for _, z := range zones {
		numbers = append(numbers, z.Lat, z.Lon, z.RadiusM)
	}
	return numbers
}

// Nobody can have a copy of a new courier that would have to be brought up to date.
const insertCourierSQL = `
INSERT INTO couriers (id, merchant_id, name, vehicle, phone, on_duty, rev, published_rev, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $8)`

// CreateCourier implements tracking.Staff.
func (s *Store) CreateCourier(ctx context.Context, c tracking.Courier, key tracking.Key) error {
	return s.within(ctx, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, insertCourierSQL, c.ID, c.MerchantID, c.Name, c.Vehicle, optional(c.Phone), c.OnDuty, c.Rev, c.CreatedAt)
		if err != nil {
			return err
		}
		return insertKey(ctx, tx, key, c.CreatedAt)
	})
}

const courierSQL = `SELECT ` + courierColumns + ` FROM couriers WHERE id = $1 AND merchant_id = $2`

// Courier reads one of a merchant's couriers. Errors: CodeNotFound, CodeUnavailable.
func (s *Store) Courier(ctx context.Context, merchant, courier tracking.ID) (tracking.Courier, error) {
	rows, err := s.db.Query(ctx, courierSQL, courier, merchant)
	if err != nil {
		return tracking.Courier{}, translate(err)
	}
	c, err := pgx.CollectExactlyOneRow(rows, scanCourier)
	if err == pgx.ErrNoRows {
		return c, tracking.Errorf(tracking.CodeNotFound, "no such courier")
	}
	return c, translate(err)
}

const couriersSQL = `
SELECT ` + courierColumns + ` FROM couriers
WHERE merchant_id = $1 AND ($2::boolean IS NULL OR on_duty = $2) AND ($3::uuid IS NULL OR id > $3) ORDER BY id LIMIT $4`

// Couriers lists a merchant's couriers by id, those after a given one; onDuty narrows them when not nil. Errors: CodeUnavailable.
func (s *Store) Couriers(ctx context.Context, merchant tracking.ID, onDuty *bool, after tracking.ID, limit int) ([]tracking.Courier, error) {
	rows, err := s.db.Query(ctx, couriersSQL, merchant, onDuty, optional(after), limit)
	if err != nil {
		return nil, translate(err)
	}
	couriers, err := pgx.CollectRows(rows, scanCourier)
	return couriers, translate(err)
}

const lockCourierSQL = courierSQL + ` FOR NO KEY UPDATE`

const updateCourierSQL = `
UPDATE couriers SET name = $2, vehicle = $3, phone = $4, hidden_zones = $6, rev = rev + 1, updated_at = $5 WHERE id = $1 RETURNING ` + courierColumns

// UpdateCourier implements tracking.Staff.
func (s *Store) UpdateCourier(ctx context.Context, merchant, courier tracking.ID, change func(tracking.Courier) (tracking.Courier, error)) (tracking.Courier, []tracking.Record, error) {
	var c tracking.Courier
	var records []tracking.Record
	err := s.within(ctx, func(ctx context.Context, tx pgx.Tx) error {
		rows, err := tx.Query(ctx, lockCourierSQL, courier, merchant)
		if err != nil {
			return err
		}
		if c, err = pgx.CollectExactlyOneRow(rows, scanCourier); err != nil {
			if err == pgx.ErrNoRows {
				return tracking.Errorf(tracking.CodeNotFound, "no such courier")
			}
			return err
		}
		if c, err = change(c); err != nil {
			return err
		}
		now := time.Now()
		rows, err = tx.Query(ctx, updateCourierSQL, courier, c.Name, c.Vehicle, optional(c.Phone), now, flat(c.HiddenZones))
		if err != nil {
			return err
		}
		if c, err = pgx.CollectExactlyOneRow(rows, scanCourier); err != nil {
			return err
		}
		records, err = touchRoute(ctx, tx, courier, now)
		return err
	})
	return c, records, err
}

const setDutySQL = `
UPDATE couriers SET on_duty = $2, rev = rev + CASE WHEN on_duty = $2 THEN 0 ELSE 1 END,
    updated_at = CASE WHEN on_duty = $2 THEN updated_at ELSE $3 END
WHERE id = $1 RETURNING ` + courierColumns

const openShiftSQL = `INSERT INTO shifts (id, courier_id, started_at) VALUES ($1, $2, $3) ON CONFLICT (courier_id) WHERE ended_at IS NULL DO NOTHING`

const closeShiftSQL = `UPDATE shifts SET ended_at = greatest($2, started_at) WHERE courier_id = $1 AND ended_at IS NULL`

// SetDuty implements tracking.Staff.
func (s *Store) SetDuty(ctx context.Context, courier tracking.ID, onDuty bool, now time.Time) (tracking.Courier, []tracking.Record, error) {
	var c tracking.Courier
	var records []tracking.Record
	err := s.within(ctx, func(ctx context.Context, tx pgx.Tx) error {
		rows, err := tx.Query(ctx, setDutySQL, courier, onDuty, now)
		if err != nil {
			return err
		}
		if c, err = pgx.CollectExactlyOneRow(rows, scanCourier); err != nil {
			return err
		}
		if onDuty {
			_, err = tx.Exec(ctx, openShiftSQL, tracking.NewID(), courier, now)
		} else {
			_, err = tx.Exec(ctx, closeShiftSQL, courier, now)
		}
		if err != nil {
			return err
		}
		records, err = touchRoute(ctx, tx, courier, now)
		return err
	})
	return c, records, err
}

const touchRouteSQL = `
UPDATE deliveries SET rev = rev + 1, updated_at = $2
WHERE courier_id = $1 AND (status IN ` + onRoute + ` OR status = 'failed') RETURNING id`

// touchRoute makes a courier's unfinished deliveries be announced again: something about the courier has changed.
func touchRoute(ctx context.Context, tx pgx.Tx, courier tracking.ID, now time.Time) ([]tracking.Record, error) {
	rows, err := tx.Query(ctx, touchRouteSQL, courier, now)
	if err != nil {
		return nil, err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[tracking.ID])
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	return recordsOf(ctx, tx, ids)
}
