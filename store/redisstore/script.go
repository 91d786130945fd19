package redisstore

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// runAll runs a script once for each of n argument lists in one round trip, and loads it first where the server does not have it.
// The answers are in the order of the lists.
func (s *Store) runAll(ctx context.Context, script *redis.Script, n int, arguments func(int) ([]string, []any)) ([]*redis.Cmd, error) {
	answers := make([]*redis.Cmd, n)
	for attempt := 0; ; attempt++ {
		pipe := s.client.Pipeline()
		for i := range n {
			keys, args := arguments(i)
			answers[i] = script.EvalSha(ctx, pipe, keys, args...)
		}
		_, err := pipe.Exec(ctx)
		if err == nil {
			return answers, nil
		}
		if attempt > 0 || !redis.HasErrorPrefix(err, "NOSCRIPT") {
			return nil, unavailable(err)
		}
		// Comparing scripts may be run again: whatever of the pipeline did run changes nothing the second time.
		if err := script.Load(ctx, s.client).Err(); err != nil {
			return nil, unavailable(err)
		}
	}
}
