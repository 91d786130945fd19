package gateway

import (
	"strings"
	"testing"
)

// box is an outbox whose waking is counted.
func box() (o *outbox, woken *int) {
	woken = new(int)
	return &outbox{wake: func() { *woken++ }}, woken
}

func said(text string) *message { return newMessage([]byte(text)) }

// taken is everything that take hands out until nothing is left, in the order in which it is sent.
func taken(o *outbox) (texts []string) {
	for {
		out, ok := o.take()
		switch {
		case !ok:
			return texts
		case out.message != nil:
			texts = append(texts, string(out.message.text()))
		case out.ping:
			texts = append(texts, "ping")
		case out.pong != nil:
			texts = append(texts, "pong "+*out.pong)
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
		if o.newest(said("a")) {
			t.Error("the first position replaced one")
		}
		o.event(said("2"), false)
		if !o.newest(said("b")) {
			t.Error("the second position replaced none")
		}
		wantTaken(t, o, "1", "2", "b")
		wantTaken(t, o)
	})
	t.Run("wakes whoever writes once, until nothing waits", func(t *testing.T) {
		t.Parallel()
		o, woken := box()
		o.event(said("1"), false)
		o.newest(said("a"))
		o.pingSoon()
		if *woken != 1 {
			t.Errorf("woken %d times", *woken)
		}
		wantTaken(t, o, "1", "a", "ping")
		o.event(said("2"), false)
		if *woken != 2 {
			t.Errorf("woken %d times", *woken)
		}
	})
	t.Run("drops a position that must not be shown any more", func(t *testing.T) {
		t.Parallel()
		o, _ := box()
		o.newest(said("a"))
		o.event(said("hidden"), true)
		wantTaken(t, o, "hidden")
	})
	t.Run("takes nothing in after goodbye, and says it once, last", func(t *testing.T) {
		t.Parallel()
		o, _ := box()
		o.event(said("1"), false)
		o.newest(said("a"))
		o.end(finished, 0)
		o.end(revoked, 0)
		if !o.event(said("2"), false) || o.newest(said("b")) {
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
			o.newest(said("a"))
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
		o.pongSoon("a")
		o.pongSoon("b")
		o.pingSoon()
		wantTaken(t, o, "ping", "pong b")
	})
}
