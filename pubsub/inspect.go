package pubsub

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/tracking"
	"hotfoot/tracking/key"
)

// Condition is how the backlog and its workers are, over all partitions.
type Condition struct {
	Waiting int64     // batches in the streams, those in a worker's hands included
	Oldest  time.Time // when the oldest of them was accepted, by Redis' clock; zero for none
	Pending int64     // batches in a worker's hands
	Active  int       // members of the group that were heard of within a minute: a worker has two
	Gone    int       // those that were not
	Left    int64     // batches in the hands of those
}

// heardWithin is how long ago an active member was heard of at most: each asks at least every few seconds.
const heardWithin = time.Minute

// Inspect asks how the backlog is, in two round trips, and changes nothing. Errors: CodeUnavailable.
func Inspect(ctx context.Context, client redis.UniversalClient) (c Condition, err error) {
	pipe := client.Pipeline()
	var lengths [key.Partitions]*redis.IntCmd
	var first [key.Partitions]*redis.XMessageSliceCmd
	var groups [key.Partitions]*redis.XInfoGroupsCmd
	for p := range key.Partitions {
		stream := key.Positions(p)
		lengths[p], first[p], groups[p] = pipe.XLen(ctx, stream), pipe.XRangeN(ctx, stream, "-", "+", 1), pipe.XInfoGroups(ctx, stream)
	}
	_, _ = pipe.Exec(ctx) // a stream that is not there has no groups, which is an error of its own
	pipe = client.Pipeline()
	var members []*redis.XInfoConsumersCmd
	for p := range key.Partitions {
		if err := lengths[p].Err(); err != nil {
			return c, tracking.Unavailable("Redis", err)
		}
		c.Waiting += lengths[p].Val()
		for _, m := range first[p].Val() {
			if at := acceptedAt(m.ID); c.Oldest.IsZero() || at.Before(c.Oldest) {
				c.Oldest = at
			}
		}
		for _, g := range groups[p].Val() {
			if g.Name == group {
				c.Pending += g.Pending
				members = append(members, pipe.XInfoConsumers(ctx, key.Positions(p), group))
			}
		}
	}
	if len(members) == 0 {
		return c, nil
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return c, tracking.Unavailable("Redis", err)
	}
	c.count(members)
	return c, nil
}

// count tells those who are there from those who are gone: whoever was heard of on any stream is there.
func (c *Condition) count(members []*redis.XInfoConsumersCmd) {
	idle, left := map[string]time.Duration{}, map[string]int64{}
	for _, m := range members {
		for _, consumer := range m.Val() {
			if known, ok := idle[consumer.Name]; !ok || consumer.Idle < known {
				idle[consumer.Name] = consumer.Idle
			}
			left[consumer.Name] += consumer.Pending
		}
	}
	for name, since := range idle {
		if since < heardWithin {
			c.Active++
		} else {
			c.Gone++
			c.Left += left[name]
		}
	}
}

// acceptedAt is the time in an entry's id.
func acceptedAt(id string) time.Time {
	millis, _, _ := strings.Cut(id, "-")
	n, _ := strconv.ParseInt(millis, 10, 64)
	return time.UnixMilli(n)
}
