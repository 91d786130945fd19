package gateway

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hotfoot/tracking"
)

// patience bounds every wait: what is waited for takes milliseconds, except under -race on a busy machine.
const patience = 30 * time.Second

// line is a Feed that a test cuts and mends. Its methods but those of Feed are called from one goroutine, as the real one calls back from one.
type line struct {
	mu      sync.Mutex
	up      bool
	watches map[*tap]struct{}
}

// tap is a Watch on a line.
type tap struct {
	line      *line
	delivery  tracking.ID
	courier   tracking.ID
	changed   func(tracking.Record)
	moved     func(tracking.Position)
	calm      func()
	live      func(bool)
	ready     chan struct{}
	confirmed bool // guarded by line.mu
}

func newLine() *line { return &line{watches: map[*tap]struct{}{}} }

func (l *line) tap(w *tap) Watch {
	w.line, w.ready = l, make(chan struct{})
	l.mu.Lock()
	defer l.mu.Unlock()
	l.watches[w] = struct{}{}
	return w
}

func (l *line) Delivery(id tracking.ID, changed func(tracking.Record), live func(bool)) Watch {
	return l.tap(&tap{delivery: id, changed: changed, live: live})
}

func (l *line) Courier(id tracking.ID, moved func(tracking.Position), calm func(), live func(bool)) Watch {
	return l.tap(&tap{courier: id, moved: moved, calm: calm, live: live})
}

func (l *line) Jobs(_ tracking.ID, _ func(), live func(bool)) Watch { return l.tap(&tap{live: live}) }

func (l *line) Fleet(_ tracking.ID, _ func(tracking.ID, tracking.Position), _ func(tracking.Record), _ func(tracking.Courier), live func(bool)) []Watch {
	return []Watch{l.tap(&tap{live: live})}
}

func (w *tap) Ready() <-chan struct{} { return w.ready }

func (w *tap) Live() bool {
	w.line.mu.Lock()
	defer w.line.mu.Unlock()
	return w.line.up && w.confirmed
}

func (w *tap) Close() {
	w.line.mu.Lock()
	defer w.line.mu.Unlock()
	delete(w.line.watches, w)
}

// pick are the watches that are, or are not, confirmed.
func (l *line) pick(confirmed bool, which func(*tap) bool) (taps []*tap) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for w := range l.watches {
		if w.confirmed == confirmed && which(w) {
			taps = append(taps, w)
		}
	}
	return taps
}

func all(*tap) bool { return true }

// mend brings the line up and confirms everything that is watched.
func (l *line) mend() { l.confirm(all) }

func (l *line) confirm(which func(*tap) bool) {
	l.mu.Lock()
	l.up = true
	l.mu.Unlock()
	for _, w := range l.pick(false, which) {
		l.mu.Lock()
		w.confirmed = true
		l.mu.Unlock()
		select {
		case <-w.ready:
		default:
			close(w.ready)
		}
		w.live(true)
	}
}

func (l *line) cut() {
	taps := l.pick(true, all)
	l.mu.Lock()
	l.up = false
	for _, w := range taps {
		w.confirmed = false
	}
	l.mu.Unlock()
	for _, w := range taps {
		w.live(false)
	}
}

func (l *line) announce(r tracking.Record) {
	for _, w := range l.pick(true, func(w *tap) bool { return w.delivery == r.Delivery.ID && w.changed != nil }) {
		w.changed(r)
	}
}

func (l *line) move(courier tracking.ID, p tracking.Position) {
	for _, w := range l.pick(true, func(w *tap) bool { return w.courier == courier && w.moved != nil }) {
		w.moved(p)
		w.calm()
	}
}

// shelf is a Records in memory, as slow and as unreliable as a test wants it.
type shelf struct {
	mu       sync.Mutex
	records  map[tracking.ID]tracking.Record
	places   map[tracking.ID]tracking.Position
	failing  float64 // how often a read fails
	before   func(tracking.ID)
	recordOf []tracking.ID // every Record asked for
	bulk     int           // Revs and NewestOf
}

