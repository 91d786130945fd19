package redisstore

import (
	"context"
	_ "embed"

	"github.com/redis/go-redis/v9"

	"hotfoot/tracking"
	"hotfoot/tracking/key"
)

//go:embed mark.lua
var markLua string

var markScript = redis.NewScript(markLua)

// MarkDurable implements tracking.Hot and tracking.Marker.
func (s *Store) MarkDurable(ctx context.Context, marks []tracking.Mark) error {
	if len(marks) == 0 {
		return nil
	}
	return s.runAll(ctx, markScript, len(marks), func(i int) ([]string, []any) {
		m := marks[i]
		return []string{key.Session(m.CourierID, m.Session)}, []any{m.DurableSeq, int(ttl().Seconds())}
	})
}

// runAll runs a script once for each of n argument lists in one round trip, and loads it first where the server does not have it.
func (s *Store) runAll(ctx context.Context, script *redis.Script, n int, arguments func(int) ([]string, []any)) error {
	for attempt := 0; ; attempt++ {
		pipe := s.client.Pipeline()
		for i := range n {
			keys, args := arguments(i)
			script.EvalSha(ctx, pipe, keys, args...)
		}
		_, err := pipe.Exec(ctx)
		if err == nil {
			return nil
		}
		if attempt > 0 || !redis.HasErrorPrefix(err, "NOSCRIPT") {
			return unavailable(err)
		}
		// Comparing scripts may be run again: whatever of the pipeline did run changes nothing the second time.
		if err := script.Load(ctx, s.client).Err(); err != nil {
			return unavailable(err)
		}
	}
}
