package redisstore

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/redis/go-redis/v9"
)

// call is one run of a script.
type call struct {
	script    *redis.Script
	keys      []string
	arguments []any
}

// runAll runs a script once for each of n argument lists, as runCalls does. The answers are in the order of the lists.
func (s *Store) runAll(ctx context.Context, script *redis.Script, n int, arguments func(int) ([]string, []any)) ([]*redis.Cmd, error) {
	calls := make([]call, n)
	for i := range calls {
		keys, args := arguments(i)
		calls[i] = call{script, keys, args}
	}
	return s.runCalls(ctx, calls)
}

// runCalls runs scripts in one round trip, on one server in their order, and loads those first that the server does not have. The answers are in the order of
// the calls.
func (s *Store) runCalls(ctx context.Context, calls []call) ([]*redis.Cmd, error) {
	answers := make([]*redis.Cmd, len(calls))
	for attempt := 0; ; attempt++ {
		pipe := s.client.Pipeline()
		for i, c := range calls {
			answers[i] = c.script.EvalSha(ctx, pipe, c.keys, c.arguments...)
		}
		_, err := pipe.Exec(ctx)
		if err == nil {
			return answers, nil
		}
		if attempt > 0 || !redis.HasErrorPrefix(err, "NOSCRIPT") {
			return nil, unavailable(err)
		}
		// Comparing scripts may be run again: whatever of the pipeline did run changes nothing the second time, and what is stale already stays so.
		loaded := map[*redis.Script]bool{}
		for _, c := range calls {
			if loaded[c.script] {
				continue
			}
			loaded[c.script] = true
			if err := c.script.Load(ctx, s.client).Err(); err != nil {
				return nil, unavailable(err)
			}
		}
	}
}

// jittered is about so long: up to a tenth less, so that what was made together does not end together.
func jittered(d time.Duration) time.Duration { return d - time.Duration(rand.Int64N(int64(d/10)+1)) }
