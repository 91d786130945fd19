package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"hotfoot/tracking"
)

var _ tracking.Outbox = (*Store)(nil)

const unpublishedSQL = `SELECT id FROM deliveries WHERE published_rev < rev AND updated_at < $1 ORDER BY updated_at LIMIT $2`

// Unpublished implements tracking.Outbox.
func (s *Store) Unpublished(ctx context.Context, before time.Time, limit int) ([]tracking.Record, error) {
	rows, err := s.db.Query(ctx, unpublishedSQL, before, limit)
	if err != nil {
		return nil, translate(err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[tracking.ID])
	if err != nil || len(ids) == 0 {
		return nil, translate(err)
	}
	records, err := recordsOf(ctx, s.db, ids)
	return records, translate(err)
}

// A delivery that somebody holds is skipped, since waiting for several in no order could go round in a circle with those who change them. It is
// about to change, and then stays unpublished anyway; or it is announced once more.
const markPublishedSQL = `
WITH free AS (SELECT id FROM deliveries WHERE id = ANY($1) FOR NO KEY UPDATE SKIP LOCKED)
UPDATE deliveries d SET published_rev = m.rev FROM unnest($1::uuid[], $2::bigint[]) m(id, rev) JOIN free ON free.id = m.id
WHERE d.id = m.id AND d.published_rev < m.rev`

// MarkPublished implements tracking.Outbox.
func (s *Store) MarkPublished(ctx context.Context, told []tracking.Record) error {
	newest := make(map[tracking.ID]int64, len(told))
	for _, r := range told {
		newest[r.Delivery.ID] = max(newest[r.Delivery.ID], r.Delivery.Rev)
	}
	return s.markPublished(ctx, markPublishedSQL, newest)
}

const unpublishedCouriersSQL = `SELECT ` + courierColumns + ` FROM couriers WHERE published_rev < rev AND updated_at < $1 ORDER BY updated_at LIMIT $2`

// UnpublishedCouriers implements tracking.Outbox.
func (s *Store) UnpublishedCouriers(ctx context.Context, before time.Time, limit int) ([]tracking.Courier, error) {
	rows, err := s.db.Query(ctx, unpublishedCouriersSQL, before, limit)
	if err != nil {
		return nil, translate(err)
	}
	couriers, err := pgx.CollectRows(rows, scanCourier)
	return couriers, translate(err)
}

// Couriers that somebody holds are skipped for the same reason as deliveries.
const markCouriersPublishedSQL = `
WITH free AS (SELECT id FROM couriers WHERE id = ANY($1) FOR NO KEY UPDATE SKIP LOCKED)
UPDATE couriers c SET published_rev = m.rev FROM unnest($1::uuid[], $2::bigint[]) m(id, rev) JOIN free ON free.id = m.id
WHERE c.id = m.id AND c.published_rev < m.rev`

// MarkCouriersPublished implements tracking.Outbox.
func (s *Store) MarkCouriersPublished(ctx context.Context, told []tracking.Courier) error {
	newest := make(map[tracking.ID]int64, len(told))
	for _, c := range told {
		newest[c.ID] = max(newest[c.ID], c.Rev)
	}
	return s.markPublished(ctx, markCouriersPublishedSQL, newest)
}

func (s *Store) markPublished(ctx context.Context, sql string, newest map[tracking.ID]int64) error {
	ids, revs := make([]tracking.ID, 0, len(newest)), make([]int64, 0, len(newest))
	for id, rev := range newest {
		ids, revs = append(ids, id), append(revs, rev)
	}
	_, err := s.db.Exec(ctx, sql, ids, revs)
	return translate(err)
}
