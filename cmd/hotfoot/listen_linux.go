package main

import (
	"context"
	"net"
	"syscall"
	"time"
)

// unackedLimit is how long a peer may leave what it was sent unacknowledged. Without it a client whose network has gone is noticed when the kernel
// gives up repeating itself, after a quarter of an hour; sockets have pings for that, streams and slow downloads have nothing.
const unackedLimit = time.Minute

// tcpUserTimeout is Linux' TCP_USER_TIMEOUT, which package syscall does not name.
const tcpUserTimeout = 18

// listen is net.Listen on TCP; accepted connections inherit the limit.
func listen(address string) (net.Listener, error) {
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var failed error
		err := c.Control(func(fd uintptr) {
			failed = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, int(unackedLimit.Milliseconds()))
		})
		if err != nil {
			return err
		}
		return failed
	}}
	return config.Listen(context.Background(), "tcp", address)
}
