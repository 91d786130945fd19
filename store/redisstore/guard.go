package redisstore

import (
	"context"
	"errors"

	"github.com/redis/go-redis/v9"

	"hotfoot/tracking"
)

// Guard puts a breaker before everything that client sends: while it is open nothing is sent, and whoever gets no answer makes it ask. It must be
// called before the client is used.
func Guard(client redis.UniversalClient, b *tracking.Breaker) { client.AddHook(guard{b}) }

type guard struct{ breaker *tracking.Breaker }

var _ redis.Hook = guard{}

// DialHook implements redis.Hook. Whoever dials does so for a command that is guarded.
func (g guard) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook implements redis.Hook.
func (g guard) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, command redis.Cmder) error {
		if err := g.breaker.Allow(); err != nil {
			return err
		}
		err := next(ctx, command)
		if unanswered(err) {
			g.breaker.Doubt()
		}
		return err
	}
}

// ProcessPipelineHook implements redis.Hook.
func (g guard) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, commands []redis.Cmder) error {
		if err := g.breaker.Allow(); err != nil {
			for _, c := range commands {
				c.SetErr(err)
			}
			return err
		}
		err := next(ctx, commands)
		// The error is the first of many: a nil reply may come before the connection broke.
		if err != nil && (unanswered(err) || unanswered(firstFailure(commands))) {
			g.breaker.Doubt()
		}
		return err
	}
}

// unanswered reports whether an error says that nobody answered, or only one who cannot serve; not so when the caller gave up.
func unanswered(err error) bool {
	switch {
	case err == nil, errors.Is(err, context.Canceled), errors.Is(err, redis.ErrClosed):
		return false
	case redis.IsLoadingError(err), redis.IsClusterDownError(err), redis.IsMasterDownError(err), redis.IsReadOnlyError(err):
		return true
	}
	var reply redis.Error
	return !errors.As(err, &reply)
}

// firstFailure is the first error among commands that is more than "there is none".
func firstFailure(commands []redis.Cmder) error {
	for _, c := range commands {
		if err := c.Err(); err != nil && !errors.Is(err, redis.Nil) {
			return err
		}
	}
	return nil
}
