package gateway

import (
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"hotfoot/tracking/frame"
)

// message is a frame that was encoded once and goes to any number of sockets.
type message struct {
	text     []byte
	prepared *websocket.PreparedMessage
}

func newMessage(text []byte) *message {
	// It fails for control frames only.
	prepared, _ := websocket.NewPreparedMessage(websocket.TextMessage, text)
	return &message{text: text, prepared: prepared}
}

// maxEvents is how many statuses may wait for a socket that does not read. A delivery has a dozen in all: who is this far behind is gone.
const maxEvents = 128

// outbox is what waits for one viewer: statuses and the like in order and without loss, up to a bound; of positions only the newest.
//
// wake is called when something waits and nobody is writing; whoever writes calls take until it answers nothing.
type outbox struct {
	wake func()

	mu       sync.Mutex
	events   []*message
	position *message
	last     *farewellMessage // the end: nothing is taken in after it
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
	if len(o.events) >= maxEvents {
		o.mu.Unlock()
		return false
	}
	o.events = append(o.events, m)
	o.wakeAndUnlock()
	return true
}

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
		o.events = nil
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

// waiting is how many frames have not been taken yet.
func (o *outbox) waiting() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.events)
}

// batch is what take hands out: in this order.
type batch struct {
	events   []*message
	position *message
	last     *farewellMessage
	ping     bool
	pong     *string
}

// take answers everything that waits; ok is false when nothing does, and then whoever was writing has stopped.
func (o *outbox) take() (b batch, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	b = batch{events: o.events, position: o.position, ping: o.ping, pong: o.pong}
	if o.last != nil && o.last.bye != nil {
		b.last = &farewellMessage{farewell: o.last.farewell, bye: o.last.bye}
		o.last.bye = nil // said once
	}
	if len(b.events) == 0 && b.position == nil && b.last == nil && !b.ping && b.pong == nil {
		o.writing = false
		return b, false
	}
	o.events, o.position, o.ping, o.pong = nil, nil, false, nil
	return b, true
}
