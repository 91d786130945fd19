package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"hotfoot/tracking"
)

var (
	_ tracking.Boards = (*Store)(nil)
	_ tracking.Seals  = (*Store)(nil)
)

// deliveredOn are a merchant's deliveries that were delivered between two moments.
const deliveredOn = ` FROM deliveries WHERE merchant_id = $1 AND status = 'delivered' AND finished_at >= $2 AND finished_at < $3 `

const countDelivered = `courier_id, count(*) AS delivered, count(window_to) AS promised, count(*) FILTER (WHERE finished_at <= window_to) AS on_time`

// A day that was sealed is read as it was then. The order is the hot board's: half the share decides between those who have delivered as much.
const standingsSQL = `
WITH sealed AS (SELECT courier_id, delivered, promised, on_time FROM sealed_standings WHERE merchant_id = $1 AND day = $4),
counted AS (SELECT * FROM sealed UNION ALL SELECT ` + countDelivered + deliveredOn + `AND NOT EXISTS (SELECT FROM sealed) GROUP BY courier_id)
SELECT s.courier_id, c.name, s.delivered, s.promised, s.on_time FROM counted s JOIN couriers c ON c.id = s.courier_id
ORDER BY s.delivered DESC, coalesce(s.on_time::float8 / nullif(s.promised, 0), 0) DESC, s.courier_id DESC LIMIT $5`

// Standings implements tracking.Boards.
func (s *Store) Standings(ctx context.Context, merchant tracking.ID, day tracking.Day, limit int) ([]tracking.Standing, error) {
	rows, err := s.db.Query(ctx, standingsSQL, merchant, day.Start(), day.Next().Start(), day.Start(), limit)
	if err != nil {
		return nil, translate(err)
	}
	standings, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (of tracking.Standing, err error) {
		err = row.Scan(&of.CourierID, &of.Name, &of.Delivered, &of.Promised, &of.OnTime)
		return of, err
	})
	return standings, translate(err)
}

// The epoch stands in each row, and in one of its own, so that all of it is of one moment.
const completionsSQL = `
SELECT (SELECT epoch FROM epoch), NULL::uuid, NULL::uuid, false, false
UNION ALL SELECT 0, id, courier_id, window_to IS NOT NULL, coalesce(finished_at <= window_to, false)` + deliveredOn

// Completions implements tracking.Boards.
func (s *Store) Completions(ctx context.Context, merchant tracking.ID, day tracking.Day) (tracking.Completions, error) {
	var found tracking.Completions
	rows, err := s.db.Query(ctx, completionsSQL, merchant, day.Start(), day.Next().Start())
	if err != nil {
		return found, translate(err)
	}
	var epoch int64
	var delivery, courier *tracking.ID
	var c tracking.Completion
	_, err = pgx.ForEachRow(rows, []any{&epoch, &delivery, &courier, &c.Promised, &c.OnTime}, func() error {
		if delivery == nil {
			found.Epoch = epoch
			return nil
		}
		c.Delivery, c.Courier = *delivery, value(courier)
		found.All = append(found.All, c)
		return nil
	})
	return found, translate(err)
}

const namesSQL = `SELECT id, name FROM couriers WHERE id = ANY($1::uuid[]) AND merchant_id = $2`

// Names implements tracking.Boards.
func (s *Store) Names(ctx context.Context, merchant tracking.ID, couriers []tracking.ID) (map[tracking.ID]string, error) {
	rows, err := s.db.Query(ctx, namesSQL, couriers, merchant)
	if err != nil {
		return nil, translate(err)
	}
	names := make(map[tracking.ID]string, len(couriers))
	var id tracking.ID
	var name string
	_, err = pgx.ForEachRow(rows, []any{&id, &name}, func() error {
		names[id] = name
		return nil
	})
	return names, translate(err)
}

// Two steps down an index for each merchant and day.
const unsealedSQL = `
SELECT m.id, d.day::date FROM generate_series($1::date, $2::date - 1, interval '1 day') d (day), merchants m
WHERE EXISTS (SELECT FROM deliveries WHERE merchant_id = m.id AND status = 'delivered'
        AND finished_at >= d.day AT TIME ZONE 'UTC' AND finished_at < (d.day + interval '1 day') AT TIME ZONE 'UTC')
    AND NOT EXISTS (SELECT FROM sealed_standings WHERE merchant_id = m.id AND day = d.day::date)
ORDER BY d.day, m.id LIMIT $3`

// Unsealed implements tracking.Seals.
func (s *Store) Unsealed(ctx context.Context, from, until tracking.Day, limit int) ([]tracking.MerchantDay, error) {
	rows, err := s.db.Query(ctx, unsealedSQL, from.Start(), until.Start(), limit)
	if err != nil {
		return nil, translate(err)
	}
	days, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (of tracking.MerchantDay, err error) {
		var day time.Time
		err = row.Scan(&of.Merchant, &day)
		of.Day = tracking.DayOf(day)
		return of, err
	})
	return days, translate(err)
}

const sealSQL = `
INSERT INTO sealed_standings (merchant_id, day, courier_id, delivered, promised, on_time)
SELECT $1, $4, ` + countDelivered + deliveredOn + `GROUP BY courier_id ON CONFLICT DO NOTHING`

// Seal implements tracking.Seals.
func (s *Store) Seal(ctx context.Context, l tracking.Lease, of tracking.MerchantDay) error {
	return s.within(ctx, func(ctx context.Context, tx pgx.Tx) error {
		if err := passFence(ctx, tx, l); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, sealSQL, of.Merchant, of.Day.Start(), of.Day.Next().Start(), of.Day.Start())
		return err
	})
}
