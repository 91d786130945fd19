package rig

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"hotfoot/cmd/chaos/proxy"
)

// Node is one place in the deployment where a hotfoot process runs, and runs again after it was killed.
type Node struct {
	Name     string
	Postgres *proxy.Proxy // its way to Postgres, and its alone
	Redis    *proxy.Proxy
	Front    *proxy.Proxy // where clients reach it, if the row asked for it; only for rows in which the node stays where it is

	hotfoot string
	env     []string
	log     string
	fail    func(error)

	mu         sync.Mutex
	process    *process // the present life, or the last one
	closed     bool
	paused     bool
	supervised bool
	nextEnv    []string // of lives that the supervisor starts
	deaths     int      // lives that ended by themselves
	troubled   time.Time
	watching   sync.WaitGroup
}

// start begins a life after an earlier one (nil at first) and returns when it serves. When another life has begun since then it does nothing.
func (n *Node) start(after *process, env []string) (started bool, err error) {
	p, err := n.launch(after, env)
	if p == nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	if err := p.awaitServing(ctx); err != nil {
		return true, fmt.Errorf("%s: %w", n.Name, err)
	}
	return true, nil
}

func (n *Node) launch(after *process, env []string) (*process, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed || n.process != after {
		return nil, nil
	}
	p, err := launch(n.hotfoot, append(append([]string(nil), n.env...), env...), n.log)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", n.Name, err)
	}
	n.process, n.paused = p, false
	n.watching.Go(func() { n.watch(p) })
	return p, nil
}

// watch waits for the end of one life; what dies by itself is started again if that was asked for.
func (n *Node) watch(p *process) {
	<-p.exited
	n.mu.Lock()
	n.troubled = time.Now()
	own := !p.told && !n.closed
	if own {
		n.deaths++
	}
	again, env := own && n.supervised, n.nextEnv
	n.mu.Unlock()
	if again {
		// A life that ends before it serves is followed by the next one; one that neither ends nor serves is seen by everybody.
		_, _ = n.start(p, env)
	}
}

// URL is where the node serves now; empty while no process is there to serve. A paused node has one: nobody outside can tell.
func (n *Node) URL() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.process == nil || n.process.over() {
		return ""
	}
	if n.Front != nil {
		return "http://" + n.Front.Address().Name
	}
	return n.process.address()
}

// Kill ends the process at once.
func (n *Node) Kill() { n.kill() }

func (n *Node) kill() *process {
	p := n.tell()
	_ = p.cmd.Process.Kill()
	<-p.exited
	return p
}

// Pause freezes the process, as a long collection or a stolen CPU would.
func (n *Node) Pause() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.paused = true
	_ = n.process.cmd.Process.Signal(syscall.SIGSTOP)
	n.process.awaitStop()
}

// Resume lets it go on.
func (n *Node) Resume() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.paused, n.troubled = false, time.Now()
	_ = n.process.cmd.Process.Signal(syscall.SIGCONT)
}

// Terminate asks the process to stop in order, and answers how long it took. One that does not stop within 40 s is killed.
func (n *Node) Terminate() time.Duration {
	p := n.tell()
	began := time.Now()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.exited:
	case <-time.After(40 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.exited
	}
	return time.Since(began)
}

// tell answers the process and notes that its end is our doing.
func (n *Node) tell() *process {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.process.told = true
	return n.process
}

// Restart starts the node again, killing what runs; it returns when it serves, mostly on another port. env is for this one life, as in
// HOTFOOT_FAILPOINTS=….
func (n *Node) Restart(env ...string) {
	for {
		p := n.kill()
		started, err := n.start(p, env)
		if err != nil {
			n.fail(err)
		}
		if started || err != nil {
			return
		}
	}
}

// Supervise starts the node again whenever it ends by itself, with this env each time.
func (n *Node) Supervise(env ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.supervised, n.nextEnv = true, env
}

// Deaths is how often the node has ended by itself.
func (n *Node) Deaths() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.deaths
}

// Troubled reports whether the process was paused or died at any time since then: it can be blamed for nothing in between.
func (n *Node) Troubled(since time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.paused || n.process == nil || n.process.over() || n.troubled.After(since)
}

// recover brings the node back if it is paused or gone.
func (n *Node) recover() {
	n.mu.Lock()
	n.supervised = false
	paused, gone := n.paused, n.process.over()
	n.mu.Unlock()
	if paused {
		n.Resume()
	}
	if gone {
		n.Restart()
	}
}

// close ends the node for good. It is killed: what it writes when it stops in order would tell nothing that a row is about.
func (n *Node) close() {
	n.mu.Lock()
	n.closed = true
	p := n.process
	n.mu.Unlock()
	if p != nil {
		_ = p.cmd.Process.Kill()
	}
	n.watching.Wait()
}

// Log is the end of what the node said, all its lives.
func (n *Node) Log() string { return tail(n.log) }

// Said is how many lines of its whole log, all its lives, hold this text.
func (n *Node) Said(text string) int {
	log, err := os.ReadFile(n.log)
	if err != nil {
		n.fail(fmt.Errorf("%s: %w", n.Name, err))
	}
	said := 0
	for line := range strings.Lines(string(log)) {
		if strings.Contains(line, text) {
			said++
		}
	}
	return said
}
