package gateway

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// clogged is a pipe through which nothing goes at once; waking is counted.
type clogged struct{ woken int }

func (c *clogged) try([]byte) int      { return 0 }
func (c *clogged) wake()               { c.woken++ }
func (c *clogged) hurry(time.Duration) {}
func (c *clogged) cut()                {}

// box is an outbox on a clogged pipe.
func box() (o *outbox, pipe *clogged) {
	pipe = &clogged{}
	return &outbox{pipe: pipe}, pipe
}

func said(text string) *message { return newMessage([]byte(text)) }

func lent(text string) *borrowed {
	d := borrow(func(b []byte) []byte { return append(b, text...) })
	return &d
}

// taken is everything that take hands out until nothing is left, in the order in which it is sent.
func taken(o *outbox) (texts []string) {
	for {
		out, ok := o.take()
		switch {
		case !ok:
			return texts
		case out.message != nil:
			texts = append(texts, string(out.message.text()))
		case bytes.Equal(out.raw, pingFrame):
			texts = append(texts, "ping")
		case len(out.raw) > 1 && out.raw[0] == 0x8a:
			texts = append(texts, "pong "+string(out.raw[2:]))
		case out.raw != nil:
			texts = append(texts, "rest "+string(out.raw))
		case out.last != nil:
			texts = append(texts, out.last.word)
		}
	}
}

func wantTaken(t *testing.T, o *outbox, want ...string) {
	t.Helper()
	got := taken(o)
	if len(got) != len(want) {
		t.Fatalf("taken %q, want %q", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("taken %q, want %q", got, want)
		}
	}
}

func TestOutbox(t *testing.T) {
	t.Parallel()
	t.Run("keeps every event in order and the newest position", func(t *testing.T) {
		t.Parallel()
		o, _ := box()
		o.event(said("1"), false)
		if o.newest(lent("a")) {
			t.Error("the first position replaced one")
		}
		o.event(said("2"), false)
		if !o.newest(lent("b")) {
			t.Error("the second position replaced none")
		}
		wantTaken(t, o, "1", "2", "b")
		wantTaken(t, o)
	})
	t.Run("wakes whoever writes once, until nothing waits", func(t *testing.T) {
		t.Parallel()
		o, pipe := box()
		o.event(said("1"), false)
		o.newest(lent("a"))
		o.pingSoon()
		if pipe.woken != 1 {
			t.Errorf("woken %d times", pipe.woken)
		}
		wantTaken(t, o, "1", "a", "ping")
		o.event(said("2"), false)
		if pipe.woken != 2 {
			t.Errorf("woken %d times", pipe.woken)
		}
	})
	t.Run("drops a position that must not be shown any more", func(t *testing.T) {
		t.Parallel()
		o, _ := box()
		o.newest(lent("a"))
		o.event(said("hidden"), true)
		wantTaken(t, o, "hidden")
	})
	t.Run("takes nothing in after goodbye, and says it once, last", func(t *testing.T) {
		t.Parallel()
		o, _ := box()
		o.event(said("1"), false)
		o.newest(lent("a"))
		o.end(finished, 0)
		o.end(revoked, 0)
		if !o.event(said("2"), false) || o.newest(lent("b")) {
			t.Error("after goodbye nothing is too much")
		}
		wantTaken(t, o, "1", "finished")
		o.end(slow, 0)
		wantTaken(t, o)
	})
	t.Run("is full at its bound, whatever positions come", func(t *testing.T) {
		t.Parallel()
		o, _ := box()
		for range maxEvents {
			if !o.event(said("x"), false) {
				t.Fatal("full too early")
			}
			o.newest(lent("a"))
		}
		if o.event(said("x"), false) {
			t.Error("it is never full")
		}
		if frames, bytes := o.backlog(); frames != maxEvents || bytes != 3*maxEvents {
			t.Errorf("%d wait with %d bytes", frames, bytes)
		}
		o.end(slow, 0)
		wantTaken(t, o, "too_slow")
	})
	t.Run("is full at its bytes, of which one event may have more", func(t *testing.T) {
		t.Parallel()
		o, _ := box()
		if !o.event(said(strings.Repeat("x", 2*maxWaiting)), false) || o.event(said("x"), false) {
			t.Error("one that is too large fits, and nothing beside it")
		}
		if _, ok := o.take(); !ok {
			t.Error("nothing waits")
		}
		if !o.event(said("x"), false) {
			t.Error("it is full although nothing waits")
		}
	})
	t.Run("answers of several pings the newest", func(t *testing.T) {
		t.Parallel()
		o, _ := box()
		o.pongSoon([]byte("a"))
		o.pongSoon([]byte("b"))
		o.pingSoon()
		wantTaken(t, o, "ping", "pong b")
	})
}

