// Package scratch makes folders for the private servers of tests.
//
//	/dev/shm/hotfoot-test-<pid>-<random>/   where memory has room, else in the folder for temporary files
//
// In memory an fsync costs nothing, so that tests keep every durable setting and yet do not wait for a busy disk: a database is
// cloned in 17 ms instead of 240. Unlike those of testing.T.TempDir the folders can be walked through by the user who runs the
// servers when the tests run as root.
//
// What it guarantees. Nothing is left behind for long: folders are named after the process that made them, and those of runs that
// were killed are swept by a later run.
//
// Concurrency: everything may be called from any test at any time.
package scratch

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// Dir makes a folder that is removed at the end of the test.
func Dir(t testing.TB) string {
	t.Helper()
	dir, err := Make()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// Make makes a folder that its caller removes.
func Make() (string, error) {
	root := chooseRoot()
	dir, err := os.MkdirTemp(root, fmt.Sprintf("%s%d-", prefix, os.Getpid()))
	if err != nil {
		return "", err
	}
	return dir, os.Chmod(dir, 0o711)
}

const prefix = "hotfoot-test-"

// roomEnough is for a few servers with the logs of a long run. In a container /dev/shm mostly has 64 MB.
const roomEnough = 2 << 30

// chooseRoot decides once, and then sweeps there.
var chooseRoot = sync.OnceValue(func() string {
	const memory = "/dev/shm"
	root := os.TempDir()
	var room syscall.Statfs_t
	if os.Getenv("TMPDIR") == "" && syscall.Statfs(memory, &room) == nil && room.Bavail*uint64(room.Bsize) >= roomEnough {
		root = memory
	}
	sweep(root)
	return root
})

func sweep(root string) {
	dirs, _ := filepath.Glob(filepath.Join(root, prefix+"*"))
	for _, dir := range dirs {
		number, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), prefix), "-")
		pid, err := strconv.Atoi(number)
		if err == nil && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			// What belongs to another user stays.
			_ = os.RemoveAll(dir)
		}
	}
}
