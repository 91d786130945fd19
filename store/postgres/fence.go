package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"hotfoot/tracking"
)

const fenceSQL = `
INSERT INTO fences (work, of, fence) VALUES ($1, $2, $3)
ON CONFLICT (work, of) DO UPDATE SET fence = excluded.fence WHERE fences.fence <= excluded.fence`

// passFence lets a transaction write under a lease, unless a later one was seen. Whoever comes with a later one meanwhile waits for the commit, so
// that the two write one after the other. Errors: CodeConflict.
func passFence(ctx context.Context, tx pgx.Tx, l tracking.Lease) error {
	tag, err := tx.Exec(ctx, fenceSQL, l.Resource.Work, l.Resource.Of, l.Fence)
	if err == nil && tag.RowsAffected() == 0 {
		return tracking.Errorf(tracking.CodeConflict, "somebody with a later lease is at it")
	}
	return err
}

const lastFenceSQL = `SELECT coalesce((SELECT fence FROM fences WHERE work = $1 AND of = $2), 0)`

// LastFence implements tracking.Seals.
func (s *Store) LastFence(ctx context.Context, r tracking.Resource) (int64, error) {
	var fence int64
	err := s.db.QueryRow(ctx, lastFenceSQL, r.Work, r.Of).Scan(&fence)
	return fence, translate(err)
}
