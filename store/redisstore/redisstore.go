// Package redisstore keeps what is hot: the newest position and duty of every courier, the record of every delivery that somebody looks at,
// and the backlog of positions on their way to Postgres.
//
//	tracking.Hot ────────> position.go + position.lua     one round trip a report
//	tracking.Announcer ──> announce.go + announce.lua     write, then tell
//	reads ───────────────> delivery.go, courier.go        Redis first, the truth on a miss
//
// Guarantees. Nothing here is the truth: an empty Redis is filled again from Postgres as things are asked for. An older value never replaces a
// newer one, whatever order writers arrive in: every write is a script that compares first. Scripts write first and publish last, so that a
// full server refuses before anybody has been told. Everything but the backlog expires, with jitter.
//
// Each script stands beside its Go method, with its keys, arguments and answer in its head. Names of keys are built in tracking/key.
package redisstore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
	"golang.org/x/sync/singleflight"

	"hotfoot/tracking"
)

// Truth is where a miss is filled from. Errors: CodeNotFound, CodeUnavailable.
type Truth interface {
	Record(ctx context.Context, delivery tracking.ID) (tracking.Record, error)
	Courier(ctx context.Context, merchant, courier tracking.ID) (tracking.Courier, error)
	DurableSeq(ctx context.Context, courier tracking.ID, session string) (int64, error)
}

// Store answers every port that the hot store stands behind.
type Store struct {
	client redis.UniversalClient
	truth  Truth
	fills  singleflight.Group
}

// New makes a Store over a client; closing the client stays the caller's.
func New(client redis.UniversalClient, truth Truth) *Store {
	return &Store{client: client, truth: truth}
}

// Connect opens a client for REDIS_URL: one redis://, rediss:// or unix:// address, or several comma-separated for a cluster. It does not wait
// for the server.
func Connect(url string) (redis.UniversalClient, error) {
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
		cluster.DialerRetries = options.DialerRetries
		cluster.DialTimeout, cluster.ReadTimeout, cluster.WriteTimeout = options.DialTimeout, options.ReadTimeout, options.WriteTimeout
		cluster.MaintNotificationsConfig = options.MaintNotificationsConfig
	}
	return redis.NewClusterClient(cluster), nil
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

// ErrUnsafe says that a server answers, but may drop what we have accepted.
var ErrUnsafe = errors.New("redis is not set up to keep what it is given")

// CheckSettings refuses a server that would drop what we have accepted, with ErrUnsafe and what to change. Any other error means that it could not be
// asked.
func CheckSettings(ctx context.Context, client redis.UniversalClient) error {
	settings, err := client.ConfigGet(ctx, "*").Result()
	if err != nil {
		return fmt.Errorf("asking Redis for its settings: %w", err)
	}
	if policy := settings["maxmemory-policy"]; strings.HasPrefix(policy, "allkeys-") {
		return fmt.Errorf("%w: it may evict accepted positions (maxmemory-policy %s); set maxmemory-policy noeviction", ErrUnsafe, policy)
	}
	if settings["appendonly"] != "yes" {
		return fmt.Errorf("%w: it forgets accepted positions when it restarts (appendonly no); set appendonly yes", ErrUnsafe)
	}
	return nil
}

// ttl is how long hot things stay without being touched, spread so that what was written together does not expire together.
func ttl() time.Duration { return 20*time.Hour + rand.N(4*time.Hour) }

func unavailable(err error) error {
	if err == nil {
		return nil
	}
	// A server that is full or read-only answers, but is no more use than one that does not.
	return tracking.Unavailable("Redis", err)
}
