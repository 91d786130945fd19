package tracking

import (
	"context"
	"log/slog"
	"time"
)

// KeyState is a key as its merchant sees it: what it is, and until when it opens anything.
type KeyState struct {
	Key
	CreatedAt time.Time
	RevokedAt time.Time // zero while it was not revoked
}

// KeyStore is the truth about keys, as far as merchants look after them. An actor with the zero merchant is an operator, for whom all keys are theirs.
// Errors: CodeNotFound, CodeUnavailable.
type KeyStore interface {
	CreateKey(ctx context.Context, key Key, now time.Time) error
	// KeysOf answers the merchant's keys but couriers', the newest first, those before a given one.
	KeysOf(ctx context.Context, merchant, before ID, limit int) ([]KeyState, error)
	// RevokeKey ends a key; one that has ended stays so. It answers the key's hash.
	RevokeKey(ctx context.Context, merchant, key ID, now time.Time) ([32]byte, error)
	// ReplaceKey has replace make a new key of the one that is stored, and stores it. The old one ends at until if that is after now, or else at once; then its
	// hash is answered.
	ReplaceKey(ctx context.Context, merchant, key ID, replace func(Key) Key, now, until time.Time) ([][32]byte, error)
}

// Locksmith is what merchants decide about their own keys.
type Locksmith struct {
	store   KeyStore
	revoker Revoker
	now     func() time.Time
	log     *slog.Logger
}

// NewLocksmith ties the use case to its ports.
func NewLocksmith(store KeyStore, revoker Revoker, now func() time.Time, log *slog.Logger) *Locksmith {
	return &Locksmith{store: store, revoker: revoker, now: now, log: log}
}

// Keys lists the merchant's keys but couriers', the newest first, those before a given one.
func (u *Locksmith) Keys(ctx context.Context, actor Actor, before ID, limit int) ([]KeyState, error) {
	return u.store.KeysOf(ctx, actor.MerchantID, before, limit)
}

// Cut makes a key of role merchant or ops, and the secret to show once. It expires, unless the time is zero. Errors: CodeInvalid.
func (u *Locksmith) Cut(ctx context.Context, actor Actor, role Role, label string, expires time.Time) (KeyState, string, error) {
	now := u.now()
	switch {
	case role != RoleMerchant && role != RoleOps:
		return KeyState{}, "", Invalid("role", "must be merchant or ops: couriers get theirs with POST /v1/couriers")
	case !expires.IsZero() && !expires.After(now):
		return KeyState{}, "", Invalid("expires_at", "must be in the future")
	}
	key, secret := NewKey(actor.MerchantID, role, ID{}, label)
	key.ExpiresAt = expires
	return KeyState{Key: key, CreatedAt: now}, secret, u.store.CreateKey(By(ctx, actor), key, now)
}

// Replace makes a new key in place of another, which goes on for the overlap so that whoever uses it can change; without one it ends at once. The new one has
// no day on which it expires. Errors: CodeNotFound, CodeInvalid (the overlap).
func (u *Locksmith) Replace(ctx context.Context, actor Actor, key ID, overlap time.Duration) (made KeyState, secret string, err error) {
	if err := checkOverlap(overlap); err != nil {
		return KeyState{}, "", err
	}
	now := u.now()
	revoked, err := u.store.ReplaceKey(By(ctx, actor), actor.MerchantID, key, func(old Key) Key {
		made.Key, secret = NewKey(old.MerchantID, old.Role, old.CourierID, old.Label)
		return made.Key
	}, now, now.Add(overlap))
	if err != nil {
		return KeyState{}, "", err
	}
	made.CreatedAt = now
	u.tell(ctx, revoked)
	return made, secret, nil
}

// Revoke ends a key at once, also on sockets that are open. Errors: CodeNotFound.
func (u *Locksmith) Revoke(ctx context.Context, actor Actor, key ID) error {
	hash, err := u.store.RevokeKey(By(ctx, actor), actor.MerchantID, key, u.now())
	if err == nil {
		u.tell(ctx, [][32]byte{hash})
	}
	return err
}

func (u *Locksmith) tell(ctx context.Context, revoked [][32]byte) {
	if err := u.revoker.Revoke(ctx, revoked); err != nil {
		u.log.Warn("telling other nodes of a revoked key failed; they will notice when they look it up again", "error", err)
	}
}

// maxOverlap is how long two keys may be good for the same.
const maxOverlap = 30 * 24 * time.Hour

func checkOverlap(overlap time.Duration) error {
	if overlap < 0 || overlap > maxOverlap {
		return Invalid("overlap_s", "must be between 0 and %d", int(maxOverlap.Seconds()))
	}
	return nil
}
