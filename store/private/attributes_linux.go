package private

import "syscall"

// attributes ties a child to us: it gets the signal last when our process is gone. Its own process group keeps Ctrl-C to
// ourselves, so that servers are stopped after those who use them.
func attributes(a *account, last syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: last, Credential: a.credential()}
}
