package private

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// kin finds all processes of one server by their command lines: those of a killed postmaster have no other bond left. Process
// groups do not help, since every Postgres backend makes its own.
type kin struct {
	program string // how the program's name begins
	mark    string // stands in every command line of this server, and in no other server's
}

func (k kin) pids(is func(line string) bool) []int {
	var pids []int
	for pid, line := range commandLines() {
		if pid != os.Getpid() && is(line) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// owns asks for the program too, because an editor or a grep may have the mark in its command line.
func (k kin) owns(line string) bool {
	program, _, _ := strings.Cut(line, " ")
	return strings.HasPrefix(filepath.Base(program), k.program) && strings.Contains(line, k.mark)
}

// mayOwn is true of a dying process too, which has no mark any more. It may be another server's, and it may as well be one that is just being
// born: to wait for it costs little, to signal it could end a stranger.
func (k kin) mayOwn(line string) bool { return line == "["+k.program+"]" || k.owns(line) }

func (k kin) signal(sig syscall.Signal) {
	for _, pid := range k.pids(k.owns) {
		// An error means that it is gone.
		_ = syscall.Kill(pid, sig)
	}
}

// end signals all and waits until none is left. Those who do not go within patience are killed. It gives up after five more
// seconds: a process that SIGKILL does not end hangs in the kernel, and the next start will tell what is wrong.
func (k kin) end(sig syscall.Signal, patience time.Duration) {
	k.signal(sig)
	begin := time.Now()
	for len(k.pids(k.mayOwn)) > 0 && time.Since(begin) < patience+5*time.Second {
		if time.Since(begin) >= patience {
			k.signal(syscall.SIGKILL)
		}
		time.Sleep(2 * time.Millisecond)
	}
}
