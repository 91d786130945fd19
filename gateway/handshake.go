package gateway

import (
	"bufio"
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// upgrade makes a request that came with a key a socket; the key's place is given back by whoever ends it. It answers nil when it was refused; the
// refusal has been written then.
func (h *Hub) upgrade(w http.ResponseWriter, r *http.Request, kind string, key [32]byte, refuse func(http.ResponseWriter, error)) *conn {
	from := h.from(r)
	refusal := h.reserve(from)
	if refusal == nil && !h.keys.take(key, h.config.MaxPerKey) {
		h.release(from)
		refusal = h.tooMany("key", "with this key")
	}
	if refusal != nil {
		refuse(w, refusal)
		return nil
	}
	c := h.handshake(w, r, kind, from)
	if c == nil {
		h.keys.give(key)
		return nil
	}
	c.outbox.answerNow()
	return c
}

// handshake is upgrade for a place that was reserved before; it is given back when the handshake fails. The answer to it goes out before the first frame
// and with it, in one packet: for a crowd that comes back, a system call less for each and nobody woken twice.
func (h *Hub) handshake(w http.ResponseWriter, r *http.Request, kind string, from netip.Prefix) *conn {
	reply := &reply{ResponseWriter: w}
	if _, err := h.upgrader.Upgrade(reply, r, nil); err != nil {
		h.release(from)
		h.metrics.refused.WithLabelValues("handshake").Inc()
		return nil
	}
	c := &conn{hub: h, socket: reply.socket, gone: func() {}}
	// The server's own limits, which it put on the connection for the request, are over.
	_ = c.socket.SetDeadline(time.Time{})
	if tcp, ok := beneath(c.socket).(*net.TCPConn); ok {
		if kind == "customer" {
			_ = tcp.SetWriteBuffer(sendBuffer)
		}
		if tcp == c.socket {
			c.raw, _ = tcp.SyscallConn()
		}
	}
	c.seat.kind, c.seat.pings, c.seat.from = kind, true, from
	c.outbox.pipe, c.outbox.rest = c, reply.answer
	return c
}

// reply has the library shake hands without a word: what it would send is kept.
type reply struct {
	http.ResponseWriter
	socket net.Conn
	answer []byte
}

// longestAnswer is more than the library ever answers to a handshake.
const longestAnswer = 256

// Hijack implements http.Hijacker. The server's writer is a fresh one of four kilobytes; the library needs one for its answer and no more.
func (r *reply) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	socket, buffered, err := http.NewResponseController(r.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	r.socket = socket
	silent := silent{socket, r}
	return silent, bufio.NewReadWriter(buffered.Reader, bufio.NewWriterSize(silent, longestAnswer)), nil
}

// silent is the connection while hands are shaken.
type silent struct {
	net.Conn
	reply *reply
}

func (s silent) Write(b []byte) (int, error) {
	s.reply.answer = append(s.reply.answer, b...)
	return len(b), nil
}

// beneath is the connection that TLS speaks over, and otherwise the one itself.
func beneath(socket net.Conn) net.Conn {
	if secured, ok := socket.(*tls.Conn); ok {
		return secured.NetConn()
	}
	return socket
}
