package main

import (
	"net"
	"syscall"
	"testing"
)

// What is accepted has the options, whoever accepts it.
func TestListen_options_are_inherited(t *testing.T) {
	t.Parallel()
	listener, err := listen("127.0.0.1:0")
	must(t, err)
	defer listener.Close()
	client, err := net.Dial("tcp", listener.Addr().String())
	must(t, err)
	defer client.Close()
	accepted, err := listener.Accept()
	must(t, err)
	defer accepted.Close()
	raw, err := accepted.(*net.TCPConn).SyscallConn()
	must(t, err)
	for _, o := range []struct {
		what              string
		level, name, want int
	}{
		{"the limit of what is unacknowledged, ms", syscall.IPPROTO_TCP, tcpUserTimeout, int(unackedLimit.Milliseconds())},
		{"whether the kernel asks for a sign of life", syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, 1},
		{"after how much silence, s", syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE, int(silence.Seconds())},
		{"and how much more, s", syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL, int(silence.Seconds())},
	} {
		var got int
		must(t, raw.Control(func(fd uintptr) { got, err = syscall.GetsockoptInt(int(fd), o.level, o.name) }))
		must(t, err)
		if got != o.want {
			t.Errorf("%s: %d, want %d", o.what, got, o.want)
		}
	}
}
