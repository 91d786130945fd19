package private

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is the user a server runs as: nil is ourselves.
//
// Postgres refuses to run as root, and Redis should not either. So root's servers run as the owner of the data that is there,
// or for new data as the system's postgres user, or as nobody.
type account struct {
	name     string
	uid, gid uint32
}

func serviceAccount(data string) (*account, error) {
	info, err := os.Stat(data)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	if os.Geteuid() != 0 {
		if err == nil && owner(info).uid != uint32(os.Geteuid()) {
			return nil, fmt.Errorf("%s belongs to user %s: start as that user, or choose another folder", data, owner(info).name)
		}
		return nil, nil
	}
	if err == nil && owner(info).uid != 0 {
		return owner(info), nil
	}
	for _, name := range []string{"postgres", "_postgres", "nobody"} {
		if a, err := lookup(name); err == nil {
			return a, nil
		}
	}
	return nil, errors.New("root may not run Postgres, and there is no user postgres or nobody to run it as")
}

func lookup(name string) (*account, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return nil, err
	}
	uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
	gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
	return &account{name: name, uid: uint32(uid), gid: uint32(gid)}, errors.Join(uidErr, gidErr)
}

func owner(info os.FileInfo) *account {
	stat := info.Sys().(*syscall.Stat_t)
	a := &account{name: strconv.Itoa(int(stat.Uid)), uid: stat.Uid, gid: stat.Gid}
	if u, err := user.LookupId(a.name); err == nil {
		a.name = u.Username
	}
	return a
}

func (a *account) credential() *syscall.Credential {
	if a == nil {
		return nil
	}
	return &syscall.Credential{Uid: a.uid, Gid: a.gid}
}

// mayPass tells whether the account can walk through a folder and all those above it: a server reaches nothing below /root.
func (a *account) mayPass(dir string) bool {
	if a == nil {
		return true
	}
	for {
		info, err := os.Stat(dir)
		if err != nil {
			return false
		}
		pass := os.FileMode(0o001)
		switch o := owner(info); {
		case o.uid == a.uid:
			pass = 0o100
		case o.gid == a.gid:
			pass = 0o010
		}
		if info.Mode()&pass == 0 {
			return false
		}
		if dir == filepath.Dir(dir) {
			return true
		}
		dir = filepath.Dir(dir)
	}
}

// give makes the account the owner of one folder, closed to everybody else.
func (a *account) give(dir string) error {
	if a == nil {
		return os.Chmod(dir, 0o700)
	}
	if err := os.Chown(dir, int(a.uid), int(a.gid)); err != nil {
		return err
	}
	return os.Chmod(dir, 0o700)
}
