package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"hotfoot/tracking"
)

const insertKeySQL = `
INSERT INTO api_keys (id, merchant_id, role, courier_id, hash, hint, label, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`

func insertKey(ctx context.Context, q querier, k tracking.Key, now time.Time) error {
	_, err := q.Exec(ctx, insertKeySQL, k.ID, k.MerchantID, k.Role, optional(k.CourierID), k.Hash[:], k.Hint, k.Label, now, orNever(k.ExpiresAt))
	return err
}

// CreateKey stores a key. Errors: CodeNotFound (no such merchant), CodeUnavailable.
func (s *Store) CreateKey(ctx context.Context, k tracking.Key, now time.Time) error {
	return s.within(ctx, func(ctx context.Context, tx pgx.Tx) error { return insertKey(ctx, tx, k, now) })
}

// orNever is NULL for the zero time.
func orNever(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}

// atOr is the zero time for NULL.
func atOr(at *time.Time) time.Time {
	if at == nil {
		return time.Time{}
	}
	return at.UTC()
}

// valid is what a key must be to open anything.
const valid = `revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())`

const actorSQL = `SELECT id, merchant_id, role, courier_id, expires_at FROM api_keys WHERE hash = $1 AND ` + valid

// Actor is whose key has this hash. Errors: CodeUnauthorized (unknown, revoked or expired), CodeUnavailable.
func (s *Store) Actor(ctx context.Context, hash [32]byte) (tracking.Actor, error) {
	a := tracking.Actor{KeyHash: hash}
	var courier *tracking.ID
	var until *time.Time
	err := s.db.QueryRow(ctx, actorSQL, hash[:]).Scan(&a.KeyID, &a.MerchantID, &a.Role, &courier, &until)
	if err == pgx.ErrNoRows {
		return tracking.Actor{}, tracking.Errorf(tracking.CodeUnauthorized, "this key is not valid")
	}
	a.CourierID = value(courier)
	a.Until = atOr(until)
	return a, translate(err)
}

const endedKeysSQL = `
SELECT held.hash FROM unnest($1::bytea[]) AS held (hash)
WHERE NOT EXISTS (SELECT FROM api_keys k WHERE k.hash = held.hash AND ` + valid + `)`

// Ended answers those of the hashes whose key opens nothing any more. Errors: CodeUnavailable.
func (s *Store) Ended(ctx context.Context, hashes [][32]byte) ([][32]byte, error) {
	held := make([][]byte, len(hashes))
	for i := range hashes {
		held[i] = hashes[i][:]
	}
	rows, err := s.db.Query(ctx, endedKeysSQL, held)
	if err != nil {
		return nil, translate(err)
	}
	ended, err := pgx.CollectRows(rows, scanHash)
	return ended, translate(err)
}

// A key that would end sooner anyway does.
const (
	revokeCourierKeysSQL = `UPDATE api_keys SET revoked_at = $2 WHERE courier_id = $1 AND revoked_at IS NULL RETURNING hash`
	expireCourierKeysSQL = `UPDATE api_keys SET expires_at = least(expires_at, $2) WHERE courier_id = $1 AND revoked_at IS NULL`
)

// RotateKey implements tracking.Staff.
func (s *Store) RotateKey(ctx context.Context, merchant, courier tracking.ID, key tracking.Key, now, until time.Time) ([][32]byte, error) {
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
		if until.After(now) {
			_, err = tx.Exec(ctx, expireCourierKeysSQL, courier, until)
		} else if rows, err = tx.Query(ctx, revokeCourierKeysSQL, courier, now); err == nil {
			hashes, err = pgx.CollectRows(rows, scanHash)
		}
		if err != nil {
			return err
		}
		return insertKey(ctx, tx, key, now)
	})
	return hashes, err
}

const revokeKeySQL = `
UPDATE api_keys SET revoked_at = coalesce(revoked_at, $3) WHERE id = $1 AND ($2::uuid IS NULL OR merchant_id = $2) RETURNING hash`

// RevokeKey implements tracking.KeyStore.
func (s *Store) RevokeKey(ctx context.Context, merchant, id tracking.ID, now time.Time) ([32]byte, error) {
	var hash [32]byte
	err := s.within(ctx, func(ctx context.Context, tx pgx.Tx) error {
		rows, err := tx.Query(ctx, revokeKeySQL, id, optional(merchant), now)
		if err != nil {
			return err
		}
		if hash, err = pgx.CollectExactlyOneRow(rows, scanHash); err == pgx.ErrNoRows {
			return errNoKey
		}
		return err
	})
	return hash, err
}

var errNoKey = tracking.Errorf(tracking.CodeNotFound, "no such key")

const lockKeySQL = `
SELECT merchant_id, role, courier_id, label FROM api_keys WHERE id = $1 AND ($2::uuid IS NULL OR merchant_id = $2) AND ` + valid + ` FOR UPDATE`

// A key that would end sooner anyway does.
const expireKeySQL = `UPDATE api_keys SET expires_at = least(expires_at, $2) WHERE id = $1`

// ReplaceKey implements tracking.KeyStore. A key that has ended is not found: it could not have been changed for the new one in peace.
func (s *Store) ReplaceKey(ctx context.Context, merchant, id tracking.ID, replace func(tracking.Key) tracking.Key, now, until time.Time) ([][32]byte, error) {
	var revoked [][32]byte
	err := s.within(ctx, func(ctx context.Context, tx pgx.Tx) error {
		old := tracking.Key{ID: id}
		var courier *tracking.ID
		err := tx.QueryRow(ctx, lockKeySQL, id, optional(merchant)).Scan(&old.MerchantID, &old.Role, &courier, &old.Label)
		if err == pgx.ErrNoRows {
			return errNoKey
		}
		if err != nil {
			return err
		}
		old.CourierID = value(courier)
		if until.After(now) {
			_, err = tx.Exec(ctx, expireKeySQL, id, until)
		} else {
			var rows pgx.Rows
			if rows, err = tx.Query(ctx, revokeKeySQL, id, nil, now); err == nil {
				revoked, err = pgx.CollectRows(rows, scanHash)
			}
		}
		if err != nil {
			return err
		}
		return insertKey(ctx, tx, replace(old), now)
	})
	return revoked, err
}

const keysOfSQL = `
SELECT id, merchant_id, role, hint, label, created_at, expires_at, revoked_at FROM api_keys
WHERE merchant_id = $1 AND courier_id IS NULL AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3`

// KeysOf implements tracking.KeyStore.
func (s *Store) KeysOf(ctx context.Context, merchant, before tracking.ID, limit int) ([]tracking.KeyState, error) {
	rows, err := s.db.Query(ctx, keysOfSQL, merchant, optional(before), limit)
	if err != nil {
		return nil, translate(err)
	}
	keys, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (k tracking.KeyState, err error) {
		var expires, revoked *time.Time
		err = row.Scan(&k.ID, &k.MerchantID, &k.Role, &k.Hint, &k.Label, &k.CreatedAt, &expires, &revoked)
		k.ExpiresAt, k.RevokedAt = atOr(expires), atOr(revoked)
		return k, err
	})
	return keys, translate(err)
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
	ExpiresAt *time.Time
	RevokedAt *time.Time
}

const listKeysSQL = `
SELECT k.id, m.name, k.role, coalesce(c.name, ''), k.hint, k.label, k.created_at, k.expires_at, k.revoked_at
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
