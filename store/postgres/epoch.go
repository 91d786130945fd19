package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
)

const epochSQL = `SELECT epoch FROM epoch`

// Epoch is which of its histories the database tells; a number that is raised when history was rewritten. Errors: CodeUnavailable.
func (s *Store) Epoch(ctx context.Context) (int64, error) {
	var epoch int64
	err := s.db.QueryRow(ctx, epochSQL).Scan(&epoch)
	return epoch, translate(err)
}

// A number must never come twice, and a restore takes the last one back, too: so it is the time, in seconds since 1970.
const raiseEpochSQL = `UPDATE epoch SET epoch = greatest(epoch + 1, floor(extract(epoch FROM clock_timestamp()))::bigint) RETURNING epoch`

// RaiseEpoch says that history was rewritten, and answers the new epoch. Errors: CodeUnavailable.
func (s *Store) RaiseEpoch(ctx context.Context) (int64, error) {
	var epoch int64
	err := s.within(ctx, func(ctx context.Context, tx pgx.Tx) error { return tx.QueryRow(ctx, raiseEpochSQL).Scan(&epoch) })
	return epoch, err
}
