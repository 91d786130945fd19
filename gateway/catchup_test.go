package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hotfoot/tracking"
	"hotfoot/tracking/frame"
)

// promise is what a viewer must have been shown when they are told that it is live.
type promise struct {
	ver atomic.Int64
	fix atomic.Int64 // Unix milliseconds
}

// judge is a viewer who looks at every frame in the very moment in which it is told.
type judge struct {
	promise *promise
	outbox  outbox

	mu   sync.Mutex
	ver  int64
	fix  int64
	live bool
	err  error
}

// try implements pipe: everything goes out at once.
func (j *judge) try(b []byte) int {
	text := textOf(b)
	if err := j.take(text); err != nil && j.err == nil {
		j.err = fmt.Errorf("%w: %s", err, text)
	}
	return len(b)
}

func (j *judge) wake()               {}
func (j *judge) hurry(time.Duration) {}
func (j *judge) cut()                {}

// join has a judge watch a delivery.
func (j *judge) join(h *Hub, r tracking.Record) error {
	j.outbox.pipe = j
	in := h.join(&r, tracking.Seen{})
	return in.enter(context.Background(), &viewer{outbox: &j.outbox})
}

// textOf is the text of a frame as it lies there.
func textOf(b []byte) []byte {
	switch b[1] {
	case 126:
		return b[4:]
	case 127:
		return b[10:]
	}
	return b[2:]
}

func (j *judge) take(text []byte) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	var f struct {
		Type       string
		Ver        int64
		Live       *bool
		RecordedAt frame.Time `json:"recorded_at"`
		Position   *struct {
			RecordedAt frame.Time `json:"recorded_at"`
		}
	}
	if err := json.Unmarshal(text, &f); err != nil {
		return err
	}
	switch {
	case f.Type == "status" && f.Ver != j.ver+1:
		return fmt.Errorf("after ver %d", j.ver)
	case f.Type == "status" || f.Type == "snapshot":
		j.ver = f.Ver
	case f.Type == "position":
		j.fix = time.Time(f.RecordedAt).UnixMilli()
	}
	if f.Position != nil {
		j.fix = time.Time(f.Position.RecordedAt).UnixMilli()
	}
	if f.Live == nil {
		return nil
	}
	j.live = *f.Live
	if ver, fix := j.promise.ver.Load(), j.promise.fix.Load(); j.live && (j.ver < ver || j.fix < fix) {
		return fmt.Errorf("live with ver %d and fix %d, but when the watch was confirmed it was %d and %d already", j.ver, j.fix, ver, fix)
	}
	return nil
}

func (j *judge) state() (ver, fix int64, live bool, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.ver, j.fix, j.live, j.err
}

// Whatever happens to the line and to the stores: what is shown as live was read after the watch was confirmed, no status is skipped or repeated, and
// in the end everybody sees the truth.
func TestCatchUp_live_means_that_nothing_was_missed(t *testing.T) {
	t.Parallel()
	const topics, turns = 8, 3000
	l, s := newLine(), newShelf()
	s.failing = 0.05
	h := newHub(t, l, s)
	records := make([]tracking.Record, topics)
	judges := make([]*judge, topics)
	promises := make([]promise, topics)
	var joining sync.WaitGroup
	for i := range records {
		records[i] = shown()
		s.put(records[i])
		judges[i] = &judge{promise: &promises[i]}
		record := records[i]
		joining.Go(func() {
			if err := judges[i].join(h, record); err != nil {
				t.Error(err)
			}
		})
	}
	polling := make(chan struct{})
	var poll sync.WaitGroup
	poll.Go(func() {
		for {
			select {
			case <-polling:
				return
			default:
				h.poll()
				runtime.Gosched()
			}
		}
	})
	// promise notes what there is: who is told live from now on must have seen it.
	mend := func() {
		s.mu.Lock()
		for i, r := range records {
			promises[i].ver.Store(r.Delivery.Ver)
			if p, found := s.places[r.Courier.ID]; found {
				promises[i].fix.Store(p.RecordedAt.UnixMilli())
			}
		}
		s.mu.Unlock()
		l.mend()
	}
	at := time.Now().Truncate(time.Millisecond)
	for range turns {
		i := rand.N(topics)
		switch rand.N(12) {
		case 0:
			l.cut()
		case 1, 2:
			mend()
		case 3, 4, 5:
			at = at.Add(time.Millisecond)
			p := tracking.Position{RecordedAt: at, Lat: 37.78, Lon: -122.41}
			s.mu.Lock()
			s.places[records[i].Courier.ID] = p
			s.mu.Unlock()
			l.move(records[i].Courier.ID, p)
		case 6, 7, 8:
			records[i] = next(records[i])
			s.put(records[i])
			l.announce(records[i])
		default:
			runtime.Gosched()
		}
	}
	mend()
	joining.Wait()
	for i, j := range judges {
		r := records[i]
		want := s.places[r.Courier.ID].RecordedAt.UnixMilli()
		if _, found := s.places[r.Courier.ID]; !found {
			want = 0
		}
		awaitThat(t, "everybody to see the truth", func() bool {
			ver, fix, live, err := j.state()
			if err != nil {
				t.Fatalf("topic %d: %v", i, err)
			}
			return live && ver == r.Delivery.Ver && fix == want
		})
	}
	close(polling)
	poll.Wait()
}

