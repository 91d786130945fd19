package rig

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"hotfoot/cmd/chaos/proxy"
	"hotfoot/store/private"
)

// Redis is what is hot.
type Redis struct {
	store
	// Client goes to the server directly, past all proxies. After a failover it is another one.
	Client   *redis.Client
	dir      string
	replica  *Replica // nil while there is none
	replicas int      // there ever were
}

const redisSocket = "redis.sock"

func startRedis(ctx context.Context, dir string, fail func(error)) (*Redis, error) {
	r := &Redis{store: store{name: "redis", fail: fail}, dir: dir}
	r.start = func(ctx context.Context) (*private.Server, error) {
		return private.StartRedis(ctx, private.Config{Dir: r.dir})
	}
	if err := r.boot(ctx); err != nil {
		return nil, err
	}
	return r, r.connect()
}

// connect has the client go to the server that there is.
func (r *Redis) connect() error {
	options, err := redis.ParseURL(r.server.URL())
	if err != nil {
		return err
	}
	if r.Client != nil {
		_ = r.Client.Close()
	}
	r.address = proxy.Address{Network: "unix", Name: options.Addr}
	r.Client = redis.NewClient(options)
	return nil
}

// through answers a way to the server and the REDIS_URL that takes it.
func (r *Redis) through(dir, node string) (*proxy.Proxy, string, error) {
	way, folder, err := r.store.through(dir, node, redisSocket)
	if err != nil {
		return nil, "", err
	}
	return way, (&url.URL{Scheme: "unix", Path: filepath.Join(folder, redisSocket), RawQuery: "db=0"}).String(), nil
}

// RestartEmpty kills the server, deletes all it had and starts it again.
func (r *Redis) RestartEmpty() {
	r.restart(func() error {
		data := filepath.Join(r.dir, "redis")
		return errors.Join(os.RemoveAll(filepath.Join(data, "appendonlydir")), os.RemoveAll(filepath.Join(data, "dump.rdb")))
	})
}

// Errors counts what the server has refused since it was started or asked to forget, by the first word of the error: OOM, NOGROUP.
func (r *Redis) Errors(ctx context.Context, word string) int {
	text, err := r.Client.Info(ctx, "errorstats").Result()
	if err != nil {
		r.fail(fmt.Errorf("redis: %w", err))
	}
	return errorCount(text, word)
}

func errorCount(info, word string) (n int) {
	for line := range strings.Lines(info) {
		if count, ok := strings.CutPrefix(line, "errorstat_"+word+":count="); ok {
			n, _ = strconv.Atoi(strings.TrimSpace(count))
		}
	}
	return n
}

// Do runs a command, for faults that Redis can do to itself.
func (r *Redis) Do(ctx context.Context, args ...any) {
	if err := r.Client.Do(ctx, args...).Err(); err != nil {
		r.fail(fmt.Errorf("redis: %v: %w", args, err))
	}
}

func (r *Redis) close() {
	if r.Client != nil {
		_ = r.Client.Close()
	}
	if r.replica != nil {
		r.replica.close()
	}
	r.store.close()
}
