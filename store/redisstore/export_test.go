package redisstore

import (
	"context"

	"github.com/maypok86/otter/v2"

	"hotfoot/tracking"
)

// TakeAt also answers the server's time of a decision, in Unix microseconds: tests work the decision out again.
func (l *Limiter) TakeAt(ctx context.Context, p tracking.LimitPolicy, subject tracking.LimitSubject, cost int64) (tracking.Decision, int64, error) {
	return l.take(ctx, p, subject, cost)
}

// Near says how many results are in memory.
func (r *Results) Near() int { return r.near.(*otter.Cache[resultOf, []byte]).EstimatedSize() }
