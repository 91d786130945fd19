package redisstore

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

// clusterLimit bounds all attempts at one command together. A cluster's client makes up to four, of a second each.
const clusterLimit = 2 * time.Second

// clusterHook bounds what a cluster's client does about failures, since it knows no MaxRetries. Where a node has moved it goes on; but what
// nobody answered is not sent again when it is a script, which may have run and must not append twice.
type clusterHook struct{}

var _ redis.Hook = clusterHook{}

// DialHook implements redis.Hook.
func (clusterHook) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook implements redis.Hook.
func (clusterHook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, command redis.Cmder) error {
		ctx, cancel := context.WithTimeout(ctx, clusterLimit)
		defer cancel()
		if script, ok := command.(*redis.Cmd); ok {
			command = once{script}
		}
		return next(ctx, command)
	}
}

// ProcessPipelineHook implements redis.Hook. Scripts in pipelines compare, so that they may run again, or each comes as once, and then all are sent once.
func (clusterHook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, commands []redis.Cmder) error {
		ctx, cancel := context.WithTimeout(ctx, clusterLimit)
		defer cancel()
		return next(ctx, commands)
	}
}

// once is a command that is sent once.
type once struct{ *redis.Cmd }

// NoRetry implements redis.Cmder.
func (once) NoRetry() bool { return true }
