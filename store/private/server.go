package private

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// Config says where a server keeps what it has.
type Config struct {
	// Dir is created when it is missing; one that is kept brings its data back. Both servers may share it.
	Dir string
	// Log hears about starts and first starts; nil is silence. The servers' own words go to files in Dir.
	Log *slog.Logger
	// Arguments come after ours on the server's command line, so that they win: tests set limits and replication with them.
	Arguments []string
}

// Server is one running child.
type Server struct {
	name   string
	url    string
	stop   syscall.Signal
	kin    kin
	folder *folder
	cmd    *exec.Cmd
	done   chan struct{}
	exit   error // why the child ended; read only after done is closed
}

// start runs the program and returns as soon as it exists. The folder belongs to the server from here on, also on error.
func start(f *folder, cmd *exec.Cmd, s *Server) (*Server, error) {
	s.folder, s.cmd, s.done = f, cmd, make(chan struct{})
	cmd.Stdout, cmd.Stderr = f.log, f.log
	cmd.Env = environment(f.data)
	cmd.Dir = f.data
	started := make(chan error)
	go s.own(started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", s.name, err)
	}
	return s, nil
}

// own is the server's goroutine: it starts the child, waits for it, and hands the folder back. A killed postmaster's backends
// live on for a moment, and a new one cannot start beside them; a killed Redis may leave a child that rewrites its file. So done
// means that the last of them is gone, too.
func (s *Server) own(started chan<- error) {
	err := spawn(s.cmd, func() { started <- nil })
	if s.cmd.Process == nil {
		s.folder.release()
		started <- err
		return
	}
	s.exit = err
	_ = syscall.Kill(-s.PID(), syscall.SIGKILL) // the rest of its process group; mostly there is none
	s.kin.end(syscall.SIGKILL, 0)
	s.folder.release()
	close(s.done)
}

// URL is what DATABASE_URL or REDIS_URL would say. It is the same at every start in the same folder.
func (s *Server) URL() string { return s.url }

// PID is the child's process id: for Postgres, the postmaster's.
func (s *Server) PID() int { return s.cmd.Process.Pid }

// Done is closed when the server and all its processes are gone, for whatever reason.
func (s *Server) Done() <-chan struct{} { return s.done }

// Stop ends the server in order, everything on disk, and waits for it. When ctx ends first the server is killed. Stopping
// what has stopped does nothing.
func (s *Server) Stop(ctx context.Context) error {
	// An error means that the child is gone already.
	_ = s.cmd.Process.Signal(s.stop)
	select {
	case <-s.done:
		return nil
	case <-ctx.Done():
		s.Kill()
		return fmt.Errorf("stop %s: killed, since it did not end in time: %w", s.name, context.Cause(ctx))
	}
}

// Kill ends all processes of the server at once, as a power cut would, and reaps them.
func (s *Server) Kill() {
	_ = s.cmd.Process.Kill()
	<-s.done
}

// Pause freezes all processes of the server: connections stay open and nothing answers. Resume undoes it.
func (s *Server) Pause() { s.kin.signal(syscall.SIGSTOP) }

// Resume lets a paused server go on.
func (s *Server) Resume() { s.kin.signal(syscall.SIGCONT) }

// await calls ping until the server answers.
func (s *Server) await(ctx context.Context, ping func(context.Context) error) error {
	begin := time.Now()
	for pause := time.Millisecond; ; pause = min(2*pause, 20*time.Millisecond) {
		err := ping(ctx)
		if err == nil {
			s.folder.logger.Debug("private server is up", "server", s.name, "pid", s.PID(), "took", time.Since(begin))
			return nil
		}
		select {
		case <-s.done:
			return fmt.Errorf("start %s: it ended at once (%w); %s", s.name, s.exit, s.folder.lastWords())
		case <-ctx.Done():
			s.Kill()
			return fmt.Errorf("start %s: no answer (%w): %w; %s", s.name, err, context.Cause(ctx), s.folder.lastWords())
		case <-time.After(pause):
		}
	}
}

// environment is small on purpose: PGPORT, PGDATA and the like would change what the programs do.
func environment(home string) []string {
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "LC_ALL=C", "TZ=UTC"}
}
