package main

import (
	"context"
	"net"
	"syscall"
	"time"
)

const (
	// unackedLimit is how long a peer may leave what it was sent unacknowledged. Without it a client whose network has gone is noticed when the kernel
	// gives up repeating itself, after a quarter of an hour; sockets have pings for that, streams and slow downloads have nothing.
	unackedLimit = time.Minute
	// silence is how long nothing may come before the kernel asks whether the peer is there, and how long it waits to ask again: as Go does it.
	silence = 15 * time.Second
	// tcpUserTimeout is Linux' TCP_USER_TIMEOUT, which package syscall does not name.
	tcpUserTimeout = 18
)

// listen is net.Listen on TCP, with options that accepted connections inherit: setting them on each would be four system calls for every client who comes,
// and a crowd comes at once.
func listen(address string) (net.Listener, error) {
	config := net.ListenConfig{KeepAlive: -1, Control: func(_, _ string, c syscall.RawConn) error {
		var failed error
		err := c.Control(func(fd uintptr) {
			for _, o := range [...]struct{ level, name, value int }{
				{syscall.IPPROTO_TCP, tcpUserTimeout, int(unackedLimit.Milliseconds())},
				{syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE, int(silence.Seconds())},
				{syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL, int(silence.Seconds())},
				{syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, 1},
			} {
				if failed = syscall.SetsockoptInt(int(fd), o.level, o.name, o.value); failed != nil {
					return
				}
			}
		})
		if err != nil {
			return err
		}
		return failed
	}}
	return config.Listen(context.Background(), "tcp", address)
}