// With one of two watches away nothing can be relied on: the courier may have moved unheard.
func TestCatchUp_live_means_every_watch(t *testing.T) {
	t.Parallel()
	l, s := newLine(), newShelf()
	h := newHub(t, l, s)
	r := shown()
	s.put(r)
	in := h.join(&r, tracking.Seen{})
	joined := in.topic
	awaitThat(t, "the topic to be live", func() bool { l.mend(); return joined.isOpen() && joined.isLive() })
	o, _ := box()
	if err := in.enter(t.Context(), &viewer{outbox: o}); err != nil {
		t.Fatal(err)
	}
	l.cut()
	l.confirm(func(w *tap) bool { return w.courier.IsZero() })
	h.poll()
	awaitThat(t, "the reader to rest", func() bool { return !h.behind.busy() })
	for _, text := range taken(o)[1:] {
		if !strings.Contains(text, `"live":false`) {
			t.Errorf("told %s", text)
		}
	}
	l.mend()
	awaitThat(t, "the topic to be live again", func() bool { return joined.isLive() })
}

// A reconnect under many topics costs a few round trips, and only what has changed is read whole.
func TestCatchUp_reads_in_bulk(t *testing.T) {
	t.Parallel()
	const topics, changed = 5000, 20
	l, s := newLine(), newShelf()
	h := newHub(t, l, s)
	l.mend()
	records := make([]tracking.Record, topics)
	opened := make([]*topic, topics)
	for i := range records {
		records[i] = shown()
		s.put(records[i])
		opened[i] = h.join(&records[i], tracking.Seen{}).topic
	}
	awaitThat(t, "all to be live", func() bool {
		l.mend() // confirms what was asked for since
		h.poll() // for those that had to wait too long for it
		for _, topic := range opened {
			if !topic.isOpen() || !topic.isLive() {
				return false
			}
		}
		return true
	})
	awaitThat(t, "the readers to rest", func() bool { return !h.newcomers.busy() && !h.behind.busy() })
	if n := len(s.recordOf); n != 0 {
		t.Errorf("%d records were read although nothing had changed since the links were opened", n)
	}
	s.bulk = 0
	l.cut()
	for i := range changed {
		s.put(next(records[i]))
	}
	l.mend()
	awaitThat(t, "all to be live again", func() bool {
		for i, topic := range opened {
			if !topic.isLive() || i < changed && topic.revision().Rev != 2 {
				return false
			}
		}
		return true
	})
	awaitThat(t, "the readers to rest", func() bool { return !h.newcomers.busy() && !h.behind.busy() })
	if n := len(s.recordOf); n != changed {
		t.Errorf("%d records were read, want the %d that had changed", n, changed)
	}
	// Ten thousand confirmations in a row, of deliveries and couriers, while rounds run: each round takes what has come meanwhile.
	if s.bulk > 100 {
		t.Errorf("%d bulk reads for %d topics", s.bulk, topics)
	}
	t.Logf("%d topics: %d bulk reads, %d records", topics, s.bulk, len(s.recordOf))
}

// Whoever comes new waits for nobody who missed something.
func TestCatchUp_newcomers_do_not_wait(t *testing.T) {
	t.Parallel()
	l, s := newLine(), newShelf()
	h := newHub(t, l, s)
	l.mend()
	slow := shown()
	s.put(slow)
	behind := h.join(&slow, tracking.Seen{}).topic
	awaitThat(t, "the topic to open", func() bool { l.mend(); return behind.isOpen() })
	stuck, release := make(chan struct{}), make(chan struct{})
	s.before = func(id tracking.ID) {
		if id == slow.Delivery.ID {
			close(stuck)
			<-release
		}
	}
	l.cut()
	s.put(next(slow))
	l.mend()
	<-stuck
	fresh := shown()
	s.put(fresh)
	j := &judge{promise: &promise{}}
	joined := make(chan error, 1)
	go func() {
		joined <- j.join(h, fresh)
	}()
	awaitThat(t, "the newcomer to be live", func() bool {
		l.mend()
		_, _, live, _ := j.state()
		return live
	})
	if err := <-joined; err != nil {
		t.Error(err)
	}
	close(release)
	awaitThat(t, "the other to be live", func() bool { return behind.isLive() })
}

// A delivery that is there no more ends its viewers' sockets for good, and the next link to it is looked up anew.
func TestCatchUp_vanished(t *testing.T) {
	t.Parallel()
	l, s := newLine(), newShelf()
	h := newHub(t, l, s)
	l.mend()
	r := shown()
	s.put(r)
	o, _ := box()
	in := h.join(&r, tracking.Seen{})
	joined := in.topic
	awaitThat(t, "the topic to open", func() bool { l.mend(); return joined.isOpen() })
	if err := in.enter(t.Context(), &viewer{outbox: o}); err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	delete(s.records, r.Delivery.ID)
	s.mu.Unlock()
	h.check(t.Context())
	awaitThat(t, "the viewer to be sent away", func() bool {
		o.mu.Lock()
		defer o.mu.Unlock()
		return o.last != nil
	})
	if o.last.code != closeUnknown {
		t.Errorf("closed with %d", o.last.code)
	}
	if again := h.join(&r, tracking.Seen{}); again.topic == joined {
		t.Error("the topic is still there for others")
	}
}