func newShelf() *shelf {
	return &shelf{records: map[tracking.ID]tracking.Record{}, places: map[tracking.ID]tracking.Position{}, before: func(tracking.ID) {}}
}

var errShelf = tracking.Unavailable("the shelf", errors.New("it fails now and then"))

// stumble lets others run, and fails now and then.
func (s *shelf) stumble() error {
	for range rand.N(4) {
		runtime.Gosched()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if rand.Float64() < s.failing {
		return errShelf
	}
	return nil
}

func (s *shelf) put(r tracking.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records[r.Delivery.ID] = r
}

func (s *shelf) placeAt(courier tracking.ID, p tracking.Position) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.places[courier] = p
}

func (s *shelf) Record(_ context.Context, id tracking.ID) (tracking.Record, error) {
	s.before(id)
	if err := s.stumble(); err != nil {
		return tracking.Record{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.recordOf = append(s.recordOf, id)
	r, found := s.records[id]
	if !found {
		return r, tracking.Errorf(tracking.CodeNotFound, "no such delivery")
	}
	return r, nil
}

func (s *shelf) Revs(_ context.Context, ids []tracking.ID) ([]tracking.Revision, error) {
	if err := s.stumble(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bulk++
	revs := make([]tracking.Revision, len(ids))
	for i, id := range ids {
		record := s.records[id]
		revs[i] = record.Revision()
	}
	return revs, nil
}

func (s *shelf) NewestOf(_ context.Context, couriers []tracking.ID) ([]*tracking.Position, error) {
	if err := s.stumble(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bulk++
	places := make([]*tracking.Position, len(couriers))
	for i, id := range couriers {
		if p, found := s.places[id]; found {
			places[i] = &p
		}
	}
	return places, nil
}

func (s *shelf) Fresh(ctx context.Context, id tracking.ID) (tracking.Record, error) {
	return s.Record(ctx, id)
}

func (s *shelf) Sight(ctx context.Context, id tracking.ID) (tracking.Sight, error) {
	r, err := s.Record(ctx, id)
	if err != nil {
		return tracking.Sight{}, err
	}
	places, err := s.NewestOf(ctx, []tracking.ID{r.Underway()})
	if err != nil {
		return tracking.Sight{Record: &r}, nil
	}
	return tracking.Sight{Record: &r, Newest: places[0], Live: true}, nil
}

// newHub makes a Hub over doubles, which ends with the test.
func newHub(t testing.TB, feed Feed, records Records) *Hub {
	t.Helper()
	h := NewHub(feed, records, Config{}, NewMetrics(prometheus.NewRegistry()), time.Now, slog.New(slog.DiscardHandler))
	t.Cleanup(h.Close)
	return h
}

// shown is a record whose courier the customer may see.
func shown() tracking.Record {
	courier := tracking.Courier{ID: tracking.NewID(), Name: "Sam", Vehicle: tracking.Bike, OnDuty: true}
	return tracking.Record{
		Epoch: 1, Courier: courier, Merchant: tracking.Merchant{VisibleStops: 2},
		Delivery: tracking.Delivery{ID: tracking.NewID(), Status: tracking.EnRoute, Ver: 1, Rev: 1, CourierID: courier.ID},
		Events:   []tracking.Event{{Ver: 1, Status: tracking.EnRoute, At: time.Now()}},
	}
}

// next is the record after its courier has arrived, or left again.
func next(r tracking.Record) tracking.Record {
	r.Delivery.Ver++
	r.Delivery.Rev++
	r.Delivery.Status = []tracking.Status{tracking.EnRoute, tracking.Arriving}[r.Delivery.Ver%2]
	event := tracking.Event{Ver: r.Delivery.Ver, Status: r.Delivery.Status, At: time.Now()}
	r.Events = append(r.Events[max(0, len(r.Events)-tracking.MaxEvents+1):len(r.Events):len(r.Events)], event)
	return r
}

// awaitThat waits until a condition holds.
func awaitThat(t *testing.T, what string, holds func() bool) {
	t.Helper()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for deadline := time.Now().Add(patience); !holds(); <-look.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for %s", patience, what)
		}
	}
}
