package gateway

import (
	"context"
	"testing"

	"hotfoot/tracking"
)

// hall is a topic in which newcomers wait: its looks end when the test says so.
type hall struct {
	topic   *topic
	entered []error // in the order in which they were told
}

func newHall(t *testing.T) *hall {
	r := shown()
	h := newHub(t, newLine(), newShelf())
	top := &topic{hub: h, courierID: r.Courier.ID, said: h.now()}
	top.keep(r)
	return &hall{topic: top}
}

// comes has somebody come who waits for a look.
func (h *hall) comes(look int64) *viewer {
	o, _ := box()
	v := &viewer{outbox: o}
	visit{topic: h.topic, record: h.topic.record, look: look}.enterSoon(v, func(err error) { h.entered = append(h.entered, err) })
	return v
}

func (h *hall) ends(look int64) {
	h.topic.mu.Lock()
	defer h.topic.mu.Unlock()
	h.topic.settles(look)
}

func (v *viewer) frames() int {
	n, _ := v.outbox.backlog()
	return n
}

func TestVisit_enterSoon(t *testing.T) {
	t.Parallel()
	t.Run("everybody is let in when their own look has ended, once", func(t *testing.T) {
		t.Parallel()
		h := newHall(t)
		first, second := h.comes(1), h.comes(2)
		if len(h.entered) != 0 || len(h.topic.viewers) != 0 {
			t.Fatal("somebody was let in before anything was read")
		}
		h.ends(1)
		if len(h.entered) != 1 || first.frames() != 1 || second.frames() != 0 {
			t.Fatalf("%d were let in, with %d and %d frames", len(h.entered), first.frames(), second.frames())
		}
		h.ends(2)
		h.ends(3)
		if len(h.entered) != 2 || first.frames() != 1 || second.frames() != 1 || h.topic.waiting != nil {
			t.Errorf("%d were let in, with %d and %d frames; %d wait", len(h.entered), first.frames(), second.frames(), len(h.topic.waiting))
		}
		if third := h.comes(2); len(h.entered) != 3 || third.frames() != 1 {
			t.Error("who has nothing to wait for waited")
		}
	})
	t.Run("an earlier look that ends late lets nobody wait again", func(t *testing.T) {
		t.Parallel()
		h := newHall(t)
		h.ends(2)
		h.ends(1)
		if v := h.comes(2); v.frames() != 1 {
			t.Error("they wait for a look that has ended")
		}
	})
	t.Run("who leaves while they wait is shown nothing and kept by nobody", func(t *testing.T) {
		t.Parallel()
		h := newHall(t)
		v := h.comes(1)
		h.topic.exit(v)
		h.ends(1)
		if len(h.entered) != 1 || h.entered[0] != nil || v.frames() != 0 || len(h.topic.viewers) != 0 || h.topic.waiting != nil {
			t.Errorf("entered %v with %d frames; %d view and %d wait", h.entered, v.frames(), len(h.topic.viewers), len(h.topic.waiting))
		}
	})
	t.Run("nobody waits for long", func(t *testing.T) {
		t.Parallel()
		h := newHall(t)
		early := h.comes(1)
		h.topic.tick(h.topic.hub.now().Add(joinLimit / 2))
		if len(h.entered) != 0 {
			t.Fatal("somebody was let in though they could wait")
		}
		h.topic.tick(h.topic.hub.now().Add(joinLimit))
		if len(h.entered) != 1 || early.frames() != 1 {
			t.Errorf("%d were let in, with %d frames", len(h.entered), early.frames())
		}
	})
	t.Run("of what is not there any more everybody hears at once", func(t *testing.T) {
		t.Parallel()
		h := newHall(t)
		h.comes(1)
		h.comes(5)
		h.topic.vanish(&look{topic: h.topic, number: 1, err: tracking.Errorf(tracking.CodeNotFound, "no such delivery")})
		h.comes(9)
		if len(h.entered) != 3 {
			t.Fatalf("%d of 3 were told", len(h.entered))
		}
		for _, err := range h.entered {
			if tracking.CodeOf(err) != tracking.CodeNotFound {
				t.Errorf("they were told %v", err)
			}
		}
	})
}

// A stream's request waits itself, and ends when its client is gone.
func TestVisit_enter_gone(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	o, _ := box()
	err := visit{topic: h.topic, record: h.topic.record, look: 1}.enter(ctx, &viewer{outbox: o})
	if tracking.CodeOf(err) != tracking.CodeUnavailable {
		t.Errorf("told %v", err)
	}
}
