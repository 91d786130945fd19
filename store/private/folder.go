package private

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// folder is one server's part of Config.Dir, locked.
type folder struct {
	data    string // the server's own folder: the only thing that belongs to its account
	mark    string // names this folder wherever a name must be short and nobody else's
	account *account
	logger  *slog.Logger
	lock    *os.File
	log     *os.File
	logFrom int64  // where this run's words begin in the log
	sockets string // equals data unless that path is too long for a socket
}

// openFolder takes the lock first: everything after it may rely on being alone.
func openFolder(cfg Config, name, socket string) (_ *folder, err error) {
	if cfg.Dir == "" {
		return nil, errors.New("Config.Dir is empty")
	}
	dir, err := makeDir(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	sum := sha256.Sum256([]byte(dir))
	f := &folder{
		mark:   "hotfoot-" + name + "-" + hex.EncodeToString(sum[:6]),
		logger: cmp.Or(cfg.Log, slog.New(slog.DiscardHandler)),
	}
	defer func() {
		if err != nil {
			f.release()
		}
	}()
	if f.lock, err = takeLock(filepath.Join(dir, name+".lock")); err != nil {
		return nil, err
	}
	if err = f.place(dir, name); err != nil {
		return nil, err
	}
	if err = f.placeSockets(socket); err != nil {
		return nil, err
	}
	if err = f.openLog(filepath.Join(dir, name+".log")); err != nil {
		return nil, fmt.Errorf("open the log: %w", err)
	}
	return f, nil
}

// makeDir returns the folder's one true path. What root makes can be walked through by its servers' account but not listed.
func makeDir(dir string) (string, error) {
	mode := os.FileMode(0o700)
	if os.Geteuid() == 0 {
		mode = 0o711
	}
	if err := os.MkdirAll(dir, mode); err != nil {
		return "", err
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(dir)
}

// takeLock is held by the open file, so the kernel gives it back when we die.
func takeLock(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the lock: %w", err)
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	switch {
	case errors.Is(err, syscall.EWOULDBLOCK):
		by, _ := io.ReadAll(io.LimitReader(file, 20))
		file.Close()
		return nil, fmt.Errorf("%s is in use by process %s: stop that one, or choose another folder", filepath.Dir(path), by)
	case err != nil:
		file.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	if err := file.Truncate(0); err == nil {
		_, _ = fmt.Fprint(file, os.Getpid())
	}
	return file, nil
}

// release hands everything back; the data and the log stay.
func (f *folder) release() {
	if f.sockets != f.data {
		_ = os.RemoveAll(f.sockets)
	}
	if f.log != nil {
		f.log.Close()
	}
	if f.lock != nil {
		// Close alone is too late now and then: a child forked at this moment has the file open, too, until it becomes its program.
		_ = syscall.Flock(int(f.lock.Fd()), syscall.LOCK_UN)
		f.lock.Close()
	}
}

const logLimit = 10 << 20

// openLog appends, and begins anew once the old log is too long. One old log is kept.
func (f *folder) openLog(path string) error {
	if info, err := os.Stat(path); err == nil && info.Size() > logLimit {
		if err := os.Rename(path, path+".1"); err != nil {
			return err
		}
	}
	var err error
	if f.log, err = os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600); err != nil {
		return err
	}
	f.logFrom, err = f.log.Seek(0, io.SeekEnd)
	return err
}

// lastWords quotes the end of what the server said in this run.
func (f *folder) lastWords() string {
	const enough = 1000
	log, err := os.Open(f.log.Name())
	if err != nil {
		return "its log cannot be read: " + err.Error()
	}
	defer log.Close()
	end, _ := log.Seek(0, io.SeekEnd)
	from := max(f.logFrom, end-enough)
	words, _ := io.ReadAll(io.NewSectionReader(log, from, enough))
	return fmt.Sprintf("its log %s ends:\n%s", f.log.Name(), strings.TrimSpace(string(words)))
}
