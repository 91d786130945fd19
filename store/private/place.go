package private

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// place finds or makes the server's own folder. It is dir/name, or a link of that name when the servers' account cannot walk
// through dir: deleting dir therefore always means starting anew.
func (f *folder) place(dir, name string) (err error) {
	f.data = filepath.Join(dir, name)
	if f.account, err = serviceAccount(f.data); err != nil {
		return err
	}
	if _, err := os.Stat(f.data); errors.Is(err, os.ErrNotExist) {
		// It may be a link whose data is gone, when dir outlived its container.
		_ = os.Remove(f.data)
	}
	info, err := os.Lstat(f.data)
	switch {
	case errors.Is(err, os.ErrNotExist) && !f.account.mayPass(dir):
		err = f.placeElsewhere()
	case errors.Is(err, os.ErrNotExist):
		err = os.Mkdir(f.data, 0o700)
	case err == nil && info.Mode().Type() == os.ModeSymlink:
		f.data, err = filepath.EvalSymlinks(f.data)
	}
	if err != nil {
		return fmt.Errorf("make room for %s: %w", name, err)
	}
	if !f.account.mayPass(filepath.Dir(f.data)) {
		return fmt.Errorf("user %s, who runs %s for root, cannot reach %s: choose a folder that other users can walk through",
			f.account.name, name, f.data)
	}
	return f.account.give(f.data)
}

// socketPathLimit is macOS's, ending zero included; Linux allows four bytes more.
const socketPathLimit = 104

// placeSockets puts the socket beside the data, or when that path is too long into a short folder of its own, named after the
// data folder so that the address is the same at every start.
func (f *folder) placeSockets(socket string) error {
	f.sockets = f.data
	if fits(f.sockets, socket) {
		return nil
	}
	for _, temp := range []string{os.TempDir(), "/tmp"} {
		short := filepath.Join(temp, f.mark)
		if !fits(short, socket) || !f.account.mayPass(temp) {
			continue
		}
		if err := f.makeSocketDir(short); err != nil {
			return fmt.Errorf("make a folder for the socket: %w", err)
		}
		f.sockets = short
		return nil
	}
	return fmt.Errorf("%s is too deep for a socket, and so is %s: choose a shorter folder", f.data, os.TempDir())
}

func fits(dir, socket string) bool { return len(filepath.Join(dir, socket)) < socketPathLimit }

// makeSocketDir trusts nothing that it finds in a place where everybody may write: only a folder that is already the account's
// own is used again, as a killed run left it.
func (f *folder) makeSocketDir(short string) error {
	err := os.Mkdir(short, 0o700)
	if err == nil {
		return f.account.give(short)
	}
	info, statErr := os.Lstat(short)
	if statErr != nil {
		return err
	}
	uid := uint32(os.Geteuid())
	if f.account != nil {
		uid = f.account.uid
	}
	if !info.IsDir() || info.Mode().Perm() != 0o700 || owner(info).uid != uid {
		return fmt.Errorf("%s is there already and not ours", short)
	}
	return nil
}
