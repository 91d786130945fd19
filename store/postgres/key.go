package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"hotfoot/tracking"
)

const insertKeySQL = `
INSERT INTO api_keys (id, merchant_id, role, courier_id, hash, hint, label, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`

func insertKey(ctx context.Context, q querier, k tracking.Key, now time.Time) error {
	_, err := q.Exec(ctx, insertKeySQL, k.ID, k.MerchantID, k.Role, optional(k.CourierID), k.Hash[:], k.Hint, k.Label, now)
	return err
}

// CreateKey stores a key. Errors: CodeNotFound (no such merchant), CodeUnavailable.
func (s *Store) CreateKey(ctx context.Context, k tracking.Key, now time.Time) error {
	return translate(insertKey(ctx, s.db, k, now))
}

const actorSQL = `SELECT id, merchant_id, role, courier_id FROM api_keys WHERE hash = $1 AND revoked_at IS NULL`

// Actor is whose key has this hash. Errors: CodeUnauthorized (unknown or revoked), CodeUnavailable.
func (s *Store) Actor(ctx context.Context, hash [32]byte) (tracking.Actor, error) {
	var a tracking.Actor
	var courier *tracking.ID
	err := s.db.QueryRow(ctx, actorSQL, hash[:]).Scan(&a.KeyID, &a.MerchantID, &a.Role, &courier)
	if err == pgx.ErrNoRows {
		return tracking.Actor{}, tracking.Errorf(tracking.CodeUnauthorized, "this key is not valid")
	}
	a.CourierID = value(courier)
	return a, translate(err)
}

const revokeCourierKeysSQL = `UPDATE api_keys SET revoked_at = $2 WHERE courier_id = $1 AND revoked_at IS NULL RETURNING hash`

// RotateKey implements tracking.Staff.
func (s *Store) RotateKey(ctx context.Context, merchant, courier tracking.ID, key tracking.Key, now time.Time) ([][32]byte, error) {
	var hashes [][32]byte
	err := s.within(ctx, func(ctx context.Context, tx pgx.Tx) error {
		rows, err := tx.Query(ctx, lockCourierSQL, courier, merchant)
		if err != nil {
			return err
		}
		if _, err := pgx.CollectExactlyOneRow(rows, scanCourier); err != nil {
			if err == pgx.ErrNoRows {
				return tracking.Errorf(tracking.CodeNotFound, "no such courier")
			}
			return err
		}
		if rows, err = tx.Query(ctx, revokeCourierKeysSQL, courier, now); err != nil {
			return err
		}
		if hashes, err = pgx.CollectRows(rows, scanHash); err != nil {
			return err
		}
		return insertKey(ctx, tx, key, now)
	})
	return hashes, err
}

const revokeKeySQL = `UPDATE api_keys SET revoked_at = coalesce(revoked_at, $2) WHERE id = $1 RETURNING hash`

// RevokeKey ends one key and answers its hash. Errors: CodeNotFound, CodeUnavailable.
func (s *Store) RevokeKey(ctx context.Context, id tracking.ID, now time.Time) ([32]byte, error) {
	rows, err := s.db.Query(ctx, revokeKeySQL, id, now)
	if err != nil {
		return [32]byte{}, translate(err)
	}
	hash, err := pgx.CollectExactlyOneRow(rows, scanHash)
	return hash, translate(err)
}

func scanHash(row pgx.CollectableRow) ([32]byte, error) {
	var hash []byte
	if err := row.Scan(&hash); err != nil {
		return [32]byte{}, err
	}
	return [32]byte(hash), nil
}

// KeyInfo is a key as an administrator sees it.
type KeyInfo struct {
	ID        tracking.ID
	Merchant  string
	Role      tracking.Role
	Courier   string
	Hint      string
	Label     string
	CreatedAt time.Time
	RevokedAt *time.Time
}

const listKeysSQL = `
SELECT k.id, m.name, k.role, coalesce(c.name, ''), k.hint, k.label, k.created_at, k.revoked_at
FROM api_keys k JOIN merchants m ON m.id = k.merchant_id LEFT JOIN couriers c ON c.id = k.courier_id
WHERE $1 = '' OR m.name = $1 ORDER BY m.name, k.created_at`

// Keys lists keys, of one merchant or, with an empty name, of all. Errors: CodeUnavailable.
func (s *Store) Keys(ctx context.Context, merchant string) ([]KeyInfo, error) {
	rows, err := s.db.Query(ctx, listKeysSQL, merchant)
	if err != nil {
		return nil, translate(err)
	}
	keys, err := pgx.CollectRows(rows, pgx.RowToStructByPos[KeyInfo])
	return keys, translate(err)
}
