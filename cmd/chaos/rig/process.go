package rig

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"
)

// process is one life of a node. A process that outlives us ends by itself: its stores die with us, and it is killed by the next line that it
// writes into our pipe.
type process struct {
	cmd    *exec.Cmd
	told   bool // its end is our doing; guarded by Node.mu
	exited chan struct{}
	log    string

	serving chan struct{} // closed once it serves
	mu      sync.Mutex
	where   string
	admin   string
}

// launch starts a node process; it need not serve yet.
func launch(hotfoot string, env []string, log string) (*process, error) {
	p := &process{cmd: exec.Command(hotfoot, "serve"), exited: make(chan struct{}), serving: make(chan struct{}), log: log}
	p.cmd.Env = env
	out, err := p.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	file, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		_ = file.Close()
		return nil, err
	}
	go p.own(out, file)
	return p, nil
}

// own reads what the process says until it ends; exited is closed last.
func (p *process) own(out io.Reader, file *os.File) {
	defer close(p.exited)
	defer file.Close()
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		_, _ = file.Write(append(lines.Bytes(), '\n'))
		var line struct{ Msg, Address, Admin string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "serving" {
			p.mu.Lock()
			p.where, p.admin = "http://"+line.Address, "http://"+line.Admin
			p.mu.Unlock()
			close(p.serving)
		}
	}
	_, _ = io.Copy(file, out)
	_ = p.cmd.Wait()
}

func (p *process) awaitServing(ctx context.Context) error {
	select {
	case <-p.serving:
		return nil
	case <-p.exited:
		return fmt.Errorf("the process ended before it served; its log ends:\n%s", tail(p.log))
	case <-ctx.Done():
		return fmt.Errorf("the process does not serve in time; its log ends:\n%s", tail(p.log))
	}
}

// address is empty until the process serves.
func (p *process) address() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.where
}

// awaitStop waits until every thread has obeyed a SIGSTOP, which takes a moment on a busy machine.
func (p *process) awaitStop() {
	for deadline := time.Now().Add(time.Second); p.running() && time.Now().Before(deadline); {
		select {
		case <-p.exited:
			return
		case <-time.After(time.Millisecond):
		}
	}
}

// running reports whether a thread is in any other state than stopped; false where there is no /proc.
func (p *process) running() bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", p.cmd.Process.Pid))
	for _, thread := range threads {
		// "pid (name) state …"; the name may hold anything.
		stat, _ := os.ReadFile(thread)
		if at := bytes.LastIndexByte(stat, ')'); at >= 0 && at+2 < len(stat) && stat[at+2] != 'T' {
			return true
		}
	}
	return false
}

func (p *process) over() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}

// tail is the end of a log file.
func tail(path string) string {
	const enough = 4000
	file, err := os.Open(path)
	if err != nil {
		return err.Error()
	}
	defer file.Close()
	if end, err := file.Seek(0, io.SeekEnd); err == nil {
		_, _ = file.Seek(max(0, end-enough), io.SeekStart)
	}
	text, _ := io.ReadAll(file)
	return string(text)
}
