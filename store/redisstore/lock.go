package redisstore

import (
	"context"
	"crypto/rand"
	_ "embed"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/tracking"
	"hotfoot/tracking/key"
)

var _ tracking.Locks = (*Store)(nil)

var (
	//go:embed lock.lua
	lockLua string
	//go:embed extend.lua
	extendLua string
	//go:embed release.lua
	releaseLua string

	lockScript    = redis.NewScript(lockLua)
	extendScript  = redis.NewScript(extendLua)
	releaseScript = redis.NewScript(releaseLua)
)

// Acquire implements tracking.Locks. When the answer is lost the lock may be held by nobody who knows; its life ends that, too.
func (s *Store) Acquire(ctx context.Context, r tracking.Resource, life time.Duration, after int64) (tracking.Lease, error) {
	lease := tracking.Lease{Resource: r, Token: rand.Text()}
	keys := []string{key.Lock(r), key.Fence(r)}
	fence, err := lockScript.Run(ctx, s.client, keys, lease.Token, life.Milliseconds(), after, ttl()).Int64()
	if err != nil {
		return tracking.Lease{}, unavailable(err)
	}
	if fence == 0 {
		return tracking.Lease{}, tracking.Errorf(tracking.CodeConflict, "somebody else is at it")
	}
	lease.Fence = fence
	return lease, nil
}

// Extend implements tracking.Locks.
func (s *Store) Extend(ctx context.Context, l tracking.Lease, life time.Duration) error {
	held, err := extendScript.Run(ctx, s.client, []string{key.Lock(l.Resource)}, l.Token, life.Milliseconds()).Int()
	if err == nil && held == 0 {
		return tracking.Errorf(tracking.CodeConflict, "the lease has ended")
	}
	return unavailable(err)
}

// Release implements tracking.Locks.
func (s *Store) Release(ctx context.Context, l tracking.Lease) error {
	return unavailable(releaseScript.Run(ctx, s.client, []string{key.Lock(l.Resource)}, l.Token).Err())
}
