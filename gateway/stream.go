package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"hotfoot/tracking"
)

// Events serves the same frames as Live over server-sent events, for networks that let no WebSocket through. Each event's id is
// <epoch>.<ver>, so a browser that reconnects by itself resumes with Last-Event-ID.
func (c *Customers) Events(w http.ResponseWriter, r *http.Request, token string) {
	from := c.hub.from(r)
	if refusal := c.hub.admit(from); refusal != nil {
		c.refuse(w, r, refusal)
		return
	}
	entered := sync.OnceFunc(c.hub.opened)
	defer entered()
	known := r.Header.Get("Last-Event-ID")
	if known == "" {
		known = r.URL.Query().Get("since")
	}
	seen := parseSince(known)
	in, err := c.open(r, token, seen)
	if err != nil {
		c.hub.release(from)
		c.refuse(w, r, err)
		return
	}
	defer c.hub.leave(in.topic)
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(c.hub.ctx, cancel)()
	woken := make(bell, 1)
	place := &seat{kind: "stream", from: from}
	place.outbox.pipe = streamPipe{woken, cancel}
	viewer := &viewer{outbox: &place.outbox, generation: in.record.Delivery.LinkGen}
	c.hub.sit(place)
	defer c.hub.rise(place)
	defer in.topic.exit(viewer)
	if err := in.enter(ctx, viewer); err != nil {
		c.refuse(w, r, err)
		return
	}
	entered()

	header := w.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("Cache-Control", "no-store")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("X-Accel-Buffering", "no")
	s := stream{w: w, control: http.NewResponseController(w), limit: min(c.hub.config.timing.write, lastLimit), seen: seen}
	for {
		select {
		case <-ctx.Done():
			return
		case <-woken:
		}
		for out, ok := place.outbox.take(); ok; out, ok = place.outbox.take() {
			err := s.send(out)
			if reason := closedBy(out, err); reason != "" {
				c.hub.metrics.closed.WithLabelValues(place.kind, reason).Inc()
				return
			}
		}
	}
}

// bell is rung when something waits; it rings once for however much.
type bell chan struct{}

// streamPipe is an outbox's way to a stream, which has a goroutine of its own that writes everything: events are not frames, and cannot be written as
// they lie there.
type streamPipe struct {
	woken bell
	end   func()
}

func (p streamPipe) try([]byte) int { return 0 }

func (p streamPipe) wake() {
	select {
	case p.woken <- struct{}{}:
	default:
	}
}

func (p streamPipe) hurry(time.Duration) {} // what it sends never waits for longer than lastLimit

func (p streamPipe) cut() { p.end() }

// stream writes frames as events.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	limit   time.Duration
	seen    tracking.Seen // by now: the id of the next event
}

func (s *stream) send(out outgoing) error {
	m := out.message
	if out.last != nil {
		m = out.last.bye
	}
	// Only the kind and the cursor are looked at; a stream is the fallback of few, so decoding per stream is affordable.
	var head struct {
		Type  string
		Epoch int64
		Ver   int64
	}
	if err := json.Unmarshal(m.text(), &head); err != nil {
		return err
	}
	if head.Ver > 0 {
		s.seen = tracking.Seen{Epoch: head.Epoch, Ver: head.Ver}
	}
	var event bytes.Buffer
	fmt.Fprintf(&event, "event: %s\nid: %d.%d\ndata: %s\n\n", head.Type, s.seen.Epoch, s.seen.Ver, m.text())
	if err := s.control.SetWriteDeadline(time.Now().Add(s.limit)); err != nil {
		return err
	}
	if _, err := s.w.Write(event.Bytes()); err != nil {
		return err
	}
	return s.control.Flush()
}
