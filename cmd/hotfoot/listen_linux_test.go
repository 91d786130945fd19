package main

import (
	"net"
	"syscall"
	"testing"
)

// What is accepted has the limit, whoever accepts it.
func TestListen_limits_what_is_unacknowledged(t *testing.T) {
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
	var limit int
	must(t, raw.Control(func(fd uintptr) { limit, err = syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout) }))
	must(t, err)
	if limit != int(unackedLimit.Milliseconds()) {
		t.Errorf("it is %d ms", limit)
	}
}
