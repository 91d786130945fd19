package pubsub

import (
	"context"
	_ "embed"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/tracking"
)

//go:embed join.lua
var joinLua string

//go:embed retire.lua
var retireLua string

var (
	joinScript   = redis.NewScript(joinLua)
	retireScript = redis.NewScript(retireLua)
)

const (
	// claimAfter is how long an entry may be in a worker's hands before another takes it: well above the longest batch.
	claimAfter = time.Minute
	claimEvery = 20 * time.Second
	claimPage  = 100
	// goneAfter is how long a consumer must not have been heard of. One that comes back all the same is made anew when it reads.
	goneAfter   = 10 * time.Minute
	retireEvery = 5 * time.Minute
)

// join makes the group where it is missing.
func (b *Backlog) join(ctx context.Context) error {
	if err := runEach(ctx, b.client, joinScript, b.calls()); err != nil {
		return tracking.Unavailable("Redis", err)
	}
	b.joined = true
	return nil
}

// claim takes over what other workers have had in hand for too long; it is then among our own pending entries. A round goes through every stream
// to the end of what is pending there, one page a Read, and not before the last page is settled: nobody hoards what they cannot store.
func (b *Backlog) claim(ctx context.Context) {
	if time.Since(b.claimed) > claimEvery {
		b.claimed = time.Now()
		for _, l := range b.lines {
			if l.claimFrom == "" {
				l.claimFrom = start
			}
		}
	}
	pipe := b.client.Pipeline()
	var asked []*line
	var replies []*redis.XAutoClaimJustIDCmd
	for _, l := range b.lines {
		if l.claimFrom != "" && !l.unsettled {
			asked = append(asked, l)
			replies = append(replies, pipe.XAutoClaimJustID(ctx, &redis.XAutoClaimArgs{
				Stream: l.stream, Group: group, Consumer: b.consumer, MinIdle: b.claimIdle, Start: l.claimFrom, Count: claimPage,
			}))
		}
	}
	if _, err := pipe.Exec(ctx); err != nil && ctx.Err() == nil {
		b.log.Warn("taking over what other workers left failed; it is tried again", "error", err)
	}
	for i, l := range asked {
		ids, next, err := replies[i].Result()
		if err != nil {
			b.failed(asked[i:i+1], err)
			next = start
		}
		l.unsettled = l.unsettled || len(ids) > 0
		if l.claimFrom = next; next == start {
			l.claimFrom = ""
		}
	}
}

// start is where a round of claims begins, and what the server answers at its end.
const start = "0-0"

// retire removes consumers that are gone: each start of a worker makes one.
func (b *Backlog) retire(ctx context.Context) {
	if time.Since(b.retired) < retireEvery {
		return
	}
	b.retired = time.Now()
	if err := runEach(ctx, b.client, retireScript, b.calls(b.goneIdle.Milliseconds())); err != nil && ctx.Err() == nil {
		b.log.Warn("removing consumers that are gone failed; it is tried again", "error", err)
	}
}

// calls are one call for each stream.
func (b *Backlog) calls(args ...any) []call {
	calls := make([]call, len(b.lines))
	for i, l := range b.lines {
		calls[i] = call{[]string{l.stream}, append([]any{group}, args...)}
	}
	return calls
}
