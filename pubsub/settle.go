package pubsub

import (
	"context"
	_ "embed"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"hotfoot/tracking"
)

//go:embed settle.lua
var settleLua string

var settleScript = redis.NewScript(settleLua)

// settleMax is how many entries one script removes at most: others wait for it.
const settleMax = 500

// Ack implements tracking.Backlog. An entry that another worker has settled before, or that was never there, is no error.
func (b *Backlog) Ack(ctx context.Context, entries []tracking.Entry) error {
	if err := b.settle(ctx, entries); err != nil {
		return tracking.Unavailable("Redis", err)
	}
	for _, e := range entries {
		delete(b.inHand, e.Handle)
	}
	return nil
}

func (b *Backlog) settle(ctx context.Context, entries []tracking.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	type settled struct{ ids, sizes []any }
	byStream := map[string]*settled{}
	for _, e := range entries {
		stream, id, _ := strings.Cut(e.Handle, " ")
		s := byStream[stream]
		if s == nil {
			s = &settled{}
			byStream[stream] = s
		}
		s.ids, s.sizes = append(s.ids, id), append(s.sizes, b.inHand[e.Handle].size)
	}
	var calls []call
	for _, l := range b.lines {
		s := byStream[l.stream]
		for from := 0; s != nil && from < len(s.ids); from += settleMax {
			to := min(from+settleMax, len(s.ids))
			calls = append(calls, call{[]string{l.stream, l.bytes}, slices.Concat([]any{group}, s.ids[from:to], s.sizes[from:to])})
		}
	}
	return runEach(ctx, b.client, settleScript, calls)
}
