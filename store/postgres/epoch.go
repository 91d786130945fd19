package postgres

import "context"

const epochSQL = `SELECT epoch FROM epoch`

// Epoch is how often history was rewritten. Errors: CodeUnavailable.
func (s *Store) Epoch(ctx context.Context) (int64, error) {
	var epoch int64
	err := s.db.QueryRow(ctx, epochSQL).Scan(&epoch)
	return epoch, translate(err)
}

const raiseEpochSQL = `UPDATE epoch SET epoch = epoch + 1 RETURNING epoch`

// RaiseEpoch says that history was rewritten, and answers the new epoch. Errors: CodeUnavailable.
func (s *Store) RaiseEpoch(ctx context.Context) (int64, error) {
	var epoch int64
	err := s.db.QueryRow(ctx, raiseEpochSQL).Scan(&epoch)
	return epoch, translate(err)
}