// tube is a pipe that takes so many bytes at once and then no more until it is emptied.
type tube struct {
	tries int
	room  int
	went  []byte
	woken int
}

func (p *tube) try(b []byte) int {
	p.tries++
	n := min(len(b), p.room)
	p.room -= n
	p.went = append(p.went, b[:n]...)
	return n
}

func (p *tube) wake()               { p.woken++ }
func (p *tube) hurry(time.Duration) {}
func (p *tube) cut()                {}

func TestOutbox_at_once(t *testing.T) {
	t.Parallel()
	t.Run("what there is room for goes out at once and keeps nothing", func(t *testing.T) {
		t.Parallel()
		p := &tube{room: 1 << 10}
		o := &outbox{pipe: p}
		o.event(said("1"), false)
		o.newest(lent("a"))
		o.pingSoon()
		o.pongSoon([]byte("x"))
		if want := "\x81\x011\x81\x01a\x89\x00\x8a\x01x"; string(p.went) != want || p.woken != 0 {
			t.Errorf("sent %q and woke %d times", p.went, p.woken)
		}
		wantTaken(t, o)
	})
	t.Run("a frame that went out in part is finished before anything else", func(t *testing.T) {
		t.Parallel()
		p := &tube{room: 4}
		o := &outbox{pipe: p}
		o.event(said("long"), false)
		p.room = 1 << 10 // there would be room now, but somebody is at it
		o.event(said("2"), false)
		o.newest(lent("a"))
		o.newest(lent("b"))
		if string(p.went) != "\x81\x04lo" || p.woken != 1 {
			t.Errorf("sent %q and woke %d times", p.went, p.woken)
		}
		wantTaken(t, o, "rest ng", "2", "b")
		o.newest(lent("c"))
		if string(p.went) != "\x81\x04lo\x81\x01c" {
			t.Errorf("sent %q", p.went)
		}
	})
	t.Run("what passes waits in its turn, and is full like everything", func(t *testing.T) {
		t.Parallel()
		o, _ := box()
		o.event(said("1"), false)
		d := borrow(func(b []byte) []byte { return append(b, "abc"...) })
		if !o.passing(&d) {
			t.Error("there was no room")
		}
		clear(*d.buffer)
		d.done()
		o.event(said("2"), false)
		wantTaken(t, o, "1", "abc", "2")
		for range maxEvents {
			o.event(said("x"), false)
		}
		if o.passing(lent("y")) {
			t.Error("there was room behind too much")
		}
		o.end(slow, 0)
		if !o.passing(lent("z")) {
			t.Error("after goodbye nothing is too much")
		}
	})
	t.Run("what waits is the caller's no more", func(t *testing.T) {
		t.Parallel()
		p := &tube{room: 3}
		o := &outbox{pipe: p}
		d := borrow(func(b []byte) []byte { return append(b, "abc"...) })
		o.newest(&d)
		clear(*d.buffer)
		d.done()
		wantTaken(t, o, "rest bc")
	})
	t.Run("the answer to the handshake goes out with the first frame", func(t *testing.T) {
		t.Parallel()
		for room, rest := range map[int]string{1 << 10: "", 9: "ong", 6: "\x81\x04long", 5: "r\x81\x04long", 0: "answer\x81\x04long"} {
			p := &tube{room: room}
			o := &outbox{pipe: p, rest: []byte("answer")}
			o.event(said("long"), false)
			if p.tries != 1 {
				t.Errorf("with room for %d it took %d tries", room, p.tries)
			}
			var want []string
			if rest != "" {
				want = []string{"rest " + rest}
			}
			wantTaken(t, o, want...)
			if p.room = 1 << 10; !o.sent([]byte("x")) || p.woken != len(want) {
				t.Errorf("with room for %d somebody was woken %d times", room, p.woken)
			}
		}
	})
	t.Run("the answer to the handshake waits for no frame where none is to come", func(t *testing.T) {
		t.Parallel()
		p := &tube{room: 1 << 10}
		o := &outbox{pipe: p, rest: []byte("answer")}
		o.answerNow()
		o.answerNow()
		o.newest(lent("a"))
		if want := "answer\x81\x01a"; string(p.went) != want || p.tries != 2 {
			t.Errorf("sent %q in %d tries", p.went, p.tries)
		}
	})
	t.Run("a goodbye before the first frame comes behind the answer", func(t *testing.T) {
		t.Parallel()
		p := &tube{room: 1 << 10}
		o := &outbox{pipe: p, rest: []byte("answer")}
		o.end(finished, 0)
		wantTaken(t, o, "rest answer", "finished")
	})
}
