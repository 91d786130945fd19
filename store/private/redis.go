package private

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/url"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

const redisSocket = "redis.sock"

// StartRedis starts the Redis of the folder, or Valkey where that is installed instead, and returns when its data is loaded and
// it answers. ctx bounds the start alone.
func StartRedis(ctx context.Context, cfg Config) (*Server, error) {
	f, err := openFolder(cfg, "redis", redisSocket)
	if err != nil {
		return nil, fmt.Errorf("redis: %w", err)
	}
	bin, err := redisBin()
	if err != nil {
		f.release()
		return nil, fmt.Errorf("redis: %w", err)
	}
	socket := filepath.Join(f.sockets, redisSocket)
	s := &Server{
		name: "redis",
		url:  (&url.URL{Scheme: "unix", Path: socket, RawQuery: "db=0"}).String(),
		stop: syscall.SIGTERM, // the append-only file is flushed
		// Once it runs, the socket is what Redis writes into its command line.
		kin: kin{program: filepath.Base(bin), mark: socket},
	}
	// We hold the lock, so whoever runs here lost its owner.
	s.kin.end(syscall.SIGTERM, 3*time.Second)
	cmd := exec.Command(bin, append(redisArguments(f, socket), cfg.Arguments...)...)
	cmd.SysProcAttr = attributes(f.account, syscall.SIGTERM)
	if s, err = start(f, cmd, s); err != nil {
		return nil, err
	}
	if err := s.await(ctx, func(ctx context.Context) error { return pingRedis(ctx, socket) }); err != nil {
		return nil, err
	}
	return s, nil
}

// redisArguments turn snapshots off, since the append-only file has everything, and forbid eviction: a stream must not vanish. Commands that look at
// everything there is are taken away: a server in use has one thread for all, and whoever needs one of them here would hold it up there.
func redisArguments(f *folder, socket string) []string {
	return []string{
		"--port", "0",
		"--unixsocket", socket,
		"--unixsocketperm", "700",
		"--dir", f.data,
		"--save", "",
		"--appendonly", "yes",
		"--appendfsync", "everysec",
		"--maxmemory-policy", "noeviction",
		"--rename-command", "KEYS", "",
		"--rename-command", "FLUSHALL", "",
		"--rename-command", "SMEMBERS", "",
	}
}

// pingRedis speaks the two lines itself: a client library would log and retry on its own.
func pingRedis(ctx context.Context, socket string) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if _, err := conn.Write([]byte("PING\r\n")); err != nil {
		return err
	}
	reply, err := bufio.NewReader(conn).ReadString('\n')
	if err == nil && reply != "+PONG\r\n" {
		err = fmt.Errorf("it says %q", reply)
	}
	return err
}
