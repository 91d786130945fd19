package pubsub

import (
	"io"
	"net"
	"syscall"
	"unsafe"
)

// socket reads from a connection by calls of which the runtime is not told. It would have its watchman look every few dozen microseconds whether the call still
// lasts, and go on doing so for a millisecond; but one on a socket that does not block is over as soon as the kernel has copied what is there. It may have
// one reader.
type socket struct {
	net.Conn
	raw  syscall.RawConn
	read func(fd uintptr) bool // is made once, so that reading allocates nothing
	into []byte
	n    int
	err  error
}

// unwatched reads from a connection by such calls if it is the kernel's own, and not TLS.
func unwatched(conn net.Conn) net.Conn {
	kernels, ok := conn.(syscall.Conn)
	if !ok {
		return conn
	}
	raw, err := kernels.SyscallConn()
	if err != nil {
		return conn
	}
	s := &socket{Conn: conn, raw: raw}
	s.read = s.readInto
	return s
}

// Read implements io.Reader; b must not be empty.
func (s *socket) Read(b []byte) (int, error) {
	s.into = b
	err := s.raw.Read(s.read)
	s.into = nil
	if err != nil {
		return 0, err
	}
	return s.n, s.err
}

// readInto reads what is there; false says that nothing is yet.
func (s *socket) readInto(fd uintptr) bool {
	for {
		n, _, errno := syscall.RawSyscall(syscall.SYS_READ, fd, uintptr(unsafe.Pointer(&s.into[0])), uintptr(len(s.into)))
		switch {
		case errno == syscall.EINTR:
			continue
		case errno == syscall.EAGAIN:
			return false
		case errno != 0:
			s.n, s.err = 0, errno
		case n == 0:
			s.n, s.err = 0, io.EOF
		default:
			s.n, s.err = int(n), nil
		}
		return true
	}
}
