package pubsub

import (
	"context"

	"github.com/redis/go-redis/v9"

	"hotfoot/tracking"
	"hotfoot/tracking/key"
)

// Waiting counts the batches of positions that wait for Postgres, and those that were put aside because they can never be stored. Errors:
// CodeUnavailable.
func Waiting(ctx context.Context, client redis.UniversalClient) (batches, dead int64, err error) {
	pipe := client.Pipeline()
	var lengths [key.Partitions]*redis.IntCmd
	for p := range lengths {
		lengths[p] = pipe.XLen(ctx, key.Positions(p))
	}
	buried := pipe.XLen(ctx, deadStream)
	if _, err := pipe.Exec(ctx); err != nil {
		return 0, 0, tracking.Unavailable("Redis", err)
	}
	for _, l := range lengths {
		batches += l.Val()
	}
	return batches, buried.Val(), nil
}
