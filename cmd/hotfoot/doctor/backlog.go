package doctor

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/pubsub"
)

// backlog looks at positions on their way to Postgres, and at the workers who bring them there.
func (c *chart) backlog(ctx context.Context, client redis.UniversalClient) {
	is, err := pubsub.Inspect(ctx, client)
	if err != nil {
		c.bad("backlog", "docs/runbooks/positions-not-stored.md", "it cannot be looked at: %v", err)
		return
	}
	const start = "run a node with the role worker"
	switch {
	case is.Active == 0 && is.Waiting > 0:
		c.bad("workers", start, "there is none, and %d batches of positions wait", is.Waiting)
	case is.Active == 0:
		c.warn("workers", start, "there is none")
	case is.Left > 0:
		c.warn("workers", "nothing, unless it stays so: another takes over within a minute or two", "%d batches are in the hands of %d that are gone", is.Left, is.Gone)
	default:
		// Each worker is two members, of which the second works when there is much to do.
		c.ok("workers", "%d members of the group are there", is.Active)
	}
	age := time.Duration(0)
	if is.Waiting > 0 {
		age = time.Since(is.Oldest).Round(time.Second)
	}
	const look = "docs/runbooks/positions-not-stored.md"
	switch {
	case age > time.Hour:
		c.bad("backlog", look, "%d batches wait, the oldest for %s", is.Waiting, age)
	case age > time.Minute:
		c.warn("backlog", look, "%d batches wait, the oldest for %s", is.Waiting, age)
	default:
		c.ok("backlog", "%d batches wait, %d of them in a worker's hands", is.Waiting, is.Pending)
	}
}
