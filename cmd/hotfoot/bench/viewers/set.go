//go:build linux

package viewers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"syscall"
	"time"
)

// Set is a number of sockets on one server.
type Set struct {
	// Each is told of every text message: the index of its socket's target, the message, which is valid only during the call, and when it was read.
	Each func(target int, message []byte, read time.Time)

	// What came, since the set was made.
	Frames, Bytes int64
	Closed        int // sockets that the server ended, after their first message
	Refused       int // handshakes that were told to come back later

	server  syscall.SockaddrInet4
	host    string
	poll    int
	conns   []*conn // by file descriptor
	open    int
	next    int // of the addresses to connect from
	buffer  []byte
	failure error
}

// addresses of loopback that sockets come from, in turn.
const addresses = 8

// NewSet makes an empty set for a server at an IPv4 address, host:port. The caller must close it.
func NewSet(address string) (*Set, error) {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !at.Addr().Is4() {
		return nil, fmt.Errorf("viewers: %q is no IPv4 address with a port: %w", address, err)
	}
	poll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("viewers: epoll: %w", err)
	}
	return &Set{
		Each:   func(int, []byte, time.Time) {},
		server: syscall.SockaddrInet4{Addr: at.Addr().As4(), Port: int(at.Port())}, host: address, poll: poll, buffer: make([]byte, 256<<10),
	}, nil
}

// Run reads what comes until done says so, which is asked at least every few milliseconds. Errors: the context's, and frames that break the protocol.
func (s *Set) Run(ctx context.Context, done func() bool) error {
	var events [512]syscall.EpollEvent
	for !done() {
		if err := cmp.Or(s.failure, ctx.Err()); err != nil {
			return err
		}
		n, err := syscall.EpollWait(s.poll, events[:], 5)
		if err != nil && !errors.Is(err, syscall.EINTR) {
			return fmt.Errorf("viewers: epoll: %w", err)
		}
		for i := range max(0, n) {
			if c := s.conns[events[i].Fd]; c != nil {
				s.serve(c, events[i].Events)
			}
		}
	}
	return s.failure
}

// For is Run for a time.
func (s *Set) For(ctx context.Context, d time.Duration) error {
	end := time.Now().Add(d)
	return s.Run(ctx, func() bool { return !time.Now().Before(end) })
}

// Len is how many sockets there are now.
func (s *Set) Len() int { return s.open }

// Drop ends all sockets at once and without a word, as a network that goes away.
func (s *Set) Drop() {
	for _, c := range s.conns {
		if c != nil {
			s.drop(c)
		}
	}
}

// Close drops all sockets and ends the set.
func (s *Set) Close() {
	s.Drop()
	_ = syscall.Close(s.poll)
}

// Ignore stops or goes on reading the sockets of these targets; one that is not read fills up the buffers between.
func (s *Set) Ignore(ignored bool, targets func(target int) bool) error {
	for _, c := range s.conns {
		if c == nil || !targets(c.target) {
			continue
		}
		interest := uint32(syscall.EPOLLIN)
		if ignored {
			interest = 0
		}
		if err := s.control(syscall.EPOLL_CTL_MOD, c, interest); err != nil {
			return err
		}
	}
	return nil
}
