package private

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

// However the owner dies, its servers go too, and whoever comes next finds the data and a free folder.
func TestOwner_that_is_killed(t *testing.T) {
	t.Parallel()
	for name, a := range ownerAccounts(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := testDir(t)
			first := startOwner(t, a, dir)
			writePostgres(t, first.postgresURL, "precious")
			writeRedis(t, first.redisURL, "precious")
			first.kill()
			if runtime.GOOS == "linux" { // elsewhere the next start ends them
				waitGone(t, first.postgres)
				waitGone(t, first.redis)
			}

			second := startOwner(t, a, dir)
			if got := readPostgres(t, second.postgresURL); got != "precious" {
				t.Errorf("Postgres has %q, want precious", got)
			}
			if got := readRedis(t, second.redisURL); got != "precious" {
				t.Errorf("Redis has %q, want precious", got)
			}
			waitGone(t, first.postgres)
			waitGone(t, first.redis)
			second.kill()
			// The folder is removed next, and it may still be in use.
			for _, k := range kinds {
				mustStop(t, k.mustStart(t, dir))
			}
		})
	}
}

func TestOwner_is_the_only_one(t *testing.T) {
	t.Parallel()
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			dir := testDir(t)
			first := k.mustStart(t, dir)
			_, err := k.start(patient(t), Config{Dir: dir})
			if want := fmt.Sprintf("is in use by process %d", os.Getpid()); !contains(err, want) {
				t.Errorf("the second start says %v, want that the folder %s", err, want)
			}
			k.write(t, first.URL(), "undisturbed")
			mustStop(t, first)
			k.mustStart(t, dir)
		})
	}
}

// ownerAccounts are ourselves and, when we are root and can be somebody else, an ordinary user.
func ownerAccounts(t *testing.T) map[string]*account {
	accounts := map[string]*account{"ourselves": nil}
	if os.Geteuid() == 0 {
		nobody, err := lookup("nobody")
		if err != nil {
			t.Fatal(err)
		}
		accounts["ordinary user"] = nobody
	}
	return accounts
}

// owned is another process with servers of its own.
type owned struct {
	cmd                   *exec.Cmd
	postgres, redis       int
	postgresURL, redisURL string
}

func startOwner(t *testing.T, a *account, dir string) *owned {
	t.Helper()
	if a != nil {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := a.give(dir); err != nil {
			t.Fatal(err)
		}
	}
	o := &owned{cmd: exec.Command(copyOfMe(t))}
	o.cmd.Env = append(os.Environ(), asOwner+"="+dir)
	o.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: a.credential()}
	o.cmd.Dir = "/"
	o.cmd.Stderr = os.Stderr
	out, err := o.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := o.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.kill)
	lines := bufio.NewReader(out)
	if _, err := fmt.Fscanln(lines, &o.postgres, &o.postgresURL, &o.redis, &o.redisURL); err != nil {
		rest, _ := io.ReadAll(lines)
		t.Fatalf("the owner did not start its servers: %v %s", err, rest)
	}
	return o
}

func (o *owned) kill() {
	_ = o.cmd.Process.Kill()
	// The error is that it was killed.
	_ = o.cmd.Wait()
}

// copyOfMe is this test binary where an ordinary user may run it.
func copyOfMe(t *testing.T) string {
	t.Helper()
	me, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	binary, err := os.ReadFile(me)
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(filepath.Dir(testDir(t)), "owner")
	if err := os.WriteFile(to, binary, 0o755); err != nil {
		t.Fatal(err)
	}
	return to
}

func waitGone(t *testing.T, pid int) {
	t.Helper()
	waitUntil(t, fmt.Sprintf("process %d is gone", pid), func() bool { return !running(pid) })
}
