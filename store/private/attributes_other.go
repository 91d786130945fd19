//go:build unix && !linux

package private

import "syscall"

// attributes gives a child its own process group, which keeps Ctrl-C to ourselves, so that servers are stopped after those who
// use them. Here the kernel cannot end a child with its parent: a server left behind is ended by the next start in its folder.
func attributes(a *account, _ syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Credential: a.credential()}
}
