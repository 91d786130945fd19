package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"hotfoot/tracking"
)

// Events serves the same frames as Live over server-sent events, for networks that let no WebSocket through. Each event's id is
// <epoch>.<ver>, so a browser that reconnects by itself resumes with Last-Event-ID.
func (c *Customers) Events(w http.ResponseWriter, r *http.Request, token string) {
	topic, viewer, err := c.open(r, token)
	if err != nil {
		c.refuse(w, r, err)
		return
	}
	defer c.hub.leave(topic)
	if !c.hub.admit() {
		c.hub.metrics.refused.WithLabelValues("overloaded").Inc()
		c.refuse(w, r, &tracking.Error{Code: tracking.CodeOverloaded, Message: "too many viewers on this node", RetryAfter: 5 * time.Second})
		return
	}
	defer c.hub.release()
	woken := make(chan struct{}, 1)
	out := &outbox{wake: func() {
		select {
		case woken <- struct{}{}:
		default:
		}
	}}
	viewer.outbox = out
	c.hub.addStream(out)
	defer c.hub.removeStream(out)
	known := r.Header.Get("Last-Event-ID")
	if known == "" {
		known = r.URL.Query().Get("since")
	}
	epoch, since := parseSince(known)
	ctx, cancel := context.WithTimeout(r.Context(), joinLimit)
	defer cancel()
	if err := topic.enter(ctx, viewer, epoch, since); err != nil {
		c.refuse(w, r, err)
		return
	}
	defer topic.exit(viewer)

	header := w.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("Cache-Control", "no-store")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("X-Accel-Buffering", "no")
	s := stream{w: w, control: http.NewResponseController(w), epoch: epoch, ver: since}
	for {
		select {
		case <-r.Context().Done():
			return
		case <-c.hub.ctx.Done():
			return
		case <-woken:
		}
		for {
			b, ok := out.take()
			if !ok {
				break
			}
			if err := s.send(b); err != nil || b.last != nil {
				return
			}
		}
	}
}

// stream writes frames as events.
type stream struct {
	w          http.ResponseWriter
	control    *http.ResponseController
	epoch, ver int64 // what the viewer knows by now: the id of the next event
}

func (s *stream) send(b batch) error {
	if err := s.control.SetWriteDeadline(time.Now().Add(writeLimit)); err != nil {
		return err
	}
	messages := b.events
	if b.position != nil {
		messages = append(messages, b.position)
	}
	if b.last != nil {
		messages = append(messages, b.last.bye)
	}
	var out bytes.Buffer
	for _, m := range messages {
		// Only the kind and the cursor are looked at; a stream is the fallback of few, so decoding per stream is affordable.
		var head struct {
			Type  string
			Epoch int64
			Ver   int64
		}
		if err := json.Unmarshal(m.text, &head); err != nil {
			return err
		}
		if head.Ver > 0 {
			s.epoch, s.ver = head.Epoch, head.Ver
		}
		fmt.Fprintf(&out, "event: %s\nid: %d.%d\ndata: %s\n\n", head.Type, s.epoch, s.ver, m.text)
	}
	if _, err := s.w.Write(out.Bytes()); err != nil {
		return err
	}
	return s.control.Flush()
}
