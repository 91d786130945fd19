package scratch

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestDir(t *testing.T) {
	t.Parallel()
	var dir string
	t.Run("can be walked through by others", func(t *testing.T) {
		dir = Dir(t)
		info, err := os.Stat(dir)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o711 {
			t.Errorf("the mode is %v, want -rwx--x--x", info.Mode().Perm())
		}
	})
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("it is still there after its test: %v", err)
	}
}

func TestSweep_removes_only_what_dead_processes_left(t *testing.T) {
	t.Parallel()
	dead := exec.Command("true")
	if err := dead.Run(); err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	left := filepath.Join(root, fmt.Sprintf("%s%d-1", prefix, dead.Process.Pid))
	used := filepath.Join(root, fmt.Sprintf("%s%d-1", prefix, os.Getpid()))
	other := filepath.Join(root, prefix+"notes")
	for _, dir := range []string{left, used, other} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	sweep(root)
	if _, err := os.Stat(left); !os.IsNotExist(err) {
		t.Errorf("a dead process's folder is still there: %v", err)
	}
	for _, dir := range []string{used, other} {
		if _, err := os.Stat(dir); err != nil {
			t.Errorf("%s is gone: %v", filepath.Base(dir), err)
		}
	}
}
