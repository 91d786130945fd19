//go:build linux

package post

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	patience = 100 * time.Millisecond // how long nothing may come before it is looked whether a run was called off
	tooLong  = time.Minute            // without any answer
)

// loop is connections to servers and what is under way on them. One goroutine sends and reads on all of them: with one for each, waking it would cost
// more than what it does.
type loop struct {
	poll     int
	conns    []*conn   // by file descriptor
	underway int       // requests that are not answered
	last     time.Time // when something was answered, or asked with nothing under way
	buffer   []byte
	events   [256]syscall.EpollEvent
	stamps   []byte // room for what the kernel says about when something came; nil when it is not asked

	// cut looks for an answer at the beginning of what came: size is its length, 0 while it is not complete; refusal says what a server answered that did not do
	// as it was asked.
	cut func(b []byte) (size int, refusal, err error)
	// unasked says that servers may send more than answers.
	unasked bool
}

// conn is one connection.
type conn struct {
	fd, index int
	due       time.Time // of the request that is under way
	request   []byte
	unsent    []byte // of it
	rest      []byte // of an answer that is not complete
}

// edges is EPOLLET, which is negative in package syscall.
const edges = 1 << 31

// connect opens so many connections, to these servers in turn. The caller must close the loop.
func connect(addresses []string, connections int) (*loop, error) {
	poll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("post: epoll: %w", err)
	}
	l := &loop{poll: poll, buffer: make([]byte, 64<<10), cut: cutAnswer}
	for i := range connections {
		if err := l.dial(addresses[i%len(addresses)], i); err != nil {
			l.close()
			return nil, err
		}
	}
	return l, nil
}

func (l *loop) dial(address string, index int) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !at.Addr().Is4() {
		return fmt.Errorf("post: %q is no IPv4 address with a port: %w", address, err)
	}
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("post: socket %d: %w", index+1, err)
	}
	for fd >= len(l.conns) {
		l.conns = append(l.conns, nil)
	}
	l.conns[fd] = &conn{fd: fd, index: index}
	_ = syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
	// Edges: a connection is told of once, when something comes or there is room again, and nothing has to be changed for each request.
	event := syscall.EpollEvent{Events: syscall.EPOLLIN | syscall.EPOLLOUT | edges, Fd: int32(fd)}
	err = syscall.Connect(fd, &syscall.SockaddrInet4{Addr: at.Addr().As4(), Port: int(at.Port())})
	if err == nil {
		err = syscall.SetNonblock(fd, true)
	}
	if err == nil {
		err = syscall.EpollCtl(l.poll, syscall.EPOLL_CTL_ADD, fd, &event)
	}
	if err != nil {
		return fmt.Errorf("post: connection %d to %s: %w", index+1, address, err)
	}
	return nil
}

// all answers the connections in their order.
func (l *loop) all() []*conn {
	return slices.DeleteFunc(slices.Clone(l.conns), func(c *conn) bool { return c == nil })
}

func (l *loop) close() {
	for _, c := range l.conns {
		if c != nil {
			_ = syscall.Close(c.fd)
		}
	}
	_ = syscall.Close(l.poll)
}

// send begins a request on a connection that has none under way. The request must not be changed before it is answered.
func (l *loop) send(c *conn, request []byte) error {
	if l.underway == 0 {
		l.last = time.Now()
	}
	l.underway++
	c.unsent = request
	return l.write(c)
}

func (l *loop) write(c *conn) error {
	for len(c.unsent) > 0 {
		n, err := syscall.Write(c.fd, c.unsent)
		switch {
		case errors.Is(err, syscall.EAGAIN):
			return nil
		case errors.Is(err, syscall.EINTR):
			continue
		case err != nil:
			return fmt.Errorf("post: sending on connection %d: %w", c.index+1, err)
		}
		c.unsent = c.unsent[n:]
	}
	return nil
}

// answers is told of each answer: on which connection, when it was read, and what was answered that is not what was asked for, nil mostly.
type answers func(c *conn, at time.Time, refusal error) error

