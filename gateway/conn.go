package gateway

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

const (
	subprotocol  = "hotfoot.v1"
	pingEvery    = 25 * time.Second
	silenceLimit = 55 * time.Second // two pings and a bit: then the peer is gone, whatever TCP believes
	writeLimit   = 5 * time.Second
	byeLimit     = 2 * time.Second // how long a peer may take to answer a close frame
	smallMessage = 4 << 10         // what a customer or a map may send
	largeMessage = 256 << 10       // what a courier may send: a report
)

// conn is one WebSocket.
type conn struct {
	// static
	hub    *Hub
	socket *websocket.Conn
	kind   string // "customer", "ops" or "courier", for the metrics
	// receive is called by the reader for every text message; an error ends the socket with that farewell.
	receive func([]byte) error
	// gone is called once, after the reader has ended.
	gone func()

	outbox outbox
	// pingAt is when the next ping is due, Unix nanoseconds; read and written by the hub's pulse alone.
	pingAt int64
	ended  atomic.Bool
}

// upgrade makes a request a socket. It answers nil when the handshake was refused; the refusal has been written then.
func (h *Hub) upgrade(w http.ResponseWriter, r *http.Request, kind string) *conn {
	if !h.admit() {
		h.metrics.refused.WithLabelValues("overloaded").Inc()
		w.Header().Set("Retry-After", "5")
		http.Error(w, "too many sockets on this node", http.StatusServiceUnavailable)
		return nil
	}
	socket, err := h.upgrader.Upgrade(w, r, nil)
	if err != nil {
		h.release()
		h.metrics.refused.WithLabelValues("handshake").Inc()
		return nil
	}
	c := &conn{hub: h, socket: socket, kind: kind, receive: func([]byte) error { return nil }, gone: func() {}}
	c.outbox.wake = c.startWriting
	return c
}

// serve runs the socket's reader and returns at once: the request's own goroutine, with the stack that HTTP handling left on it, ends here.
func (c *conn) serve(limit int64) {
	c.socket.SetReadLimit(limit)
	c.extend()
	c.socket.SetPongHandler(func(string) error { c.extend(); return nil })
	// A ping from the peer is answered by the writer, as everything else.
	c.socket.SetPingHandler(func(said string) error { c.extend(); c.outbox.pongSoon(said); return nil })
	c.hub.add(c)
	if !c.hub.start(c.read) {
		c.leave()
	}
}

func (c *conn) extend() { _ = c.socket.SetReadDeadline(time.Now().Add(silenceLimit)) }

// read takes messages until the peer is gone or silent, then lets go of everything.
func (c *conn) read() {
	for {
		kind, message, err := c.socket.ReadMessage()
		if err != nil {
			break
		}
		c.extend()
		if kind != websocket.TextMessage {
			c.outbox.end(malformed, 0)
			continue
		}
		if err := c.receive(message); err != nil {
			c.outbox.end(failed(err), 0)
		}
	}
	c.leave()
}

func (c *conn) leave() {
	c.ended.Store(true)
	_ = c.socket.Close()
	c.gone()
	c.hub.remove(c)
}

// startWriting runs while there is something to write, and no longer: an idle socket holds no writer.
func (c *conn) startWriting() { c.hub.start(c.write) }

func (c *conn) write() {
	for {
		b, ok := c.outbox.take()
		if !ok {
			return
		}
		if c.ended.Load() {
			continue
		}
		if err := c.send(b); err != nil {
			// After a failed write the socket is dead for good; closing it wakes the reader, which cleans up.
			c.ended.Store(true)
			c.hub.metrics.closed.WithLabelValues(c.kind, "write_failed").Inc()
			_ = c.socket.Close()
		}
	}
}

func (c *conn) send(b batch) error {
	_ = c.socket.SetWriteDeadline(time.Now().Add(writeLimit))
	for _, m := range b.events {
		if err := c.socket.WritePreparedMessage(m.prepared); err != nil {
			return err
		}
	}
	if b.position != nil {
		if err := c.socket.WritePreparedMessage(b.position.prepared); err != nil {
			return err
		}
	}
	if b.ping {
		if err := c.socket.WriteControl(websocket.PingMessage, nil, time.Now().Add(writeLimit)); err != nil {
			return err
		}
	}
	if b.pong != nil {
		if err := c.socket.WriteControl(websocket.PongMessage, []byte(*b.pong), time.Now().Add(writeLimit)); err != nil {
			return err
		}
	}
	if b.last == nil {
		return nil
	}
	c.hub.metrics.closed.WithLabelValues(c.kind, b.last.word).Inc()
	if err := c.socket.WritePreparedMessage(b.last.bye.prepared); err != nil {
		return err
	}
	if err := c.socket.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(b.last.code, b.last.word), time.Now().Add(writeLimit)); err != nil {
		return err
	}
	// The peer answers with its own close frame, which ends the reader; one that does not is given up on.
	return c.socket.SetReadDeadline(time.Now().Add(byeLimit))
}

// originAllowed lets requests without an Origin (not browsers), from our own pages and from the configured sites in.
func (h *Hub) originAllowed(r *http.Request) bool {
	origins := r.Header.Values("Origin")
	if len(origins) == 0 {
		return true
	}
	if len(origins) > 1 {
		return false
	}
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	if origins[0] == scheme+r.Host {
		return true
	}
	for _, allowed := range h.config.Origins {
		if origins[0] == allowed {
			return true
		}
	}
	return false
}
