//go:build linux

package viewers

import (
	"bytes"
	"fmt"
	"strconv"
	"syscall"
	"time"

	"hotfoot/cmd/hotfoot/bench/socket"
)

// What a socket waits for.
const (
	connecting = iota
	shaking    // the answer to its handshake
	arriving   // its first message
	watching
)

// conn is one socket.
type conn struct {
	fd     int
	target int
	state  int
	rest   []byte // of a frame that is not complete
	open   *opening
}

// bindNoPort lets the port be chosen when the peer is known too, so that one port serves many servers; see ip(7).
const bindNoPort = 24

// dial begins to connect.
func (s *Set) dial(target int, o *opening) error {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("viewers: socket %d: %w", s.open+1, err)
	}
	c := &conn{fd: fd, target: target, open: o}
	// Closing must not leave a socket behind in TIME_WAIT: the next repeat needs its port.
	_ = syscall.SetsockoptLinger(fd, syscall.SOL_SOCKET, syscall.SO_LINGER, &syscall.Linger{Onoff: 1})
	_ = syscall.SetsockoptInt(fd, syscall.IPPROTO_IP, bindNoPort, 1)
	s.next++
	from := syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, byte(1 + s.next%addresses)}}
	err = syscall.Bind(fd, &from)
	if err == nil {
		err = syscall.Connect(fd, &s.server)
	}
	if err != nil && err != syscall.EINPROGRESS {
		_ = syscall.Close(fd)
		return fmt.Errorf("viewers: connecting socket %d: %w", s.open+1, err)
	}
	for fd >= len(s.conns) {
		s.conns = append(s.conns, nil)
	}
	s.conns[fd] = c
	s.open++
	return s.control(syscall.EPOLL_CTL_ADD, c, syscall.EPOLLOUT)
}

func (s *Set) control(op int, c *conn, interest uint32) error {
	if err := syscall.EpollCtl(s.poll, op, c.fd, &syscall.EpollEvent{Events: interest, Fd: int32(c.fd)}); err != nil {
		return fmt.Errorf("viewers: epoll: %w", err)
	}
	return nil
}

func (s *Set) drop(c *conn) {
	s.conns[c.fd] = nil
	s.open--
	_ = syscall.Close(c.fd)
}

// serve does what a socket is ready for.
func (s *Set) serve(c *conn, ready uint32) {
	if c.state == connecting {
		if code, err := syscall.GetsockoptInt(c.fd, syscall.SOL_SOCKET, syscall.SO_ERROR); err != nil || code != 0 {
			s.lose(c, time.Second)
			return
		}
		c.state = shaking
		if _, err := syscall.Write(c.fd, c.open.request(s.host, c.target)); err != nil {
			s.lose(c, time.Second)
			return
		}
		s.fail(s.control(syscall.EPOLL_CTL_MOD, c, syscall.EPOLLIN))
		return
	}
	if ready&(syscall.EPOLLIN|syscall.EPOLLHUP|syscall.EPOLLERR) != 0 {
		s.read(c)
	}
}

// read takes what has come and cuts it into frames.
func (s *Set) read(c *conn) {
	for len(c.rest) > len(s.buffer)/2 {
		s.buffer = make([]byte, 2*len(s.buffer))
	}
	kept := copy(s.buffer, c.rest)
	n, err := syscall.Read(c.fd, s.buffer[kept:])
	if err == syscall.EAGAIN || err == syscall.EINTR {
		return
	}
	if err != nil || n <= 0 {
		s.lose(c, 0)
		return
	}
	now := time.Now()
	s.Bytes += int64(n)
	b := s.buffer[:kept+n]
	if c.state == shaking {
		if b = s.shaken(c, b); b == nil {
			return
		}
	}
	for {
		op, payload, size, err := socket.Cut(b)
		if err != nil {
			s.fail(fmt.Errorf("viewers: %w", err))
			return
		}
		if size == 0 {
			break
		}
		b = b[size:]
		if !s.take(c, op, payload, now) {
			return
		}
	}
	c.rest = append(c.rest[:0], b...)
	if len(b) == 0 {
		c.rest = nil // an idle socket needs no memory
	}
}

// take handles one frame; it answers false when the socket is gone.
func (s *Set) take(c *conn, op byte, payload []byte, now time.Time) bool {
	switch op {
	case socket.Text:
		s.Frames++
		if c.state == arriving {
			if KindOf(payload) == Bye {
				s.Refused++
				s.lose(c, retryAfterOf(payload))
				return false
			}
			c.state = watching
			c.open.arrived++
			c.open.inFlight--
		}
		s.Each(c.target, payload, now)
	case socket.Ping:
		if _, err := syscall.Write(c.fd, socket.AppendMasked(nil, socket.Pong, payload)); err != nil {
			s.lose(c, 0)
			return false
		}
	case socket.Close:
		s.lose(c, 0)
		return false
	}
	return true
}

var (
	endOfHead  = []byte("\r\n\r\n")
	switching  = []byte("HTTP/1.1 101")
	retryAfter = []byte("Retry-After: ")
)

// shaken reads the answer to the handshake; it answers what came behind it, or nil when it is not complete or was a refusal.
func (s *Set) shaken(c *conn, b []byte) []byte {
	head, rest, complete := bytes.Cut(b, endOfHead)
	if !complete {
		c.rest = append(c.rest[:0], b...)
		return nil
	}
	if bytes.HasPrefix(head, switching) {
		c.state, c.rest = arriving, nil
		if hello := c.open.targets[c.target].Hello; hello != "" {
			if _, err := syscall.Write(c.fd, socket.AppendMasked(nil, socket.Text, []byte(hello))); err != nil {
				s.lose(c, time.Second)
				return nil
			}
		}
		return rest
	}
	if _, after, told := bytes.Cut(head, retryAfter); told {
		text, _, _ := bytes.Cut(after, []byte("\r\n"))
		if seconds, err := strconv.Atoi(string(text)); err == nil {
			s.Refused++
			s.lose(c, time.Duration(seconds)*time.Second)
			return nil
		}
	}
	status, _, _ := bytes.Cut(head, []byte("\r\n"))
	s.fail(fmt.Errorf("viewers: target %d was answered %q", c.target, status))
	return nil
}

// lose lets go of a socket that has ended. One that has not had its first message yet is tried again after at most the given time.
func (s *Set) lose(c *conn, after time.Duration) {
	s.drop(c)
	if c.state == watching {
		s.Closed++
		return
	}
	c.open.again(c.target, max(after, 100*time.Millisecond))
}

func (s *Set) fail(err error) {
	if s.failure == nil {
		s.failure = err
	}
}
