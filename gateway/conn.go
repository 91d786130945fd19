package gateway

import (
	"errors"
	"net"
	"sync/atomic"
	"syscall"
	"time"

	"hotfoot/tracking/frame"
)

const (
	subprotocol  = "hotfoot.v1"
	byeLimit     = 2 * time.Second       // how long a peer may take to answer a close frame
	lastLimit    = 5 * time.Second       // for what still waits when the last word was said
	atOnce       = 50 * time.Millisecond // for the last words to a peer that was too slow already
	smallMessage = 4 << 10               // what a customer or a map may send
	largeMessage = 256 << 10             // what a courier may send: a report
	// sendBuffer is how much the kernel may hold of what a customer has not read. Of the megabytes that it would grant otherwise somebody slow is
	// shown where the courier was minutes ago, instead of fewer positions, and a thousand of them use up its memory.
	sendBuffer = 16 << 10
)

// conn is one WebSocket. The library shakes hands; from then on frames are read (reader.go) and written here, because what the library keeps for each
// socket is more than everything else that one costs.
//
// Idle it is what is in here: no goroutine where the poller can hear it, and else one that waits to read; no buffer, timer or writer.
type conn struct {
	seat

	// static
	hub    *Hub
	socket net.Conn
	raw    syscall.RawConn // nil when the bytes are not the kernel's to take, as under TLS
	// receive is called for every text message, which is there during the call alone; an error ends the socket with that farewell. Nil ignores them.
	receive func([]byte) error
	// gone is called once, after the last that was heard.
	gone func()

	reader  reader      // of whoever hears it, as is deaf
	deaf    bool        // what still comes is not looked at
	torn    bool        // the last frame was written in part; of the writer
	hurried atomic.Bool // what is still to be sent must not wait long
	leaving atomic.Bool // the last word was said
	ended   atomic.Bool
}

// serve has the socket heard from now on, and returns at once: the request's own goroutine, with the stack that HTTP handling left on it, ends here.
func (c *conn) serve(limit int) {
	c.reader.limit = limit
	c.hub.sit(&c.seat)
	// What a viewer says takes no time to answer; what others say may.
	if c.receive == nil && c.raw != nil && c.hub.poller.watch(c) {
		return
	}
	if !c.hub.start(c.read) {
		c.leave()
	}
}

// read takes what the peer says until it is gone, then lets go of everything.
func (c *conn) read() {
	in := newArrival()
	for !c.ended.Load() && c.next(in) {
		c.hears(in)
	}
	in.release()
	c.leave()
}

// next waits until something has come; false says that nothing will.
func (c *conn) next(in *arrival) bool {
	if c.raw != nil {
		return c.raw.Read(in.fill) == nil && in.n > 0
	}
	in.borrow()
	var err error
	in.n, err = c.socket.Read(in.buffer[:])
	return err == nil || in.n > 0
}

// arrived takes what has come without waiting; false says that nothing will come any more.
func (c *conn) arrived(in *arrival) bool {
	if c.ended.Load() || c.raw.Read(in.glance) != nil {
		return false
	}
	switch {
	case in.buffer == nil:
		return true // it was taken for nothing
	case in.n == 0:
		in.release()
		return false
	}
	c.hears(in)
	return !c.ended.Load()
}

func (c *conn) hears(in *arrival) {
	c.heardAt.Store(int64(c.hub.uptime()))
	if !c.deaf {
		c.take(in.buffer[:in.n])
	}
	in.release()
}

func (c *conn) take(b []byte) {
	if refusal := c.reader.take(b, c); refusal != nil {
		c.outbox.end(*refusal, 0)
		// What follows could not be told apart any more, or is not wanted. It is read all the same, so that the peer gets the last word.
		c.deaf, c.reader = true, reader{}
	}
}

func (c *conn) text(message []byte) *farewell {
	if c.receive == nil {
		return nil
	}
	if err := c.receive(message); err != nil {
		f := failed(err)
		return &f
	}
	return nil
}

// A ping is answered in the order of everything else.
func (c *conn) ping(said []byte) { c.outbox.pongSoon(said) }

// bye is the peer's close frame, or its answer to ours: either way nothing follows.
func (c *conn) bye(code int) {
	c.deaf = true
	if c.leaving.Load() {
		c.ended.Store(true)
		return
	}
	c.outbox.answer(code)
}

func (c *conn) leave() {
	c.ended.Store(true)
	_ = c.socket.Close()
	c.gone()
	c.hub.rise(&c.seat)
}

// cut implements pipe. The kernel's socket is shut down and not closed, which wakes whoever hears it, and that one closes it. TLS is not asked to say
// goodbye: to a peer that takes nothing that can last for seconds, and one goroutine cuts off all who are silent.
func (c *conn) cut() {
	if c.raw == nil || c.raw.Control(shutDown) != nil {
		_ = beneath(c.socket).Close()
	}
}

// hurry implements pipe.
func (c *conn) hurry(within time.Duration) {
	c.hurried.Store(true)
	_ = c.socket.SetWriteDeadline(time.Now().Add(within))
}

// wake implements pipe: a writer runs while there is something to write that the network does not take, and no longer.
func (c *conn) wake() { c.hub.start(c.write) }

// try implements pipe. It needs none of what the runtime does for writes that wait: whoever waits writes alone.
func (c *conn) try(b []byte) int {
	if c.raw == nil || c.ended.Load() {
		return 0
	}
	a := attempts.Get().(*attempt)
	a.b, a.n = b, 0
	_ = c.raw.Control(a.do) // whoever is woken because nothing went out finds out why
	n := a.n
	a.b = nil
	attempts.Put(a)
	return n
}

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
			c.cut()
		}
		if reason != "" && !c.silent.Load() { // that was counted when it was cut off
			c.hub.metrics.closed.WithLabelValues(c.kind, reason).Inc()
		}
	}
}

// closedBy is why what was sent was the last that was sent; "" when it was not.
func closedBy(out outgoing, err error) string {
	var late net.Error
	switch {
	case out.last != nil && out.last.bye == nil:
		return ""
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
		return c.put(out.message.frame, limit)
	case out.last != nil:
		return c.farewell(out.last)
	}
	err := c.put(out.raw, limit)
	c.torn = err != nil // it may have been the rest of a frame
	return err
}

// put writes bytes as they lie there, waiting for the network. Afterwards whoever does not wait may write again.
func (c *conn) put(b []byte, limit time.Duration) error {
	_ = c.socket.SetWriteDeadline(time.Now().Add(limit))
	if c.hurried.Load() && limit > lastLimit { // looked at after the other was set, or it could come between
		_ = c.socket.SetWriteDeadline(time.Now().Add(lastLimit))
	}
	n, err := c.socket.Write(b)
	c.torn = n > 0 && n < len(b)
	_ = c.socket.SetWriteDeadline(time.Time{})
	return err
}

// farewell says goodbye and why. To a peer that was too slow already it is said only if there is room for it at once.
func (c *conn) farewell(last *farewellMessage) error {
	c.leaving.Store(true)
	limit := min(c.hub.config.timing.write, lastLimit)
	if last.farewell == slow {
		limit = atOnce
	}
	if err := c.put(last.frames(), limit); err != nil {
		return err
	}
	if last.bye == nil {
		c.ended.Store(true)
		c.cut()
		return nil
	}
	// The peer answers with its own close frame, which ends it; one that does not is given up on.
	time.AfterFunc(byeLimit, c.cut)
	return nil
}