// await waits until something comes, but no longer than until a moment, and hands on the answers that are complete. Errors: those of answered, a connection
// that breaks, and a minute in which nothing is answered.
func (l *loop) await(until time.Time, answered answers) error {
	n, err := l.wait(time.Until(until))
	if err != nil {
		return err
	}
	if n == 0 && l.underway > 0 && time.Since(l.last) > tooLong {
		return fmt.Errorf("post: %d requests have had no answer for %v", l.underway, tooLong)
	}
	for _, event := range l.events[:n] {
		c := l.conns[event.Fd]
		if err := l.write(c); err != nil {
			return err
		}
		if event.Events&^syscall.EPOLLOUT == 0 {
			continue
		}
		if err := l.read(c, answered); err != nil {
			return err
		}
	}
	return nil
}

// wait waits until something comes, but no longer than this, and answers of how many connections there are events. The runtime is not told that it blocks: it
// would have another thread go on in place of this one, which wakes up to find that it may not, for every few answers.
func (l *loop) wait(most time.Duration) (n int, err error) {
	// Epoll's own timeout is in milliseconds, which is too coarse for what is due.
	if most < time.Millisecond {
		timeout := unix.NsecToTimespec(max(0, most.Nanoseconds()))
		if _, err := unix.Ppoll([]unix.PollFd{{Fd: int32(l.poll), Events: unix.POLLIN}}, &timeout, nil); err != nil && !errors.Is(err, syscall.EINTR) {
			return 0, fmt.Errorf("post: poll: %w", err)
		}
		most = 0
	}
	came, _, code := syscall.RawSyscall6(syscall.SYS_EPOLL_PWAIT, uintptr(l.poll), uintptr(unsafe.Pointer(&l.events[0])), uintptr(len(l.events)),
		uintptr(most.Milliseconds()), 0, 0)
	switch {
	case code == syscall.EINTR:
		return 0, nil
	case code != 0:
		return 0, fmt.Errorf("post: epoll: %w", code)
	}
	return int(came), nil
}

// read takes what has come on a connection, up to the end of an answer: no other comes before there is another request.
func (l *loop) read(c *conn, answered answers) error {
	for {
		if len(c.rest) > len(l.buffer)/2 {
			l.buffer = make([]byte, 2*len(l.buffer))
		}
		kept := copy(l.buffer, c.rest)
		n, at, err := l.receive(c, l.buffer[kept:])
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case errors.Is(err, syscall.EAGAIN):
			return nil
		case err != nil:
			return fmt.Errorf("post: reading on connection %d: %w", c.index+1, err)
		case n == 0:
			return fmt.Errorf("post: connection %d was closed by the server", c.index+1)
		}
		size, refusal, err := l.cut(l.buffer[:kept+n])
		if err != nil {
			return err
		}
		if size == 0 {
			c.rest = append(c.rest[:0], l.buffer[:kept+n]...)
			continue
		}
		if size < kept+n && !l.unasked || len(c.unsent) > 0 {
			return fmt.Errorf("post: connection %d was answered more than it had asked", c.index+1)
		}
		c.rest = append(c.rest[:0], l.buffer[size:kept+n]...)
		l.underway--
		l.last = time.Now()
		return answered(c, at, refusal)
	}
}

// receive reads once, and answers when what it has read came: now, or, when the kernel is asked, when the kernel had it; then it is the zero time when the
// kernel does not know.
func (l *loop) receive(c *conn, b []byte) (n int, at time.Time, err error) {
	if l.stamps == nil {
		n, err = syscall.Read(c.fd, b)
		return n, time.Now(), err
	}
	n, size, _, _, err := syscall.Recvmsg(c.fd, b, l.stamps, 0)
	if err != nil || n == 0 {
		return n, time.Time{}, err
	}
	said, err := unix.ParseSocketControlMessage(l.stamps[:size])
	if err != nil || len(said) != 1 || said[0].Header.Type != unix.SO_TIMESTAMPNS || len(said[0].Data) < 16 {
		return n, time.Time{}, err
	}
	seconds, nanos := binary.NativeEndian.Uint64(said[0].Data), binary.NativeEndian.Uint64(said[0].Data[8:])
	return n, time.Unix(int64(seconds), int64(nanos)), nil
}

// stamp has the kernel say when something came, from a moment later on.
func (l *loop) stamp() error {
	for _, c := range l.all() {
		if err := syscall.SetsockoptInt(c.fd, syscall.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1); err != nil {
			return fmt.Errorf("post: asking for the time of what comes: %w", err)
		}
	}
	l.stamps = make([]byte, unix.CmsgSpace(16))
	return nil
}
