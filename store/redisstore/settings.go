package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// ErrUnsafe says that a server answers, but is no place for what we accept.
var ErrUnsafe = errors.New("redis is not set up to keep what it is given")

// CheckSettings refuses a server, or a cluster of which one master is such a server, that would drop what we have accepted or does not know
// our scripts, with ErrUnsafe and what to change. Any other error means that it could not be asked.
func CheckSettings(ctx context.Context, client redis.UniversalClient) error {
	if cluster, ok := client.(*redis.ClusterClient); ok {
		return cluster.ForEachMaster(ctx, func(ctx context.Context, master *redis.Client) error { return checkServer(ctx, master) })
	}
	return checkServer(ctx, client)
}

func checkServer(ctx context.Context, server redis.UniversalClient) error {
	info, err := server.Info(ctx, "server").Result()
	if err != nil {
		return fmt.Errorf("asking Redis for its version: %w", err)
	}
	if version, ok := knowsScriptFlags(info); !ok {
		return fmt.Errorf("%w: version %s does not know flags of scripts, without which a full server tells nobody anything; run Redis 7.0 or later, or Valkey",
			ErrUnsafe, version)
	}
	settings, err := server.ConfigGet(ctx, "*").Result()
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

// knowsScriptFlags reads the answer to INFO.
func knowsScriptFlags(info string) (version string, ok bool) {
	for line := range strings.Lines(info) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch name {
		case "valkey_version":
			return value, true
		case "redis_version":
			version = value
		}
	}
	major, _, _ := strings.Cut(version, ".")
	n, err := strconv.Atoi(major)
	return version, err == nil && n >= 7
}
