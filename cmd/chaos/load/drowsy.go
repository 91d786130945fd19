package load

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gorilla/websocket"

	"hotfoot/cmd/chaos/rig"
)

// gate stands before what drowsy viewers read.
type gate struct {
	mu     sync.Mutex
	opened chan struct{} // nil while it is open; closed when it opens
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.opened == nil {
		g.opened = make(chan struct{})
	}
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.opened != nil {
		close(g.opened)
		g.opened = nil
	}
}

// closed answers a channel that ends when the gate opens; nil while it is open.
func (g *gate) closed() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.opened
}

// drowsyConn reads nothing while the gate is shut, or a byte a second; the connection stays open, and its peer cannot tell why.
type drowsyConn struct {
	net.Conn
	gate     *gate
	trickles bool
	drowsy   atomic.Bool // not before the handshake is over
	end      context.Context
	stop     context.CancelFunc
}

// smallWindow is how much the kernel takes in for a drowsy viewer, about.
const smallWindow = 4 << 10

// narrow makes a socket's window small; once it is connected it would be too late.
func narrow(_, _ string, c syscall.RawConn) error {
	var err error
	return errors.Join(c.Control(func(fd uintptr) {
		err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, smallWindow)
	}), err)
}

func newDrowsyConn(conn net.Conn, g *gate, trickles bool) *drowsyConn {
	c := &drowsyConn{Conn: conn, gate: g, trickles: trickles}
	c.end, c.stop = context.WithCancel(context.Background())
	return c
}

func (c *drowsyConn) Read(b []byte) (int, error) {
	for c.drowsy.Load() && len(b) > 0 {
		opened := c.gate.closed()
		if opened == nil {
			break
		}
		tick := time.NewTimer(time.Second)
		select {
		case <-opened:
			c.widen()
		case <-c.end.Done():
			tick.Stop()
			return 0, net.ErrClosed
		case <-tick.C:
			if c.trickles {
				return c.Conn.Read(b[:1])
			}
		}
		tick.Stop()
	}
	return c.Conn.Read(b)
}

// widen lets somebody who was drowsy read as fast as others.
func (c *drowsyConn) widen() {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(1 << 20)
	}
}

// SetReadDeadline is for viewers who take silence for death: a drowsy one notices nothing.
func (c *drowsyConn) SetReadDeadline(t time.Time) error {
	if c.drowsy.Load() {
		return nil
	}
	return c.Conn.SetReadDeadline(t)
}

// Close wakes a reader.
func (c *drowsyConn) Close() error {
	c.stop()
	return c.Conn.Close()
}

// openDrowsily opens sockets that are read only as far as the gate lets them; every other one trickles.
func openDrowsily(g *gate, trickles bool) opener {
	return func(ctx context.Context, v *viewer, node *rig.Node, since string) (frames, error) {
		var conn *drowsyConn
		d := websocket.Dialer{
			Subprotocols: dialer.Subprotocols, HandshakeTimeout: dialer.HandshakeTimeout, ReadBufferSize: 256, WriteBufferSize: dialer.WriteBufferSize,
			NetDialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				tcp, err := (&net.Dialer{Control: narrow}).DialContext(ctx, network, address)
				if err != nil {
					return nil, err
				}
				conn = newDrowsyConn(tcp, g, trickles)
				return conn, nil
			},
		}
		opened, err := dialSocket(ctx, &d, node.URL()+livePath(v, since), http.Header{})
		if err == nil {
			_ = conn.SetReadDeadline(time.Time{})
			conn.drowsy.Store(true)
		}
		return opened, err
	}
}
