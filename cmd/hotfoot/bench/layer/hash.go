//go:build linux

package layer

import (
	"context"
	"errors"

	"github.com/redis/go-redis/v9"

	"hotfoot/store/redisstore"
	"hotfoot/tracking"
)

// Hash assembles snapshots from Redis, which must have them: a store of Hotfoot's, but one with no room for what it has read, and without a truth to
// read a miss from.
func Hash(client redis.UniversalClient) Assemble {
	store := redisstore.New(client, nothing{}, redisstore.Config{HeldBytes: 1})
	return func(ctx context.Context, delivery tracking.ID) (tracking.Record, *tracking.Position, error) {
		sight, err := store.Sight(ctx, delivery)
		if err != nil {
			return tracking.Record{}, nil, err
		}
		return *sight.Record, sight.Newest, nil
	}
}

// nothing is a truth that is never there.
type nothing struct{}

var errNothing = tracking.Unavailable("Postgres", errors.New("there is none behind this layer"))

func (nothing) Records(context.Context, []tracking.ID) ([]tracking.Record, error) {
	return nil, errNothing
}

func (nothing) Revisions(context.Context, []tracking.ID) ([]tracking.Revision, error) {
	return nil, errNothing
}

func (nothing) NewestOf(context.Context, []tracking.ID) ([]*tracking.Position, error) {
	return nil, errNothing
}

func (nothing) Courier(context.Context, tracking.ID, tracking.ID) (tracking.Courier, error) {
	return tracking.Courier{}, errNothing
}

func (nothing) DurableSeq(context.Context, tracking.ID, string) (int64, error) {
	return 0, errNothing
}
