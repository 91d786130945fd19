//go:build linux

// Package rig is the deployment that a bench measures: private stores, and servers that are processes of their own.
//
//	New ──> Postgres, Redis (or a cluster of masters), migrated
//	Seed ─> couriers on duty with a delivery underway each, written into Postgres at once
//	SeedDay > a day of theirs with many more deliveries and positions, for what is read
//	Serve, Start, StartReader ──> child processes, each ready when the call returns
//
// What is measured is another process than the one that measures, so that the operating system tells their costs apart. Close ends everything
// and removes the folder; nothing outside of it was touched. A rig is used by one goroutine.
package rig

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"hotfoot/cmd/hotfoot/bench/usage"
	"hotfoot/store/private"
)

// secret seals the links. It is as good as any: it lives as long as the rig.
const secret = "only the bench uses this secret, for a moment"

// Rig is a deployment under measurement.
type Rig struct {
	Fleet       []Courier
	MerchantKey string
	OpsKey      string

	dir      string
	postgres *private.Server
	redis    *private.Server
	cluster  *private.Cluster
	db       *pgxpool.Pool // the bench's own, not of any server
	children []*Process
	env      []string

	background []int64 // queries that are not counted
}

// New starts private stores in a folder of their own, made below dir: one Redis, or a cluster when masters is more than one.
func New(ctx context.Context, dir string, masters int) (*Rig, error) {
	return deploy(ctx, dir, masters, nil)
}

// generous lets a link be read as often as it can be: limits are at work, and nobody meets them.
const generous = "HOTFOOT_LIMITS=snapshots=token_bucket:10000/1s:burst=1000000:local"

// NewCounting is New with one Redis, and a Postgres that counts its statements. Its nodes answer as often as they are asked.
func NewCounting(ctx context.Context, dir string) (*Rig, error) {
	r, err := deploy(ctx, dir, 1, counting)
	if err != nil {
		return nil, err
	}
	if _, err := r.db.Exec(ctx, `CREATE EXTENSION IF NOT EXISTS pg_stat_statements`); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %w", errNotCounting, err), r.Close())
	}
	r.env = append(r.env, generous)
	return r, nil
}

// deploy also gives Postgres arguments.
func deploy(ctx context.Context, dir string, masters int, arguments []string) (_ *Rig, err error) {
	r := &Rig{background: []int64{}}
	if r.dir, err = os.MkdirTemp(dir, "hotfoot-bench-"); err != nil {
		return nil, err
	}
	// The stores may run as another user, who must be able to get here.
	if err := os.Chmod(r.dir, 0o755); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.Close())
		}
	}()
	config := private.Config{Dir: filepath.Join(r.dir, "stores")}
	truth := config
	truth.Arguments = arguments
	if r.postgres, err = private.StartPostgres(ctx, truth); err != nil {
		if arguments != nil {
			err = fmt.Errorf("%w (%w?)", err, errNotCounting)
		}
		return nil, err
	}
	if masters > 1 {
		r.cluster, err = private.StartCluster(ctx, config, masters)
	} else {
		r.redis, err = private.StartRedis(ctx, config)
	}
	if err != nil {
		return nil, err
	}
	r.env = append(os.Environ(), "DATABASE_URL="+r.postgres.URL(), "REDIS_URL="+r.RedisURL(), "HOTFOOT_LISTEN=127.0.0.1:0",
		"HOTFOOT_ADMIN_LISTEN=127.0.0.1:0", "HOTFOOT_SECRET="+secret, "HOTFOOT_LOG_JSON=1", "HOTFOOT_LOG_LEVEL=info",
		// Places carry what is measured: they are no courier's way.
		"HOTFOOT_MAX_SPEED_MPS=1e9")
	if _, err = r.run(ctx, "migrate", "up"); err != nil {
		return nil, err
	}
	r.db, err = pgxpool.New(ctx, r.postgres.URL())
	return r, err
}

// RedisURL is what REDIS_URL says to the servers.
func (r *Rig) RedisURL() string {
	if r.cluster != nil {
		return r.cluster.URL()
	}
	return r.redis.URL()
}

// DB is the rig's database.
func (r *Rig) DB() *pgxpool.Pool { return r.db }

// Part is a kind of process whose cost is told apart.
type Part struct {
	Name string
	PIDs []int
}

// Redis are the processes of Redis, and Postgres those of Postgres as there are now.
func (r *Rig) Redis() Part {
	if r.cluster == nil {
		return Part{"Redis", []int{r.redis.PID()}}
	}
	p := Part{Name: "Redis"}
	for _, m := range r.cluster.Masters {
		p.PIDs = append(p.PIDs, m.PID())
	}
	return p
}

// Postgres is the server with the processes that serve connections now.
func (r *Rig) Postgres() Part { return Part{"Postgres", usage.Family(r.postgres.PID())} }

// Close ends everything and removes the folder.
func (r *Rig) Close() error {
	var err error
	for _, p := range r.children {
		p.Stop()
	}
	if r.db != nil {
		r.db.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	stores := []*private.Server{r.redis, r.postgres}
	if r.cluster != nil {
		stores = append(stores, r.cluster.Masters...)
	}
	for _, s := range stores {
		if s != nil {
			err = errors.Join(err, s.Stop(ctx))
		}
	}
	return errors.Join(err, os.RemoveAll(r.dir))
}
