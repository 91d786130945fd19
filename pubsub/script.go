package pubsub

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// call is one run of a script.
type call struct {
	keys []string
	args []any
}

// runEach makes all calls in one round trip, and loads the script first where a server does not have it. It must be a script that may run again:
// some calls may have run when others have not.
func runEach(ctx context.Context, client redis.UniversalClient, script *redis.Script, calls []call) error {
	for attempt := 0; ; attempt++ {
		pipe := client.Pipeline()
		for _, c := range calls {
			script.EvalSha(ctx, pipe, c.keys, c.args...)
		}
		_, err := pipe.Exec(ctx)
		if err == nil || attempt > 0 || !redis.HasErrorPrefix(err, "NOSCRIPT") {
			return err
		}
		if err := script.Load(ctx, client).Err(); err != nil {
			return err
		}
	}
}
