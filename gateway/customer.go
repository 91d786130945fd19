package gateway

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"hotfoot/tracking"
)

// Opener turns a link's token into the delivery it opens. known is asked first, for what need not be read. Errors: CodeNotFound, one and the same for
// every token that opens nothing; CodeUnavailable; CodeOverloaded. What it answers is never changed.
type Opener interface {
	Open(ctx context.Context, token string, seen tracking.Seen, known func(tracking.ID) *tracking.Record) (*tracking.Record, error)
}

// Customers serves those who watch one delivery, by socket or by stream.
type Customers struct {
	hub    *Hub
	opener Opener
	refuse func(w http.ResponseWriter, r *http.Request, err error)
}

// NewCustomers makes the handlers; refuse writes an error as the HTTP contract wants it.
func NewCustomers(hub *Hub, opener Opener, refuse func(http.ResponseWriter, *http.Request, error)) *Customers {
	return &Customers{hub: hub, opener: opener, refuse: refuse}
}

// open checks the link and reserves the viewer's place in its topic. The caller must leave the topic when done.
func (c *Customers) open(r *http.Request, token string, seen tracking.Seen) (visit, error) {
	var held *topic
	record, err := c.opener.Open(r.Context(), token, seen, func(id tracking.ID) (known *tracking.Record) {
		held, known = c.hub.hold(id)
		return known
	})
	in := visit{}
	switch {
	case err != nil:
		if held != nil {
			c.hub.leave(held)
		}
		c.hub.metrics.refused.WithLabelValues(string(tracking.CodeOf(err))).Inc()
		return visit{}, err
	case held != nil:
		in = c.hub.visit(held, record, seen)
	default:
		in = c.hub.join(record, seen)
	}
	if c.hub.crowded(in.topic) {
		c.hub.leave(in.topic)
		return visit{}, c.hub.tooMany("link", "on this delivery")
	}
	return in, nil
}

// Live serves the WebSocket of a link's token.
func (c *Customers) Live(w http.ResponseWriter, r *http.Request, token string) {
	from := c.hub.from(r)
	if refusal := c.hub.admit(from); refusal != nil {
		c.refuse(w, r, refusal)
		return
	}
	in, err := c.open(r, token, parseSince(r.URL.Query().Get("since")))
	if err != nil {
		c.hub.opened()
		c.hub.release(from)
		c.refuse(w, r, err)
		return
	}
	conn := c.hub.handshake(w, r, "customer", from)
	if conn == nil {
		c.hub.opened()
		c.hub.leave(in.topic)
		return
	}
	topic, viewer := in.topic, &viewer{outbox: &conn.outbox, generation: in.record.Delivery.LinkGen}
	conn.gone = func() {
		topic.exit(viewer)
		c.hub.leave(topic)
	}
	conn.serve(smallMessage)
	// The snapshot may take a moment. Whoever hears the socket notices meanwhile that they leave, and this request's goroutine need not be there for it.
	in.enterSoon(viewer, func(err error) {
		c.hub.opened()
		if err != nil {
			// Where a store is away they all fail at once, and must not all come back at once.
			conn.outbox.end(failed(err), time.Second+rand.N(2*time.Second))
		}
	})
}

// parseSince reads "<epoch>.<ver>"; anything else means that nothing is known yet.
func parseSince(text string) tracking.Seen {
	epochText, verText, ok := strings.Cut(text, ".")
	epoch, err1 := strconv.ParseInt(epochText, 10, 64)
	ver, err2 := strconv.ParseInt(verText, 10, 64)
	if !ok || err1 != nil || err2 != nil || epoch < 1 || ver < 0 {
		return tracking.Seen{}
	}
	return tracking.Seen{Epoch: epoch, Ver: ver}
}
