package private

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFolder_too_deep_for_a_socket(t *testing.T) {
	t.Parallel()
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(testDir(t), strings.Repeat("deep/", 30))
			s := k.mustStart(t, dir)
			k.write(t, s.URL(), "reached")
			sockets := s.folder.sockets
			info, err := os.Stat(sockets)
			if err != nil {
				t.Fatal(err)
			}
			if info.Mode().Perm() != 0o700 {
				t.Errorf("others may enter the socket folder: %v", info.Mode())
			}
			mustStop(t, s)
			if _, err := os.Stat(sockets); !os.IsNotExist(err) {
				t.Errorf("the socket folder is left behind: %v", err)
			}

			// A killed owner leaves the folder.
			if err := os.Mkdir(sockets, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := s.folder.account.give(sockets); err != nil {
				t.Fatal(err)
			}
			k.mustStart(t, dir)
		})
	}
}

func TestFolder_distrusts_a_socket_folder_that_is_not_ours(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(testDir(t), strings.Repeat("deep/", 30))
	k := kinds[1]
	s := k.mustStart(t, dir)
	sockets := s.folder.sockets
	mustStop(t, s)
	if err := os.Symlink(filepath.Dir(testDir(t)), sockets); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(sockets)
	if _, err := k.start(patient(t), Config{Dir: dir}); !contains(err, "not ours") {
		t.Errorf("start says %v, want that the folder is not ours", err)
	}
}

func TestFolder_begins_a_new_log_when_the_old_one_is_long(t *testing.T) {
	t.Parallel()
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			dir := testDir(t)
			mustStop(t, k.mustStart(t, dir))
			log := filepath.Join(dir, k.name+".log")
			if err := os.Truncate(log, logLimit+1); err != nil {
				t.Fatal(err)
			}
			mustStop(t, k.mustStart(t, dir))
			if info, err := os.Stat(log); err != nil || info.Size() == 0 || info.Size() > logLimit {
				t.Errorf("the log is %v, %v; want a short one", info, err)
			}
			if info, err := os.Stat(log + ".1"); err != nil || info.Size() != logLimit+1 {
				t.Errorf("the old log is %v, %v; want it kept", info, err)
			}
		})
	}
}

// A process number in a pid file may by now be anybody's, as in a container that was started again.
func TestFolder_with_a_pid_file_that_names_a_stranger(t *testing.T) {
	t.Parallel()
	dir := testDir(t)
	s := kinds[0].mustStart(t, dir)
	pidFile := filepath.Join(cluster(s.folder), "postmaster.pid")
	content, err := os.ReadFile(pidFile)
	if err != nil {
		t.Fatal(err)
	}
	s.Kill()
	stranger := startSleeper(t, s.folder.account)
	_, rest, _ := strings.Cut(string(content), "\n")
	if err := os.WriteFile(pidFile, []byte(stranger+"\n"+rest), 0o600); err != nil {
		t.Fatal(err)
	}
	kinds[0].mustStart(t, dir)
}

func contains(err error, words string) bool {
	return err != nil && strings.Contains(err.Error(), words)
}
