package gateway

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"hotfoot/tracking"
)

func TestTopic_enter_after_exit(t *testing.T) {
	t.Parallel()
	// The socket may break before its snapshot is there; a topic that goes on for others must not keep it.
	o, _ := box()
	top := &topic{record: &tracking.Record{Epoch: 1}}
	top.settled.Store(1)
	v := &viewer{outbox: o}
	top.exit(v)
	in := visit{topic: top, record: top.record, look: 1}
	err := in.enter(t.Context(), v)
	if frames, _ := o.backlog(); err != nil || len(top.viewers) != 0 || frames != 0 {
		t.Errorf("%v; %d viewers, %d frames", err, len(top.viewers), frames)
	}
}

func TestTopic_place(t *testing.T) {
	t.Parallel()
	// A read that was overtaken by an announcement brings an older fix.
	top := &topic{}
	now := time.Now()
	for _, age := range []time.Duration{10, 20, 10, 5, 30} {
		top.place(tracking.Position{RecordedAt: now.Add(-age * time.Second), Lat: float64(age)})
	}
	if top.newest.Lat != 5 {
		t.Errorf("the marker shows the fix of %v s ago, want the newest", top.newest.Lat)
	}
}

func TestTopic_enter_too_many(t *testing.T) {
	t.Parallel()
	l, s := newLine(), newShelf()
	h := newHub(t, l, s)
	r := shown()
	s.put(r)
	in := h.join(&r, tracking.Seen{})
	top := in.topic
	awaitThat(t, "the topic to open", func() bool { l.mend(); return top.isOpen() })
	enter := func() (*viewer, error) {
		o, _ := box()
		v := &viewer{outbox: o, generation: r.Delivery.LinkGen}
		return v, in.enter(t.Context(), v)
	}
	var one *viewer
	for range maxViewers {
		v, err := enter()
		if err != nil {
			t.Fatal(err)
		}
		one = v
	}
	if _, err := enter(); tracking.CodeOf(err) != tracking.CodeTooMany {
		t.Errorf("one more than %d: %v", maxViewers, err)
	}
	top.exit(one)
	if _, err := enter(); err != nil {
		t.Errorf("a place that became free: %v", err)
	}
}

// With the stores slow a viewer is shown what its link was opened with, and when more is known that.
func TestTopic_enter_while_nothing_can_be_read(t *testing.T) {
	t.Parallel()
	l, s := newLine(), newShelf()
	release := make(chan struct{})
	s.before = func(tracking.ID) { <-release }
	h := newHub(t, l, s)
	l.mend()
	r := shown()
	s.put(next(r)) // so that its record must be read
	j := &judge{promise: &promise{}}
	joined := make(chan error, 1)
	go func() { joined <- j.join(h, r) }()
	awaitThat(t, "the viewer to have waited long enough", func() bool {
		for i := range h.shards {
			h.tend(&h.shards[i], h.now().Add(joinLimit))
		}
		return len(joined) > 0
	})
	if err := <-joined; err != nil {
		t.Fatal(err)
	}
	if ver, _, live, err := j.state(); ver != 1 || live || err != nil {
		t.Errorf("shown ver %d, live %v, %v", ver, live, err)
	}
	close(release)
	awaitThat(t, "the rest", func() bool {
		l.mend()
		h.poll()
		ver, _, live, err := j.state()
		return ver == 2 && live && err == nil
	})
}

// opened is an Opener of one record.
type opened struct{ record tracking.Record }

func (o opened) Open(_ context.Context, _ string, _ tracking.Seen, known func(tracking.ID) *tracking.Record) (*tracking.Record, error) {
	if r := known(o.record.Delivery.ID); r != nil {
		return r, nil
	}
	return &o.record, nil
}

// What was shown may never have happened: viewers are shown what has, although nobody announces it, and nothing after it that had waited for them.
func TestHub_Rewritten(t *testing.T) {
	t.Parallel()
	l, s := newLine(), newShelf()
	h := newHub(t, l, s)
	before := next(next(shown()))
	s.put(before)
	in := h.join(&before, tracking.Seen{})
	top := in.topic
	awaitThat(t, "the topic to open", func() bool { l.mend(); return top.isOpen() })
	awaitThat(t, "the readers to rest", func() bool { return !h.newcomers.busy() && !h.behind.busy() })
	o, _ := box()
	if err := in.enter(t.Context(), &viewer{outbox: o}); err != nil {
		t.Fatal(err)
	}
	taken(o)
	top.moves(tracking.Position{RecordedAt: time.Now()})

	after := before
	after.Epoch, after.Delivery.Ver, after.Delivery.Rev, after.Delivery.Status, after.Events = 2, 1, 1, tracking.EnRoute, before.Events[:1]
	s.put(after)
	h.Rewritten()
	awaitThat(t, "something to be said", func() bool { frames, _ := o.backlog(); return frames > 0 })
	frames := taken(o)
	if len(frames) != 1 || !strings.Contains(frames[0], `"type":"snapshot"`) || !strings.Contains(frames[0], `"epoch":2`) {
		t.Errorf("viewers were shown %q, want one snapshot of the new epoch", frames)
	}
}

// A node that was frozen, or hears later than another, has an older marker than what those who come back have seen elsewhere.
func TestTopic_enter_with_a_marker_that_is_behind(t *testing.T) {
	t.Parallel()
	l, s := newLine(), newShelf()
	h := newHub(t, l, s)
	r := shown()
	s.put(r)
	before, now := time.Now().Add(-time.Minute).Truncate(time.Millisecond), time.Now().Truncate(time.Millisecond)
	s.placeAt(r.Courier.ID, tracking.Position{RecordedAt: before})
	top := h.join(&r, tracking.Seen{}).topic
	awaitThat(t, "the topic to open", func() bool { l.mend(); return top.isOpen() })
	awaitThat(t, "the readers to rest", func() bool { return !h.newcomers.busy() && !h.behind.busy() })
	s.placeAt(r.Courier.ID, tracking.Position{RecordedAt: now}) // and nobody says so
	customers := NewCustomers(h, opened{r}, nil)
	for _, c := range []struct {
		seen tracking.Seen
		want time.Time
	}{{tracking.Seen{}, before}, {tracking.Seen{Epoch: 1, Ver: 1}, now}} {
		in, err := customers.open(httptest.NewRequest("GET", "/", nil), "token", c.seen)
		if err != nil {
			t.Fatal(err)
		}
		o, _ := box()
		if err := in.enter(t.Context(), &viewer{outbox: o}); err != nil {
			t.Fatal(err)
		}
		if !top.newest.RecordedAt.Equal(c.want) {
			t.Errorf("who has seen %+v is shown the fix of %v, want %v", c.seen, top.newest.RecordedAt, c.want)
		}
	}
}
