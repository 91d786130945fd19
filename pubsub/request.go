package pubsub

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

// readBytes is about how much one Read brings, since all of it is stored in one transaction: 500 reports of one point are a fiftieth of it, 77 of
// 500 points are all of it.
const readBytes = 2 << 20

// request asks some lines for up to count entries each.
type request struct {
	lines []*line
	count int
}

// plan shares limit out by what the last Read showed: once among all lines, and once more among those where more was waiting, however few they
// are. So a backlog in one partition neither crawls nor holds up the others, and all together bring about twice the limit at most.
func (b *Backlog) plan(limit int) []request {
	if b.entrySize > 0 {
		limit = min(limit, readBytes/b.entrySize)
	} else {
		limit = 1
	}
	var deep, shallow []*line
	for _, l := range b.lines {
		if l.deep {
			deep = append(deep, l)
		} else {
			shallow = append(shallow, l)
		}
	}
	few := max(1, limit/len(b.lines))
	many := few
	if len(deep) > 0 {
		many = max(few, limit/len(deep))
	}
	if _, cluster := b.client.(*redis.ClusterClient); cluster {
		// One command cannot span a cluster's slots.
		return append(each(deep, many), each(shallow, few)...)
	}
	if many == few {
		return []request{{b.lines, few}}
	}
	return []request{{deep, many}, {shallow, few}}
}

func each(lines []*line, count int) (requests []request) {
	for _, l := range lines {
		requests = append(requests, request{[]*line{l}, count})
	}
	return requests
}

// ask sends requests in one round trip. A lone one waits at the server for something new.
func (b *Backlog) ask(ctx context.Context, requests []request) []*redis.XStreamSliceCmd {
	if len(requests) == 1 {
		return []*redis.XStreamSliceCmd{b.client.XReadGroup(ctx, b.arguments(requests[0], b.blockFor))}
	}
	replies := make([]*redis.XStreamSliceCmd, len(requests))
	pipe := b.client.Pipeline()
	for i, r := range requests {
		replies[i] = pipe.XReadGroup(ctx, b.arguments(r, -1))
	}
	// Each reply carries its own error.
	_, _ = pipe.Exec(ctx)
	return replies
}

func (b *Backlog) arguments(r request, block time.Duration) *redis.XReadGroupArgs {
	streams := make([]string, 2*len(r.lines))
	for i, l := range r.lines {
		streams[i], streams[len(r.lines)+i] = l.stream, ">"
		if l.unsettled {
			// What is pending comes without waiting, be it nothing.
			streams[len(r.lines)+i] = "0"
		}
	}
	return &redis.XReadGroupArgs{Group: group, Consumer: b.consumer, Streams: streams, Count: int64(r.count), Block: block}
}
