package gateway

import (
	"syscall"
	"unsafe"
)

// readNow and writeNow are read(2) and write(2) on a socket that does not block; b must not be empty. The runtime is not told of the call. It would have its
// watchman look every few dozen microseconds whether the call still lasts, and another thread take over where it does; but this one is over as soon as the
// kernel has copied some bytes, and there is one for each frame.
func readNow(fd uintptr, b []byte) (int, error)  { return now(syscall.SYS_READ, fd, b) }
func writeNow(fd uintptr, b []byte) (int, error) { return now(syscall.SYS_WRITE, fd, b) }

func now(call, fd uintptr, b []byte) (int, error) {
	n, _, errno := syscall.RawSyscall(call, fd, uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
	if errno != 0 {
		return -1, errno
	}
	return int(n), nil
}
