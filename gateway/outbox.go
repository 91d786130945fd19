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

// outbox is what waits for one viewer: statuses and the like in order and without loss, up to a bound; of positions only the newest.
//
// wake is called when something waits and nobody is writing; whoever writes calls take until it answers nothing.
type outbox struct {
	wake func()

	mu       sync.Mutex
	events   []*message
	waiting  int // bytes of events
	position *message
	last     *farewellMessage // the end: nothing is taken in after it
	said     bool             // last was taken
	writing  bool
	ping     bool
	pong     *string // what the peer's newest ping said, until it is answered
}

type farewellMessage struct {
	farewell
	bye *message
}

// event adds a frame that must arrive. hide drops a waiting position, which must not be shown any more. It answers false when the viewer is too far
// behind to be served.
func (o *outbox) event(m *message, hide bool) bool {
	o.mu.Lock()
	if o.last != nil {
		o.mu.Unlock()
		return true
	}
	if hide {
		o.position = nil
	}
	if o.full() {
		o.mu.Unlock()
		return false
	}
	o.events = append(o.events, m)
	o.waiting += len(m.frame)
	o.wakeAndUnlock()
	return true
}

func (o *outbox) full() bool { return len(o.events) >= maxEvents || o.waiting >= maxWaiting }

// newest replaces the waiting position, and answers whether one was replaced that nobody will see.
func (o *outbox) newest(m *message) (replaced bool) {
	o.mu.Lock()
	if o.last != nil {
		o.mu.Unlock()
		return false
	}
	replaced = o.position != nil
	o.position = m
	o.wakeAndUnlock()
	return replaced
}

// pingSoon asks for a ping; it needs no place in the line.
func (o *outbox) pingSoon() {
	o.mu.Lock()
	o.ping = true
	o.wakeAndUnlock()
}

// pongSoon answers a ping with what it said. Of several that came meanwhile only the newest is answered, as RFC 6455 section 5.5.3 allows, so a flood
// of them costs one answer.
func (o *outbox) pongSoon(said string) {
	o.mu.Lock()
	o.pong = &said
	o.wakeAndUnlock()
}

// end says goodbye after everything that waits. Only the first one counts.
func (o *outbox) end(f farewell, retryAfter time.Duration) {
	o.mu.Lock()
	if o.last != nil {
		o.mu.Unlock()
		return
	}
	o.last = &farewellMessage{farewell: f, bye: newMessage(frame.Bye(f.word, retryAfter))}
	o.position = nil
	if f == slow {
		// What it could not take in time it will not be sent now.
		o.events, o.waiting = nil, 0
	}
	o.wakeAndUnlock()
}

func (o *outbox) wakeAndUnlock() {
	start := !o.writing
	o.writing = true
	o.mu.Unlock()
	if start {
		o.wake()
	}
}

// backlog is how many frames, and how many bytes of them, have not been taken yet.
func (o *outbox) backlog() (frames, bytes int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.events), o.waiting
}

// outgoing is one thing to send: the first of these that is there.
type outgoing struct {
	message *message
	ping    bool
	pong    *string
	last    *farewellMessage
}

// take answers what is to be sent next: one thing, so that what waits is bounded and counted here and nowhere else. ok is false when nothing waits,
// and then whoever was writing has stopped.
func (o *outbox) take() (out outgoing, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case len(o.events) > 0:
		out.message, o.events[0] = o.events[0], nil
		o.events = o.events[1:]
		o.waiting -= len(out.message.frame)
	case o.position != nil:
		out.message, o.position = o.position, nil
	case o.ping:
		out.ping, o.ping = true, false
	case o.pong != nil:
		out.pong, o.pong = o.pong, nil
	case o.last != nil && !o.said:
		out.last, o.said = o.last, true
	default:
		o.writing, o.events = false, nil
		return out, false
	}
	return out, true
}
