package redisstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// ErrUnsafe says that a server answers, but is no place for what we accept.
var ErrUnsafe = errors.New("redis is not set up to keep what it is given")

// Flaw is a setting of a server by which it may lose what it is given. It is an ErrUnsafe.
type Flaw struct {
	Found string // what it is, and what comes of it
	Line  string // what should stand in its configuration; "" when that would not do
	fix   string
}

// Fix says what to do, in words.
func (f Flaw) Fix() string { return cmp.Or(f.fix, "set "+f.Line) }

// Error implements error.
func (f Flaw) Error() string { return fmt.Sprintf("%v: %s; %s", ErrUnsafe, f.Found, f.Fix()) }

// Unwrap makes it an ErrUnsafe.
func (f Flaw) Unwrap() error { return ErrUnsafe }

// CheckSettings refuses a server, or a cluster of which one master is such a server, that would drop what we have accepted or does not know
// our scripts, with ErrUnsafe and what to change. Any other error means that it could not be asked.
func CheckSettings(ctx context.Context, client redis.UniversalClient) error {
	if cluster, ok := client.(*redis.ClusterClient); ok {
		return cluster.ForEachMaster(ctx, func(ctx context.Context, master *redis.Client) error { return checkServer(ctx, master) })
	}
	return checkServer(ctx, client)
}

func checkServer(ctx context.Context, server redis.UniversalClient) error {
	flaws, err := Flaws(ctx, server)
	if len(flaws) > 0 {
		return flaws[0] // also when it would not answer the rest
	}
	return err
}

// Flaws lists all that is wrong with one server. The error means that it could not be asked for all of it.
func Flaws(ctx context.Context, server redis.UniversalClient) (flaws []Flaw, err error) {
	info, err := server.Info(ctx, "server").Result()
	if err != nil {
		return nil, fmt.Errorf("asking Redis for its version: %w", err)
	}
	if version, ok := knowsScriptFlags(info); !ok {
		flaws = append(flaws, Flaw{
			Found: fmt.Sprintf("version %s does not know flags of scripts, without which a full server tells nobody anything", version),
			fix:   "run Redis 7.0 or later, or Valkey",
		})
	}
	settings, err := server.ConfigGet(ctx, "*").Result()
	if err != nil {
		return flaws, fmt.Errorf("asking Redis for its settings: %w", err)
	}
	if policy := settings["maxmemory-policy"]; strings.HasPrefix(policy, "allkeys-") {
		flaws = append(flaws, Flaw{Found: fmt.Sprintf("it may evict accepted positions (maxmemory-policy %s)", policy), Line: "maxmemory-policy noeviction"})
	}
	if settings["appendonly"] != "yes" {
		flaws = append(flaws, Flaw{Found: "it forgets accepted positions when it restarts (appendonly no)", Line: "appendonly yes"})
	}
	return flaws, nil
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
