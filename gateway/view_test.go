package gateway

import (
	"testing"
	"time"

	"hotfoot/tracking"
)

func TestHub_View(t *testing.T) {
	t.Parallel()
	l, s := newLine(), newShelf()
	h := newHub(t, l, s)
	r := shown()
	s.put(r)
	s.placeAt(r.Courier.ID, tracking.Position{RecordedAt: time.Now(), Lat: 1})
	if _, ok := h.View(r.Delivery.ID); ok {
		t.Error("what nobody watches is answered")
	}
	top := h.join(&r, tracking.Seen{}).topic
	if _, ok := h.View(r.Delivery.ID); ok {
		t.Error("what nothing is heard of yet is answered")
	}
	awaitThat(t, "the topic to be live", func() bool { l.mend(); return top.isOpen() && top.isLive() })
	awaitThat(t, "nothing to be read any more", func() bool { return !h.behind.busy() })
	reads := func() int {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.recordOf) + s.bulk
	}
	before := reads()
	first, ok := h.View(r.Delivery.ID)
	if !ok || first.Record.Delivery.Ver != 1 || first.Position == nil || first.Position.Lat != 1 || first.ETA == nil || len(first.Record.Events) != 1 {
		t.Errorf("got %+v, %v", first, ok)
	}
	r = next(r)
	l.announce(r)
	l.move(r.Courier.ID, tracking.Position{RecordedAt: time.Now().Add(time.Second), Lat: 2})
	if v, ok := h.View(r.Delivery.ID); !ok || v.Record.Delivery.Ver != 2 || v.Position == nil || v.Position.Lat != 2 {
		t.Errorf("after a change: %+v, %v", v, ok)
	}
	if first.Position.Lat != 1 {
		t.Error("what was answered moves on")
	}
	if n := reads(); n != before {
		t.Errorf("it cost %d reads", n-before)
	}
	ended := next(r)
	ended.Delivery.Status = tracking.Delivered
	l.announce(ended)
	if v, ok := h.View(r.Delivery.ID); !ok || v.Position != nil || v.ETA != nil || v.Why != tracking.WhyFinished {
		t.Errorf("after the end: %+v, %v", v, ok)
	}
	l.cut()
	if _, ok := h.View(r.Delivery.ID); ok {
		t.Error("with the line cut it is answered from memory")
	}
}

// What was changed and never announced is shown after the next check, which comes within the bound that is documented: 4.4 s.
func TestHub_View_lostAnnouncement(t *testing.T) {
	t.Parallel()
	l, s := newLine(), newShelf()
	h := newHub(t, l, s)
	r := shown()
	s.put(r)
	top := h.join(&r, tracking.Seen{}).topic
	awaitThat(t, "the topic to be live", func() bool { l.mend(); return top.isOpen() && top.isLive() })
	awaitThat(t, "nothing to be read any more", func() bool { return !h.behind.busy() })
	r = next(r)
	s.put(r)
	if v, ok := h.View(r.Delivery.ID); !ok || v.Record.Delivery.Ver != 1 {
		t.Fatalf("before the check: %+v, %v", v, ok)
	}
	h.check(t.Context())
	awaitThat(t, "the change to be shown", func() bool {
		v, ok := h.View(r.Delivery.ID)
		return ok && v.Record.Delivery.Ver == 2
	})
	if longest := (Config{}).withDefaults().timing.check * 5 / 4; longest > 4400*time.Millisecond {
		t.Errorf("the next check may come after %v", longest)
	}
}
