package gateway

import (
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// spokes is how many turns a ring takes from one ping of a seat to its next.
const spokes = 25

// ring is where the seats are. Each sits at one spoke, chosen at random, and in each turn one spoke's seats have their turn: so seats are looked at once
// an interval and not once a second, a crowd that came together is not pinged together, and whoever comes or goes waits for no more than a spoke.
type ring struct {
	spokes [spokes]spoke
	count  atomic.Int64
	last   int64 // the turn that was last, 0 before the first
}

type spoke struct {
	mu    sync.Mutex
	seats []*seat
}

func (r *ring) add(s *seat) {
	at := &r.spokes[rand.N(spokes)]
	at.mu.Lock()
	defer at.mu.Unlock()
	s.spoke, s.place = at, len(at.seats)
	at.seats = append(at.seats, s)
	r.count.Add(1)
}

func (r *ring) remove(s *seat) {
	at := s.spoke
	at.mu.Lock()
	defer at.mu.Unlock()
	last := len(at.seats) - 1
	at.seats[s.place] = at.seats[last]
	at.seats[s.place].place = s.place
	at.seats[last] = nil
	at.seats = at.seats[:last]
	r.count.Add(-1)
}

// each calls fn for everybody; who leaves meanwhile may still be called.
func (r *ring) each(fn func(*seat)) {
	for i := range r.spokes {
		for _, s := range r.spokes[i].copied() {
			fn(s)
		}
	}
}

func (k *spoke) copied() []*seat {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.seats)
}

// turn calls fn for the seats whose turn has come since it was last called, with the time at which each has lived long enough. One goroutine calls it.
func (r *ring) turn(now time.Time, interval time.Duration, fn func(s *seat, until int64)) {
	turn := now.UnixNano() / int64(max(1, interval/spokes))
	if r.last == 0 {
		r.last = turn - 1
	}
	// A clock that was set is no reason to call anybody twice, or never again.
	for n := max(r.last+1, turn-spokes+1); n <= turn; n++ {
		for _, s := range r.spokes[n%spokes].copied() {
			fn(s, s.until)
		}
	}
	r.last = turn
}
