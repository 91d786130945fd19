package redisstore

import (
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Connect opens a client for REDIS_URL: one redis://, rediss:// or unix:// address, or several comma-separated for a cluster. It does not wait
// for the server.
func Connect(url string) (redis.UniversalClient, error) {
	return connect(url, tune)
}

func connect(url string, tune func(*redis.Options)) (redis.UniversalClient, error) {
	urls := strings.Split(url, ",")
	if len(urls) == 1 {
		options, err := redis.ParseURL(url)
		if err != nil {
			return nil, fmt.Errorf("REDIS_URL: %w", err)
		}
		tune(options)
		return redis.NewClient(options), nil
	}
	cluster := &redis.ClusterOptions{}
	for _, u := range urls {
		options, err := redis.ParseURL(strings.TrimSpace(u))
		if err != nil {
			return nil, fmt.Errorf("REDIS_URL: %w", err)
		}
		tune(options)
		cluster.Addrs = append(cluster.Addrs, options.Addr)
		cluster.Username, cluster.Password, cluster.TLSConfig = options.Username, options.Password, options.TLSConfig
		cluster.MaxRetries, cluster.ContextTimeoutEnabled = options.MaxRetries, true
		cluster.DialerRetries, cluster.PoolSize = options.DialerRetries, options.PoolSize
		cluster.DialTimeout, cluster.ReadTimeout, cluster.WriteTimeout = options.DialTimeout, options.ReadTimeout, options.WriteTimeout
		cluster.MaintNotificationsConfig = options.MaintNotificationsConfig
	}
	client := redis.NewClusterClient(cluster)
	client.AddHook(clusterHook{})
	return client, nil
}

func tune(o *redis.Options) {
	// A retry after a lost reply would append and publish twice; whoever calls decides what is safe to repeat.
	o.MaxRetries = -1
	// Without this a context's deadline does not bound a command that is under way.
	o.ContextTimeoutEnabled = true
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout = time.Second, time.Second, time.Second
	// The default tries five times with pauses, so that every request would wait for a server that is not there.
	o.DialerRetries = 1
	// A feature of hosted Redis only; its handshake costs a round trip and a goroutine elsewhere.
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
}
