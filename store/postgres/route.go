package postgres

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"hotfoot/tracking"
)

// Whoever changes a courier's route holds the courier's row, so that two changes cannot count each other's stops wrongly. NO KEY: a
// foreign key check elsewhere need not wait.
const lockCouriersSQL = `SELECT id FROM couriers WHERE id = ANY($1) AND merchant_id = $2 ORDER BY id FOR NO KEY UPDATE`

// lockCouriers locks the courier who has the delivery and the one who joins; zero ids are nobody. The error names courier_id when the joining
// one is not this merchant's.
func lockCouriers(ctx context.Context, tx pgx.Tx, merchant, current, joining tracking.ID) error {
	var ids []tracking.ID
	for _, id := range []tracking.ID{current, joining} {
		if !id.IsZero() && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	rows, err := tx.Query(ctx, lockCouriersSQL, ids, merchant)
	if err != nil {
		return err
	}
	locked, err := pgx.CollectRows(rows, pgx.RowTo[tracking.ID])
	if err != nil {
		return err
	}
	if !joining.IsZero() && !slices.Contains(locked, joining) {
		return tracking.Invalid("courier_id", "no such courier")
	}
	return nil
}

// The statuses are those of tracking.Status.OnRoute; a test compares them.
const onRoute = `('assigned', 'picked_up', 'en_route', 'arriving')`

const restopSQL = `
UPDATE deliveries d SET stops_before = r.n, rev = d.rev + 1, updated_at = $2
FROM (SELECT id, (row_number() OVER (ORDER BY route_order, id) - 1)::int AS n
      FROM deliveries WHERE courier_id = $1 AND status IN ` + onRoute + `) r
WHERE d.id = r.id AND d.stops_before IS DISTINCT FROM r.n
RETURNING d.id`

// restop counts again how many stops come before each of a courier's, and answers those for which it changed.
func restop(ctx context.Context, tx pgx.Tx, courier tracking.ID, now time.Time) ([]tracking.ID, error) {
	rows, err := tx.Query(ctx, restopSQL, courier, now)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[tracking.ID])
}

const routeIDsSQL = `SELECT id FROM deliveries WHERE courier_id = $1 AND status IN ` + onRoute + ` ORDER BY route_order, id`

const renumberSQL = `
UPDATE deliveries d SET route_order = o.n FROM unnest($1::uuid[]) WITH ORDINALITY o(id, n)
WHERE d.id = o.id AND d.route_order IS DISTINCT FROM o.n`

func routeIDs(ctx context.Context, tx pgx.Tx, courier tracking.ID) ([]tracking.ID, error) {
	rows, err := tx.Query(ctx, routeIDsSQL, courier)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[tracking.ID])
}

// placeStop puts one stop at an index of the route, or at its end when the index lies beyond.
func placeStop(ctx context.Context, tx pgx.Tx, courier, delivery tracking.ID, index int) error {
	route, err := routeIDs(ctx, tx, courier)
	if err != nil {
		return err
	}
	route = slices.DeleteFunc(route, func(id tracking.ID) bool { return id == delivery })
	route = slices.Insert(route, min(index, len(route)), delivery)
	_, err = tx.Exec(ctx, renumberSQL, route)
	return err
}

// Reorder implements tracking.Ledger.
func (s *Store) Reorder(ctx context.Context, merchant, courier tracking.ID, order []tracking.ID, now time.Time) ([]tracking.Record, error) {
	var records []tracking.Record
	err := s.within(ctx, func(ctx context.Context, tx pgx.Tx) error {
		if err := lockCouriers(ctx, tx, merchant, courier, courier); tracking.CodeOf(err) == tracking.CodeInvalid {
			return tracking.Errorf(tracking.CodeNotFound, "no such courier")
		} else if err != nil {
			return err
		}
		route, err := routeIDs(ctx, tx, courier)
		if err != nil {
			return err
		}
		for i, id := range order {
			if !slices.Contains(route, id) {
				return tracking.Invalid(fmt.Sprintf("delivery_ids[%d]", i), "is not an unfinished stop of this courier")
			}
		}
		stops := slices.Clone(order)
		for _, id := range route {
			if !slices.Contains(stops, id) {
				stops = append(stops, id)
			}
		}
		if _, err := tx.Exec(ctx, renumberSQL, stops); err != nil {
			return err
		}
		moved, err := restop(ctx, tx, courier, now)
		if err != nil || len(moved) == 0 {
			return err
		}
		records, err = recordsOf(ctx, tx, moved)
		return err
	})
	return records, err
}
