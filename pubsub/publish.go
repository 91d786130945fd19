package pubsub

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// publish tells whoever listens to a channel. Of a cluster's masters only the channel's own hears of it: a plain PUBLISH would go to all of them.
func publish(ctx context.Context, client redis.UniversalClient, channel string, message any) error {
	if _, cluster := client.(*redis.ClusterClient); cluster {
		return client.SPublish(ctx, channel, message).Err()
	}
	return client.Publish(ctx, channel, message).Err()
}
