//go:build linux

package rig

import (
	"context"
	"os"
	"path/filepath"

	"hotfoot/store/private"
)

// TCPRedis is a Redis beside the rig's that is reached over TCP, as one on another machine is; the rig's own is reached over a unix socket.
type TCPRedis struct {
	Address string // host:port

	cluster *private.Cluster
	dir     string
}

// StartTCPRedis starts one and waits until it serves. The caller must stop it.
func (r *Rig) StartTCPRedis(ctx context.Context) (*TCPRedis, error) {
	dir := filepath.Join(r.dir, "tcp")
	// A cluster of one: only clusters find ports of their own.
	cluster, err := private.StartCluster(ctx, private.Config{Dir: dir}, 1)
	if err != nil {
		return nil, err
	}
	return &TCPRedis{Address: cluster.Addr(0), cluster: cluster, dir: dir}, nil
}

// Stop ends it, and forgets what it had.
func (t *TCPRedis) Stop() {
	t.cluster.Kill()
	_ = os.RemoveAll(t.dir)
}
