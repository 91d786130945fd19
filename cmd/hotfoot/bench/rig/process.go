//go:build linux

package rig

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// Process is one running server.
type Process struct {
	Name    string // its roles, of a node; else ""
	Address string // of its sockets or its HTTP, host:port
	admin   string // where it serves /metrics, host:port; "" for a bare server
	feed    string // where a bare server takes updates, host:port

	cmd     *exec.Cmd
	reading sync.WaitGroup
	stopped bool
}

// run runs a hotfoot command to its end and answers what it printed.
func (r *Rig) run(ctx context.Context, args ...string) (string, error) {
	cmd, err := r.command(ctx, args...)
	if err != nil {
		return "", err
	}
	out, err := cmd.Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
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

// Serve starts a node with these roles and waits until it serves.
func (r *Rig) Serve(ctx context.Context, roles string) (*Process, error) {
	p, err := r.start(ctx, "serve", "--roles", roles)
	if err == nil {
		p.Name = roles
	}
	return p, err
}

// start runs a server as a child, and waits until it says in JSON, as nodes do, that it is serving and where.
func (r *Rig) start(ctx context.Context, args ...string) (*Process, error) {
	cmd, err := r.command(context.WithoutCancel(ctx), args...)
	if err != nil {
		return nil, err
	}
	// A bench that is killed must not leave its servers behind.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &Process{cmd: cmd}
	r.children = append(r.children, p)
	type where struct{ Msg, Address, Admin, Feed string }
	serving, said := make(chan where, 1), &strings.Builder{}
	p.reading.Go(func() {
		defer close(serving)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			var line where
			if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "serving" {
				serving <- line
				_, _ = io.Copy(io.Discard, out)
				return
			}
			said.WriteString(lines.Text() + "\n")
		}
	})
	select {
	case line, ok := <-serving:
		if !ok {
			return nil, fmt.Errorf("hotfoot %s ended: %s", strings.Join(args, " "), said)
		}
		p.Address, p.admin, p.feed = line.Address, line.Admin, line.Feed
		return p, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Part is this process under a name.
func (p *Process) Part(name string) Part { return Part{name, []int{p.cmd.Process.Pid}} }

// Goroutines asks the process how many goroutines it has; zero when it does not say.
func (p *Process) Goroutines(ctx context.Context) (int, error) {
	if p.admin == "" {
		return 0, nil
	}
	answer, err := p.get(ctx, "/metrics")
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() {
		if text, ok := strings.CutPrefix(lines.Text(), "go_goroutines "); ok {
			n, err := strconv.ParseFloat(text, 64)
			return int(n), err
		}
	}
	return 0, lines.Err()
}

// Stop ends the process at once: it has nothing to save, and an orderly farewell to thousands of viewers takes its time.
func (p *Process) Stop() {
	if p.stopped {
		return
	}
	p.stopped = true
	_ = p.cmd.Process.Kill()
	p.reading.Wait()
	_ = p.cmd.Wait()
}
