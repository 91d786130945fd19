package redisstore

import (
	"context"
	_ "embed"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/tracking"
	"hotfoot/tracking/key"
)

//go:embed limit_fixed.lua
var limitFixedLua string

//go:embed limit_sliding.lua
var limitSlidingLua string

//go:embed limit_bucket.lua
var limitBucketLua string

var (
	limitFixedScript   = redis.NewScript(limitFixedLua)
	limitSlidingScript = redis.NewScript(limitSlidingLua)
	limitBucketScript  = redis.NewScript(limitBucketLua)
)

// Limiter keeps the counts of rate limits for all nodes together. A decision is one run of a script on one key: by the server's clock, and no two at once.
type Limiter struct {
	client redis.UniversalClient
}

var _ tracking.Limiter = (*Limiter)(nil)

// NewLimiter makes a Limiter over a client; closing the client stays the caller's.
func NewLimiter(client redis.UniversalClient) *Limiter { return &Limiter{client: client} }

// Take implements tracking.Limiter.
func (l *Limiter) Take(ctx context.Context, policy tracking.LimitPolicy, subject tracking.LimitSubject, cost int64) (tracking.Decision, error) {
	d, _, err := l.take(ctx, policy, subject, cost)
	return d, err
}

// take also answers the server's time of the decision, in Unix microseconds.
func (l *Limiter) take(ctx context.Context, p tracking.LimitPolicy, subject tracking.LimitSubject, cost int64) (d tracking.Decision, now int64, err error) {
	if err := p.CheckCost(cost); err != nil {
		return d, 0, err
	}
	script, size, pace := limitBucketScript, p.Quota(), int64(0)
	switch p.Kind {
	case tracking.FixedWindow:
		script, pace = limitFixedScript, p.Period.Microseconds()
	case tracking.SlidingWindow:
		script, pace = limitSlidingScript, p.Period.Milliseconds()
	default:
		pace = p.Interval()
	}
	answer, err := script.Run(ctx, l.client, []string{key.Limit(subject)}, cost, size, pace).Int64Slice()
	if err != nil {
		return d, 0, unavailable(err)
	}
	if len(answer) != 5 {
		return d, 0, unavailable(fmt.Errorf("%w: %d numbers", errAnswer, len(answer)))
	}
	return tracking.Decision{
		Allowed: answer[0] == 1, Limit: size, Remaining: answer[1], Reset: microseconds(answer[2]), RetryAfter: microseconds(answer[3]),
	}, answer[4], nil
}

func microseconds(n int64) time.Duration { return time.Duration(n) * time.Microsecond }
