package pubsub

import (
	"context"

	"github.com/redis/go-redis/v9"

	"hotfoot/tracking"
	"hotfoot/tracking/key"
)

// Waiting counts the batches of positions that wait for Postgres. Errors: CodeUnavailable.
func Waiting(ctx context.Context, client redis.UniversalClient) (int64, error) {
	pipe := client.Pipeline()
	var lengths [key.Partitions]*redis.IntCmd
	for p := range lengths {
		lengths[p] = pipe.XLen(ctx, key.Positions(p))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return 0, tracking.Unavailable("Redis", err)
	}
	batches := int64(0)
	for _, l := range lengths {
		batches += l.Val()
	}
	return batches, nil
}
