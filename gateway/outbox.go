package gateway

import (
	"sync"
	"time"

	"hotfoot/tracking/frame"
)

// How many events may wait for a viewer that does not read, and how many bytes of them, which is all the events of a delivery with a reason each;
// one may be more than fits, as a courier's route is. A delivery has a dozen statuses in all: who is this far behind is gone. So a socket that nobody
// reads at the other end stays below 64 kB with its buffers and stacks.
const (
	maxEvents  = 128
	maxWaiting = 44 << 10
)

// pipe is what an outbox sends on.
type pipe interface {
	// try writes what goes out without waiting, and answers how many bytes that was: none when nothing does, or never anything.
	try(b []byte) int
	// wake has what waits written. Whoever writes calls take until it answers nothing.
	wake()
	// hurry has whoever waits to write give up within this, and be as quick with the rest: the last word was said.
	hurry(within time.Duration)
	// cut ends it at once.
	cut()
}

// outbox is what waits for one viewer: statuses and the like in order and without loss, up to a bound; of positions only the newest.
//
// What there is room for in the network is written at once by whoever has it, and nothing is kept, started or woken for it. Only what the network does not
// take waits here, for a writer that lives as long as something does. So a slow viewer delays nobody, and the others cost one system call a frame.
type outbox struct {
	pipe pipe

	mu       sync.Mutex
	rest     []byte // of a frame that went out in part, or the handshake's answer: nothing may come before it
	events   []*message
	waiting  int // bytes of events
	position *message
	last     *farewellMessage // the end: nothing is taken in after it
	said     bool             // last was taken
	writing  bool             // somebody was woken and has not been told that nothing waits
	ping     bool
	pong     []byte // the answer to the peer's newest ping; nil when there is none
}

// event adds a frame that must arrive. hide drops a waiting position, which must not be shown any more. It answers false when the viewer is too far
// behind to be served.
func (o *outbox) event(m *message, hide bool) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if hide {
		o.position = nil
	}
	return o.add(m.frame, func() *message { return m })
}

// passing is event for what is borrowed: it is kept only where it must wait.
func (o *outbox) passing(d *borrowed) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.add(d.frame(), d.keep)
}

// add sends a frame, or has what is kept of it wait for its turn. Called with mu held.
func (o *outbox) add(b []byte, keep func() *message) bool {
	switch {
	case o.last != nil:
		return true
	case o.full():
		return false
	case !o.sent(b):
		m := keep()
		o.events = append(o.events, m)
		o.waiting += len(m.frame)
		o.wake()
	}
	return true
}

func (o *outbox) full() bool { return len(o.events) >= maxEvents || o.waiting >= maxWaiting }

// newest sends a position, or has it wait in the place of an older one; then it answers that one was replaced which nobody will see.
func (o *outbox) newest(d *borrowed) (replaced bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.last != nil {
		return false
	}
	if o.sent(d.frame()) {
		return false
	}
	replaced = o.position != nil
	o.position = d.keep()
	o.wake()
	return replaced
}

// sent writes a frame if nothing waits before it and the network takes it now. Of one that it takes in part the rest waits, copied: b is the caller's.
// With the first frame goes the handshake's answer; the two are one, and whatever of it is not taken is the rest. Called with mu held.
func (o *outbox) sent(b []byte) bool {
	if o.writing {
		return false
	}
	first := o.rest != nil
	if first {
		b, o.rest = append(o.rest, b...), nil
	}
	n := o.pipe.try(b)
	if n < len(b) && (n > 0 || first) {
		o.rest = append([]byte(nil), b[n:]...)
		o.wake()
	}
	return n > 0 || first
}

// answerNow has the handshake's answer not wait for the first frame.
func (o *outbox) answerNow() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.rest != nil {
		o.sent(nil)
	}
}

// Control frames are written whole, as they lie here (RFC 6455 section 5.5).
var pingFrame = []byte{0x89, 0}

// pingSoon asks for a ping; it needs no place in the queue.
func (o *outbox) pingSoon() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.last == nil && !o.sent(pingFrame) {
		o.ping = true
		o.wake()
	}
}

// pongSoon answers a ping with what it said. Of several that came meanwhile only the newest is answered, as RFC 6455 section 5.5.3 allows, so a flood
// of them costs one answer.
func (o *outbox) pongSoon(said []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.last != nil {
		return
	}
	pong := append([]byte{0x8a, byte(len(said))}, said...)
	if !o.sent(pong) {
		o.pong = pong
		o.wake()
	}
}

// end says goodbye after everything that waits. Only the first one counts.
func (o *outbox) end(f farewell, retryAfter time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.last != nil {
		return
	}
	o.last = &farewellMessage{farewell: f, bye: newMessage(frame.Bye(f.word, retryAfter))}
	o.position = nil
	within := lastLimit
	if f == slow {
		// What it could not take in time it will not be sent now.
		o.events, o.waiting, within = nil, 0, byeLimit
	}
	if o.writing {
		o.pipe.hurry(within)
	}
	o.wake()
}

// answer ends it with nothing but the close frame that answers the peer's.
func (o *outbox) answer(code int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.last == nil {
		o.last = &farewellMessage{farewell: farewell{code: code}}
		o.wake()
	}
}

// wake has what waits written, unless somebody is at it. Called with mu held.
func (o *outbox) wake() {
	if !o.writing {
		o.writing = true
		o.pipe.wake()
	}
}

// backlog is how many frames, and how many bytes of them, have not been taken yet.
func (o *outbox) backlog() (frames, bytes int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.events), o.waiting
}

// outgoing is one thing to send: a message, bytes that are no message of their own, or the end.
type outgoing struct {
	message *message
	raw     []byte
	last    *farewellMessage
}

// take answers what is to be sent next: one thing, so that what waits is bounded and counted here and nowhere else. ok is false when nothing waits,
// and then whoever was writing has stopped.
func (o *outbox) take() (out outgoing, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.rest != nil:
		out.raw, o.rest = o.rest, nil
	case len(o.events) > 0:
		out.message, o.events[0] = o.events[0], nil
		o.events = o.events[1:]
		o.waiting -= len(out.message.frame)
	case o.position != nil:
		out.message, o.position = o.position, nil
	case o.ping:
		out.raw, o.ping = pingFrame, false
	case o.pong != nil:
		out.raw, o.pong = o.pong, nil
	case o.last != nil && !o.said:
		out.last, o.said = o.last, true
	default:
		o.writing, o.events = false, nil
		return out, false
	}
	return out, true
}
