package gateway

import (
	"errors"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"

	"hotfoot/tracking/frame"
)

const (
	subprotocol  = "hotfoot.v1"
	byeLimit     = 2 * time.Second       // how long a peer may take to answer a close frame
	atOnce       = 50 * time.Millisecond // for the last words to a peer that was too slow already
	smallMessage = 4 << 10               // what a customer or a map may send
	largeMessage = 256 << 10             // what a courier may send: a report
	// sendBuffer is how much the kernel may hold of what a customer has not read. Of the megabytes that it would grant otherwise somebody slow is
	// shown where the courier was minutes ago, instead of fewer positions, and a thousand of them use up its memory.
	sendBuffer = 16 << 10
)

// conn is one WebSocket.
type conn struct {
	seat

	// static
	hub    *Hub
	socket *websocket.Conn
	// receive is called by the reader for every text message; an error ends the socket with that farewell.
	receive func([]byte) error
	// gone is called once, after the reader has ended.
	gone func()

	torn    bool        // the last frame was written in part; of the writer
	leaving atomic.Bool // the last word was said
	ended   atomic.Bool
}

// upgrade makes a request a socket. It answers nil when it was refused; the refusal has been written then.
func (h *Hub) upgrade(w http.ResponseWriter, r *http.Request, kind string) *conn {
	if refusal := h.reserve(); refusal != nil {
		w.Header().Set("Retry-After", strconv.Itoa(int(refusal.RetryAfter.Seconds())))
		http.Error(w, refusal.Message, http.StatusServiceUnavailable)
		return nil
	}
	return h.handshake(w, r, kind)
}

// handshake is upgrade for a place that was reserved before; it is given back when the handshake fails.
func (h *Hub) handshake(w http.ResponseWriter, r *http.Request, kind string) *conn {
	socket, err := h.upgrader.Upgrade(w, r, nil)
	if err != nil {
		h.release()
		h.metrics.refused.WithLabelValues("handshake").Inc()
		return nil
	}
	if tcp, ok := socket.NetConn().(*net.TCPConn); ok && kind == "customer" {
		_ = tcp.SetWriteBuffer(sendBuffer)
	}
	c := &conn{hub: h, socket: socket, receive: func([]byte) error { return nil }, gone: func() {}}
	c.seat = seat{kind: kind, pings: true, cut: func() { _ = socket.Close() }}
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
	c.hub.sit(&c.seat)
	if !c.hub.start(c.read) {
		c.leave()
	}
}

// extend gives the peer, who has just shown that it is there, time until the next sign. One that was told goodbye has none left.
func (c *conn) extend() {
	if !c.leaving.Load() {
		_ = c.socket.SetReadDeadline(time.Now().Add(c.hub.config.timing.silence))
	}
}

// read takes messages until the peer is gone or silent, then lets go of everything.
func (c *conn) read() {
	for {
		kind, message, err := c.socket.ReadMessage()
		if err != nil {
			break
		}
		c.extend()
		if kind != websocket.TextMessage || !utf8.Valid(message) {
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
	c.hub.rise(&c.seat)
}

// startWriting runs while there is something to write, and no longer: an idle socket holds no writer.
func (c *conn) startWriting() { c.hub.start(c.write) }

func (c *conn) write() {
	for {
		out, ok := c.outbox.take()
		if !ok {
			return
		}
		if c.ended.Load() {
			continue
		}
		err := c.send(out)
		reason := closedBy(out, err)
		if err != nil {
			if reason == slow.word && out.last == nil && !c.torn {
				_ = c.farewell(&farewellMessage{slow, newMessage(frame.Bye(slow.word, time.Second))})
			}
			// After a failed write the socket is dead for good; closing it wakes the reader, which cleans up.
			c.ended.Store(true)
			_ = c.socket.Close()
		}
		if reason != "" {
			c.hub.metrics.closed.WithLabelValues(c.kind, reason).Inc()
		}
	}
}

// closedBy is why what was sent was the last that was sent; "" when it was not.
func closedBy(out outgoing, err error) string {
	var late net.Error
	switch {
	case out.last != nil:
		return out.last.word
	case errors.As(err, &late) && late.Timeout():
		return slow.word
	case err != nil:
		return "write_failed"
	}
	return ""
}

func (c *conn) send(out outgoing) error {
	limit := c.hub.config.timing.write
	switch {
	case out.message != nil:
		return c.put(out.message, limit)
	case out.ping:
		return c.socket.WriteControl(websocket.PingMessage, nil, time.Now().Add(limit))
	case out.pong != nil:
		return c.socket.WriteControl(websocket.PongMessage, []byte(*out.pong), time.Now().Add(limit))
	}
	return c.farewell(out.last)
}

// put writes a message as it lies there. Nothing else writes data, and a control frame that the library's reader answers with cannot come between:
// the connection takes one write after the other.
func (c *conn) put(m *message, limit time.Duration) error {
	raw := c.socket.NetConn()
	_ = raw.SetWriteDeadline(time.Now().Add(limit))
	n, err := raw.Write(m.frame)
	c.torn = n > 0 && n < len(m.frame)
	return err
}

// farewell says goodbye and why. To a peer that was too slow already it is said only if there is room for it at once.
func (c *conn) farewell(last *farewellMessage) error {
	c.leaving.Store(true)
	limit := c.hub.config.timing.write
	if last.farewell == slow {
		limit = atOnce
	}
	if err := c.put(last.bye, limit); err != nil {
		return err
	}
	if err := c.socket.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(last.code, last.word), time.Now().Add(limit)); err != nil {
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
