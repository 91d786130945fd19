package redisstore

import (
	"context"
	"crypto/sha256"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hotfoot/tracking"
	"hotfoot/tracking/key"
)

var _ tracking.Answers = (*Aside)(nil)

// Aside keeps what was computed beside the truth: in Redis for all nodes, and what may be a little old in this node's memory too.
//
//	Answer ──> memory.go                       what this node knows, as long as it hears of changes
//	       ──> looks.go ──> lookup.lua         one round trip, shared: the answer, or whose turn it is to compute it
//	       ──> flight.go ──> compute           once for all who wait, here and (by the lease) on other nodes
//	                     ──> lease.lua, keep.lua
//
// An answer carries the version that its segment had before it was computed, and a change raises the version after it was committed (segment.go). So an
// answer never counts as newer than it is, whatever was slow meanwhile. Versions begin with the time, so that one that Redis lost does not come again.
type Aside struct {
	store   *Store
	asker   string // this process among all
	rooms   map[*tracking.Computation]*room
	memory  *memory
	looks   looks
	flights flights
}

// room is what there is of each computation.
type room struct {
	*asideMetrics
	turns chan struct{}
}

// asideKeeps is how long a segment's version is kept: longer than any answer, and when it is lost its answers are too.
const asideKeeps = 48 * time.Hour

// NewAside makes an Aside over a Store's Redis for these computations. watch tells of changes by segment. Run must run, and ends it.
func NewAside(store *Store, watch WatchSegment, registry prometheus.Registerer, computations ...*tracking.Computation) *Aside {
	a := &Aside{store: store, asker: tracking.NewID().String(), rooms: map[*tracking.Computation]*room{}, memory: newMemory(watch)}
	metrics := newAsideMetrics(registry)
	for _, c := range computations {
		a.rooms[c] = &room{metrics.of(c.Name), make(chan struct{}, c.AtOnce)}
	}
	a.looks.lines, a.flights.aloft = map[string]*line{}, map[string]*flight{}
	return a
}

// Answer implements tracking.Answers.
func (a *Aside) Answer(ctx context.Context, q tracking.Question, w tracking.Work) (tracking.Answer, error) {
	answer, err := a.answer(ctx, q, w)
	if err == nil {
		a.rooms[q.Computation].answers[answer.Source].Inc()
	}
	return answer, err
}

func (a *Aside) answer(ctx context.Context, q tracking.Question, w tracking.Work) (tracking.Answer, error) {
	if q.Again {
		began := time.Now()
		value, err := a.compute(ctx, q, w, nil)
		return tracking.Answer{Value: value, Source: tracking.AskedAgain, Age: time.Since(began)}, err
	}
	name := key.Computed(q.Segment, q.Computation.Name, sha256.Sum256([]byte(q.Arguments)))
	if value, age, ok := a.memory.get(q, name); ok {
		return tracking.Answer{Value: value, Source: tracking.FromMemory, Age: age}, nil
	}
	found, err := a.looks.get(ctx, name, func() (lookup, error) { return a.lookup(context.WithoutCancel(ctx), q, w, name) })
	if err != nil && ctx.Err() != nil {
		return tracking.Answer{}, tracking.Unavailable("Redis", ctx.Err())
	}
	if err != nil {
		found = lookup{what: isAlone}
	}
	if found.has() {
		source := tracking.FromHot
		switch found.what {
		case isRenew:
			// Whoever hears of it that nobody can be taken aboard has an answer nevertheless.
			_, _, _ = a.board(q, w, name, found)
			fallthrough
		case isStale:
			source = tracking.FromStale
		case isHit:
			a.memory.put(q, name, found)
		}
		return tracking.Answer{Value: found.value, Source: source, Age: found.age}, nil
	}
	f, led, err := a.board(q, w, name, found)
	if err != nil {
		return tracking.Answer{}, err
	}
	return f.wait(ctx, led)
}

// compute runs when it is its turn; begun is called when it is.
func (a *Aside) compute(ctx context.Context, q tracking.Question, w tracking.Work, begun func()) (any, error) {
	room := a.rooms[q.Computation]
	select {
	case room.turns <- struct{}{}:
		defer func() { <-room.turns }()
	case <-ctx.Done():
		return nil, &tracking.Error{Code: tracking.CodeOverloaded, Message: "too much is being computed", RetryAfter: time.Second, Err: ctx.Err()}
	}
	if begun != nil {
		begun()
	}
	began := time.Now()
	value, err := w.Compute(ctx)
	room.seconds.Observe(time.Since(began).Seconds())
	return value, err
}

// Run forgets the segments that nobody asks about any more until ctx ends, then waits for what is being computed. Later questions are refused.
func (a *Aside) Run(ctx context.Context) error {
	defer a.memory.close()
	defer a.flights.land()
	ticker := time.NewTicker(memorySweep)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-ticker.C:
			a.memory.sweep(now)
		}
	}
}

// flights are the computations that somebody of this process waits for.
type flights struct {
	mu     sync.Mutex
	aloft  map[string]*flight // by the answer's name: the one that may still be boarded
	count  int
	closed bool
	crew   sync.WaitGroup
}

// maxFlights bounds the different questions that may wait for an answer in one process.
const maxFlights = 4096

// land takes nobody aboard any more and waits for those who are.
func (f *flights) land() {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.crew.Wait()
}
