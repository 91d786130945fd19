package rig

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"hotfoot/cmd/chaos/proxy"
)

// Config says what to build.
type Config struct {
	Hotfoot  string // the program under test
	Template *Template
	Dir      string // made, and removed by Close; short, since sockets lie in it
	API      int    // nodes of the roles api and worker
	Gateways int
	Workers  int      // nodes of the role worker alone
	Env      []string // of every node, in every life
	Fronts   bool     // a proxy between clients and each node
	Masters  int      // of a Redis Cluster instead of one Redis; 0 for none
	Postgres PostgresConfig
	// Fail hears of what the rig itself could not do, from the goroutine that asked for it; it need not return.
	Fail func(error)
}

// Rig is a deployment.
type Rig struct {
	Postgres *Postgres
	Redis    *Redis
	Cluster  *Cluster // instead of Redis, if the row asked for it
	API      []*Node
	Gateways []*Node
	Workers  []*Node
	Keys     *Template

	config Config
}

// startLimit bounds the start of one process; recovery after a crash included.
const startLimit = 20 * time.Second

// Start builds a rig; every node serves when it returns.
func Start(ctx context.Context, config Config) (_ *Rig, err error) {
	r := &Rig{config: config, Keys: config.Template}
	// The stores may run as another user, who must be able to get here.
	if err := os.MkdirAll(config.Dir, 0o711); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.Close())
		}
	}()
	if err := config.Postgres.mount(ctx, config.Dir); err != nil {
		return nil, err
	}
	if err := config.Template.copyTo(ctx, config.Dir); err != nil {
		return nil, err
	}
	if err := r.startStores(ctx); err != nil {
		return nil, err
	}
	for i := range config.API {
		if err := r.addNode(&r.API, fmt.Sprintf("api-%d", i+1), "api,worker"); err != nil {
			return nil, err
		}
	}
	for i := range config.Gateways {
		if err := r.addNode(&r.Gateways, fmt.Sprintf("gateway-%d", i+1), "gateway"); err != nil {
			return nil, err
		}
	}
	for i := range config.Workers {
		if err := r.addNode(&r.Workers, fmt.Sprintf("worker-%d", i+1), "worker"); err != nil {
			return nil, err
		}
	}
	var starting errgroup.Group
	for _, n := range r.Nodes() {
		starting.Go(func() error {
			_, err := n.start(nil, nil)
			return err
		})
	}
	if err := starting.Wait(); err != nil || !config.Fronts {
		return r, err
	}
	for _, n := range r.Nodes() {
		if err := n.putFront(); err != nil {
			return r, err
		}
	}
	return r, nil
}

// startStores starts both at once.
func (r *Rig) startStores(ctx context.Context) error {
	var wait sync.WaitGroup
	var postgresErr, redisErr error
	wait.Go(func() { r.Postgres, postgresErr = startPostgres(ctx, r.config.Dir, r.config.Postgres, r.config.Fail) })
	wait.Go(func() {
		if r.config.Masters > 0 {
			r.Cluster, redisErr = startCluster(ctx, r.config.Dir, r.config.Masters, r.config.Fail)
		} else {
			r.Redis, redisErr = startRedis(ctx, r.config.Dir, r.config.Fail)
		}
	})
	wait.Wait()
	return errors.Join(postgresErr, redisErr)
}

// addNode makes a node with its own ways to the stores; it is not started.
func (r *Rig) addNode(to *[]*Node, name, roles string) error {
	n := &Node{Name: name, hotfoot: r.config.Hotfoot, fail: r.config.Fail, log: filepath.Join(r.config.Dir, name+".log")}
	var err error
	var databaseURL, redisURL string
	if n.Postgres, databaseURL, err = r.Postgres.through(r.config.Dir, name); err != nil {
		return err
	}
	if r.Cluster != nil {
		redisURL = r.Cluster.URL()
	} else if n.Redis, redisURL, err = r.Redis.through(r.config.Dir, name); err != nil {
		return err
	}
	n.env = environment("DATABASE_URL="+databaseURL, "REDIS_URL="+redisURL, "HOTFOOT_ROLES="+roles, "HOTFOOT_SECRET="+secret,
		"HOTFOOT_LISTEN=127.0.0.1:0", "HOTFOOT_ADMIN_LISTEN=127.0.0.1:0", "HOTFOOT_LOG_JSON=1")
	n.env = append(n.env, r.config.Env...)
	*to = append(*to, n)
	return nil
}

// Nodes are all of them.
func (r *Rig) Nodes() []*Node { return slices.Concat(r.API, r.Gateways, r.Workers) }

// Heal brings back whatever is down: proxies, stores, nodes.
func (r *Rig) Heal() {
	r.Postgres.recover()
	if r.Cluster != nil {
		r.Cluster.recover()
	} else {
		r.Redis.recover()
	}
	for _, n := range r.Nodes() {
		for _, p := range []*proxy.Proxy{n.Postgres, n.Redis, n.Front} {
			if p != nil {
				p.Heal()
			}
		}
		n.recover()
	}
}

// Close ends everything and removes the folder.
func (r *Rig) Close() error {
	var wait sync.WaitGroup
	for _, n := range r.Nodes() {
		wait.Go(n.close)
	}
	wait.Wait()
	var errs []error
	for _, n := range r.Nodes() {
		for _, p := range []*proxy.Proxy{n.Postgres, n.Redis, n.Front} {
			if p != nil {
				errs = append(errs, p.Close())
			}
		}
	}
	if r.Postgres != nil {
		r.Postgres.close()
	}
	if r.Redis != nil {
		r.Redis.close()
	}
	if r.Cluster != nil {
		r.Cluster.close()
	}
	return errors.Join(append(errs, r.config.Postgres.unmount(r.config.Dir), os.RemoveAll(r.config.Dir))...)
}

// environment is ours without what would configure a node behind our back.
func environment(more ...string) []string {
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "HOTFOOT_") && !strings.HasPrefix(v, "DATABASE_URL=") && !strings.HasPrefix(v, "REDIS_URL=") && !strings.HasPrefix(v, "PG") {
			env = append(env, v)
		}
	}
	return append(env, more...)
}
