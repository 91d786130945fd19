package redisstore

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/tracking"
	"hotfoot/tracking/key"
)

var _ tracking.HotKeys = (*Store)(nil)

// actorVersion stands before an actor: version u8, merchant, courier and key id 16 bytes each, role. An empty value is a key that was revoked.
const actorVersion = 1

// KeepActor implements tracking.HotKeys. Who holds a key never changes, so what is there only lives longer: also that it was revoked. What expires is kept
// no longer than it opens anything.
func (s *Store) KeepActor(ctx context.Context, hash [32]byte, actor tracking.Actor) error {
	value := append(make([]byte, 0, 64), actorVersion)
	for _, id := range []tracking.ID{actor.MerchantID, actor.CourierID, actor.KeyID} {
		value = append(value, id[:]...)
	}
	value = append(value, actor.Role...)
	life := time.Duration(ttl()) * time.Second
	if !actor.Until.IsZero() {
		life = min(life, time.Until(actor.Until))
	}
	if life < time.Millisecond {
		return nil
	}
	pipe := s.client.Pipeline()
	pipe.SetNX(ctx, key.Actor(hash), value, life)
	pipe.PExpire(ctx, key.Actor(hash), life)
	_, err := pipe.Exec(ctx)
	return unavailable(err)
}

// KeptActor implements tracking.HotKeys.
func (s *Store) KeptActor(ctx context.Context, hash [32]byte) (tracking.Actor, error) {
	value, err := s.client.Get(ctx, key.Actor(hash)).Bytes()
	switch {
	case err != nil && !errors.Is(err, redis.Nil):
		return tracking.Actor{}, unavailable(err)
	case len(value) < 1+3*16 || value[0] != actorVersion:
		return tracking.Actor{}, tracking.Errorf(tracking.CodeNotFound, "no such key was seen lately")
	}
	return tracking.Actor{
		KeyHash: hash, MerchantID: tracking.ID(value[1:17]), CourierID: tracking.ID(value[17:33]), KeyID: tracking.ID(value[33:49]), Role: tracking.Role(value[49:]),
	}, nil
}

// ForgetActor makes keys unknown that were revoked. A node that has just looked one up cannot bring it back. Errors: CodeUnavailable.
func (s *Store) ForgetActor(ctx context.Context, hashes [][32]byte) error {
	if len(hashes) == 0 {
		return nil
	}
	pipe := s.client.Pipeline()
	for _, hash := range hashes {
		pipe.Set(ctx, key.Actor(hash), "", time.Duration(ttl())*time.Second)
	}
	_, err := pipe.Exec(ctx)
	return unavailable(err)
}
