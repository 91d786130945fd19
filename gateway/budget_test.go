package gateway_test

import (
	"net"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"hotfoot/gateway"
)

// What a socket that watches its own delivery may cost while nothing happens. These are counts of what is alive, not measurements of time: they do not
// depend on the machine. Whoever exceeds one has made every idle viewer dearer, a hundred thousand times on a large node: look at a heap profile
// (docs/performance.md says how) before raising it.
const (
	maxIdleBytes      = 4 << 10 // heap and stacks, with topic, record, subscriptions and all; the system's view of it is in docs/performance.md
	maxIdleGoroutines = 0       // where the system has epoll, and elsewhere one
)

// It is not parallel: it measures memory.
func TestBudget_idle_sockets(t *testing.T) {
	if raced {
		t.Skip("the race detector needs memory of its own; make budgets runs it without")
	}
	const count = 2000
	s := newShop(t)
	n := s.node(gateway.Config{})
	records := s.invent(t, count)
	// The first few make what all share.
	for _, r := range records[:50] {
		n.mute(t, r.Delivery.ID.String(), "/track/"+s.token(r)+"/live")
	}
	n.settled(t, 50)
	bytes, goroutines := inUse(), runtime.NumGoroutine()
	for _, r := range records[50:] {
		n.mute(t, r.Delivery.ID.String(), "/track/"+s.token(r)+"/live")
	}
	n.sockets(t, count)
	n.settled(t, count)
	perBytes := float64(int64(inUse())-int64(bytes)) / (count - 50)
	perGoroutines := float64(runtime.NumGoroutine()-goroutines) / (count - 50)
	t.Logf("an idle socket: %.0f bytes, %.2f goroutines", perBytes, perGoroutines)
	if perBytes > maxIdleBytes || perGoroutines > maxIdleGoroutines+0.05 {
		t.Errorf("an idle socket costs %.0f bytes and %.2f goroutines, at most %d and %d may be", perBytes, perGoroutines, maxIdleBytes, maxIdleGoroutines)
	}
}

// mute opens a WebSocket with system calls alone and never reads it again: it costs this process a descriptor, so that what is measured is the server.
func (n *node) mute(t *testing.T, name, path string) {
	t.Helper()
	address := n.server.Listener.Addr().(*net.TCPAddr)
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	must(t, err)
	t.Cleanup(func() { _ = syscall.Close(fd) })
	to := &syscall.SockaddrInet4{Port: address.Port}
	copy(to.Addr[:], address.IP.To4())
	must(t, syscall.Connect(fd, to))
	_, err = syscall.Write(fd, []byte("GET "+path+" HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: hotfoot.v1\r\n\r\n"))
	must(t, err)
	var answer [64]byte
	got, err := syscall.Read(fd, answer[:])
	must(t, err)
	// It answers one ping, as every client does now and then.
	_, err = syscall.Write(fd, []byte{0x8a, 0x80, 1, 2, 3, 4})
	must(t, err)
	if !strings.HasPrefix(string(answer[:max(0, got)]), "HTTP/1.1 101") {
		t.Fatalf("%s: %q", name, answer[:max(0, got)])
	}
}

// settled waits until every topic has told its viewers that nothing happens: by then all have their snapshot, and what was made for it is let go.
func (n *node) settled(t *testing.T, count float64) {
	t.Helper()
	n.counts(t, `hotfoot_frames_total{type="snapshot"}`, count)
	before := n.count(t, `hotfoot_frames_total{type="tick"}`)
	n.advance(6 * time.Second)
	n.counts(t, `hotfoot_frames_total{type="tick"}`, before+count)
}

// counts waits until a metric has come so far.
func (n *node) counts(t *testing.T, metric string, want float64) {
	t.Helper()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for deadline := time.Now().Add(patience); n.count(t, metric) < want; <-look.C {
		if time.Now().After(deadline) {
			t.Fatalf("%s is %v, want %v", metric, n.count(t, metric), want)
		}
	}
}
