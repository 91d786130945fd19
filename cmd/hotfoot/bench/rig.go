package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"hotfoot/store/private"
)

// Rig is a deployment under measurement.
type Rig struct {
	dir      string
	postgres *private.Server
	redis    *private.Server
	nodes    []*Node
	env      []string
}

// Node is one hotfoot process.
type Node struct {
	URL     string
	cmd     *exec.Cmd
	reading sync.WaitGroup
}

// NewRig starts private stores in a folder of their own, made below dir.
func NewRig(ctx context.Context, dir string) (_ *Rig, err error) {
	r := &Rig{}
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
	if r.postgres, err = private.StartPostgres(ctx, config); err != nil {
		return nil, err
	}
	if r.redis, err = private.StartRedis(ctx, config); err != nil {
		return nil, err
	}
	r.env = append(os.Environ(), "DATABASE_URL="+r.postgres.URL(), "REDIS_URL="+r.redis.URL(), "HOTFOOT_LISTEN=127.0.0.1:0",
		"HOTFOOT_ADMIN_LISTEN=127.0.0.1:0", "HOTFOOT_SECRET=only the bench uses this secret, for a moment", "HOTFOOT_LOG_JSON=1")
	return r, nil
}

// RedisURL is the private Redis.
func (r *Rig) RedisURL() string { return r.redis.URL() }

// Run runs a hotfoot command to its end and answers what it printed.
func (r *Rig) Run(ctx context.Context, args ...string) (string, error) {
	cmd, err := r.command(ctx, args...)
	if err != nil {
		return "", err
	}
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w: %s", err, exit.Stderr)
		}
		return "", fmt.Errorf("hotfoot %s: %w", strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out)), nil
}

func (r *Rig) command(ctx context.Context, args ...string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Env = r.env
	return cmd, nil
}

// Serve starts a node and waits until it serves.
func (r *Rig) Serve(ctx context.Context, roles string) (*Node, error) {
	cmd, err := r.command(context.WithoutCancel(ctx), "serve", "--roles", roles)
	if err != nil {
		return nil, err
	}
	out, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	n := &Node{cmd: cmd}
	r.nodes = append(r.nodes, n)
	serving, said := make(chan string, 1), &strings.Builder{}
	n.reading.Go(func() {
		defer close(serving)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			var line struct{ Msg, Address string }
			if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "serving" {
				serving <- line.Address
				_, _ = io.Copy(io.Discard, out)
				return
			}
			said.WriteString(lines.Text() + "\n")
		}
	})
	select {
	case address, ok := <-serving:
		if !ok {
			return nil, fmt.Errorf("a node with roles %s ended: %s", roles, said)
		}
		n.URL = "http://" + address
		return n, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// PIDs are the processes under measurement, by name.
func (r *Rig) PIDs() map[string][]int {
	pids := map[string][]int{"redis": {r.redis.PID()}, "postgres": family(r.postgres.PID())}
	for _, n := range r.nodes {
		pids["hotfoot"] = append(pids["hotfoot"], n.cmd.Process.Pid)
	}
	return pids
}

// Close ends everything and removes the folder.
func (r *Rig) Close() error {
	var err error
	for _, n := range r.nodes {
		_ = n.cmd.Process.Signal(syscall.SIGTERM)
		n.reading.Wait()
		_ = n.cmd.Wait()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for _, s := range []*private.Server{r.redis, r.postgres} {
		if s != nil {
			err = errors.Join(err, s.Stop(ctx))
		}
	}
	return errors.Join(err, os.RemoveAll(r.dir))
}
