package rig

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/cmd/chaos/proxy"
	"hotfoot/store/private"
)

// Replica is a copy of the rig's Redis that follows it over a link of its own.
type Replica struct {
	Link   *proxy.Proxy // from the replica to its master
	dir    string
	server *private.Server
	client *redis.Client
}

// Follow starts a replica, and returns when it has about all that its master has.
func (r *Redis) Follow(ctx context.Context) *Replica {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	r.replicas++
	r.replica = &Replica{dir: filepath.Join(r.dir, fmt.Sprint("replica", r.replicas))}
	// By default a master waits for more replicas before it sends what it has.
	r.Do(ctx, "CONFIG", "SET", "repl-diskless-sync-delay", 0)
	err := r.replica.start(ctx, r.address)
	for err == nil {
		behind, linked, failed := r.behind(ctx)
		if failed == nil && linked && behind < 10_000 {
			break
		}
		select {
		case <-ctx.Done():
			err = fmt.Errorf("it does not follow, and is %d bytes behind: %w", behind, errors.Join(failed, context.Cause(ctx)))
		case <-time.After(10 * time.Millisecond):
		}
	}
	if err != nil {
		r.fail(fmt.Errorf("redis replica: %w", err))
	}
	return r.replica
}

// start starts the server. The link leads from a port, since a replica knows no other way, to the master's socket.
func (p *Replica) start(ctx context.Context, master proxy.Address) (err error) {
	if p.Link, err = proxy.Listen(proxy.Address{Network: "tcp", Name: "127.0.0.1:0"}, master); err != nil {
		return err
	}
	host, port, err := net.SplitHostPort(p.Link.Address().Name)
	if err != nil {
		return err
	}
	if p.server, err = private.StartRedis(ctx, private.Config{Dir: p.dir, Arguments: []string{"--replicaof", host, port}}); err != nil {
		return err
	}
	options, err := redis.ParseURL(p.server.URL())
	if err != nil {
		return err
	}
	p.client = redis.NewClient(options)
	return nil
}

// behind is how many bytes of what its master has done the replica does not have.
func (r *Redis) behind(ctx context.Context) (bytes int64, linked bool, err error) {
	master, err := replication(ctx, r.Client)
	if err != nil {
		return 0, false, err
	}
	replica, err := replication(ctx, r.replica.client)
	if err != nil {
		return 0, false, err
	}
	done, _ := strconv.ParseInt(master["master_repl_offset"], 10, 64)
	has, _ := strconv.ParseInt(replica["slave_repl_offset"], 10, 64)
	return done - has, replica["master_link_status"] == "up" && replica["master_sync_in_progress"] == "0", nil
}

func replication(ctx context.Context, client *redis.Client) (map[string]string, error) {
	text, err := client.Info(ctx, "replication").Result()
	fields := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			fields[name] = value
		}
	}
	return fields, err
}

// KillMaster kills the server for good, and answers how many bytes of what it had done its replica does not have. Nobody serves until Promote.
func (r *Redis) KillMaster(ctx context.Context) (lost int64) {
	lost, _, err := r.behind(ctx)
	if err != nil {
		r.fail(fmt.Errorf("redis replica: %w", err))
	}
	r.Kill()
	return lost
}

// Promote makes the replica the rig's Redis, and leads every node to it.
func (r *Redis) Promote(ctx context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.replica
	r.replica = nil
	err := errors.Join(p.client.ReplicaOf(ctx, "NO", "ONE").Err(), p.client.Close(), p.Link.Close())
	r.dir, r.server, r.down = p.dir, p.server, false
	if err = errors.Join(err, r.connect()); err != nil {
		r.fail(fmt.Errorf("promote the redis replica: %w", err))
	}
	for _, way := range r.proxies {
		way.Redirect(r.address)
		way.Upstream(true)
	}
}

func (p *Replica) close() {
	if p.client != nil {
		_ = p.client.Close()
	}
	if p.server != nil {
		p.server.Kill()
	}
	if p.Link != nil {
		_ = p.Link.Close()
	}
}
