package private

import (
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"hotfoot/store/storetest/scratch"
)

func TestAccount_is_never_root(t *testing.T) {
	t.Parallel()
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			dir := testDir(t)
			k.mustStart(t, dir)
			info, err := os.Stat(filepath.Join(dir, k.name))
			if err != nil {
				t.Fatal(err)
			}
			uid := int(owner(info).uid)
			if uid == 0 || os.Geteuid() != 0 && uid != os.Geteuid() {
				t.Errorf("the data belongs to user %d, we are %d", uid, os.Geteuid())
			}
			if info.Mode().Perm() != 0o700 {
				t.Errorf("others may enter the data folder: %v", info.Mode())
			}
		})
	}
}

func TestAccount_of_root(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root's servers run as another user")
	}
	for _, k := range kinds {
		t.Run(k.name+" keeps its data elsewhere when it cannot reach the folder", func(t *testing.T) {
			t.Parallel()
			closed := filepath.Dir(testDir(t))
			if err := os.Chmod(closed, 0o700); err != nil {
				t.Fatal(err)
			}
			dir := filepath.Join(closed, "data")
			var said strings.Builder
			s, err := k.start(patient(t), Config{Dir: dir, Log: slog.New(slog.NewTextHandler(&said, nil))})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { forgetElsewhere(t, s.folder.data) })
			if !strings.Contains(said.String(), s.folder.data) {
				t.Errorf("the log does not say where the data is: %s", said.String())
			}
			k.write(t, s.URL(), "precious")
			mustStop(t, s)

			again := k.mustStart(t, dir)
			if got := k.read(t, again.URL()); got != "precious" {
				t.Errorf("read %q, want precious", got)
			}
			mustStop(t, again)

			for _, deleted := range []string{dir, s.folder.data} {
				if err := os.RemoveAll(deleted); err != nil {
					t.Fatal(err)
				}
				anew := k.mustStart(t, dir)
				k.write(t, anew.URL(), "new")
				if got := k.read(t, anew.URL()); got != "new" {
					t.Errorf("read %q although %s was deleted, want new", got, deleted)
				}
				mustStop(t, anew)
			}
		})
		t.Run(k.name+" is the owner of the data that is there", func(t *testing.T) {
			t.Parallel()
			nobody, err := lookup("nobody")
			if err != nil {
				t.Fatal(err)
			}
			dir := testDir(t)
			data := filepath.Join(dir, k.name)
			if err := os.MkdirAll(data, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := nobody.give(data); err != nil {
				t.Fatal(err)
			}
			s := k.mustStart(t, dir)
			k.write(t, s.URL(), "written")
			if got := *s.folder.account; got != *nobody {
				t.Errorf("it runs as %v, want %v", got, *nobody)
			}
		})
	}
}

func forgetElsewhere(t *testing.T, data string) {
	t.Helper()
	if err := errors.Join(os.RemoveAll(data), os.RemoveAll(data+".for")); err != nil {
		t.Error(err)
	}
}

func TestElsewhere_forgets_temporary_folders_that_are_gone(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root's servers have their data elsewhere")
	}
	temp := scratch.Dir(t)
	start := func(folder string) (data string) {
		if err := os.Mkdir(filepath.Dir(folder), 0o700); err != nil {
			t.Fatal(err)
		}
		s := kinds[1].mustStart(t, folder)
		t.Cleanup(func() { forgetElsewhere(t, s.folder.data) })
		mustStop(t, s)
		return s.folder.data
	}
	kept, gone := filepath.Join(temp, "kept/data"), filepath.Join(temp, "gone/data")
	keptData, goneData := start(kept), start(gone)
	if err := os.RemoveAll(gone); err != nil {
		t.Fatal(err)
	}

	clearElsewhere(filepath.Join(temp, "kept"))
	if _, err := os.Stat(goneData); err != nil {
		t.Errorf("it forgot a folder that is not below the one for temporary files: %v", err)
	}
	clearElsewhere(temp)
	if _, err := os.Stat(goneData); !os.IsNotExist(err) {
		t.Errorf("the data of the deleted folder is still there: %v", err)
	}
	if _, err := os.Stat(keptData); err != nil {
		t.Errorf("the data of a folder that is there is gone: %v", err)
	}
}

// startSleeper runs a process that is no server, as the account, and returns its number.
func startSleeper(t *testing.T, a *account) string {
	t.Helper()
	cmd := exec.Command("sleep", "600")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: a.credential()}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return strconv.Itoa(cmd.Process.Pid)
}

func TestAccount_mayPass(t *testing.T) {
	t.Parallel()
	stranger := &account{uid: 54321, gid: 54321}
	dir := testDir(t)
	if err := os.MkdirAll(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	if !stranger.mayPass(dir) {
		t.Errorf("a stranger may not pass %s, want that it may", dir)
	}
	if err := os.Chmod(filepath.Dir(dir), 0o700); err != nil {
		t.Fatal(err)
	}
	if stranger.mayPass(dir) {
		t.Errorf("a stranger may pass below a closed folder, want that it may not")
	}
}
