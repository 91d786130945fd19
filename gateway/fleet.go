package gateway

import (
	"context"
	"strings"
	"sync"
	"time"

	"hotfoot/tracking"
)

// Staff is what a live map starts from, and what it reads again after it may have missed something. Errors: CodeUnavailable.
type Staff interface {
	Couriers(ctx context.Context, merchant tracking.ID, onDuty *bool, after tracking.ID, limit int) ([]tracking.Courier, error)
	// Active are the unfinished deliveries, without their events.
	Active(ctx context.Context, merchant tracking.ID, limit int) ([]tracking.Record, error)
	// Records are whole; a delivery that does not exist is left out.
	Records(ctx context.Context, deliveries []tracking.ID) ([]tracking.Record, error)
	NewestOf(ctx context.Context, couriers []tracking.ID) ([]*tracking.Position, error)
}

const (
	frameEvery = 250 * time.Millisecond
	maxFleet   = 50_000 // couriers, and deliveries, of one merchant's map
	// linger is how long a fleet is kept after the last map has closed: a page that is loaded again costs neither a subscription nor a read.
	linger = 10 * time.Second
)

// fleet is one merchant's couriers and unfinished deliveries, kept by a node while somebody there looks at the map, and a little longer.
type fleet struct {
	hub      *Hub
	staff    Staff
	merchant tracking.ID
	users    int       // guarded by Hub.mu
	leftAt   time.Time // when users was last 0; guarded by Hub.mu
	stop     context.CancelFunc

	mu      sync.Mutex
	watches []Watch
	units   map[tracking.ID]*unit
	slots   []*unit // the units by slot; nil where there is none
	free    []int32 // slots of nobody
	dirty   []*unit // those that the next tick looks at
	jobs    map[tracking.ID]*job
	stops   map[tracking.ID]int // unfinished stops, by courier
	ended   endings
	views   map[*opsSocket]struct{}
	stats   stats
	stand   []*alert // see standing
	turns   int64    // of untold

	// Of the last tick: see tick.go.
	atlas    atlas
	censuses map[int]*census // by the zoom that somebody looks at
	news     []news
	draft    draft

	// See load.go.
	loaded   bool // there is something to show
	live     bool // every watch is confirmed and what they might have missed was read
	doubtful bool // something may have been missed
	gaps     int  // how often a watch was lost
	lostAt   time.Time
	nextLoad time.Time // not before
	// heard are the couriers and deliveries announced while the fleet is being read: what was read of them is older. Nil when it is not.
	heard map[tracking.ID]bool
}

// stats are the numbers in the bar.
type stats struct {
	CouriersOnDuty int `json:"couriers_on_duty"`
	Active         int `json:"active"`
	Late           int `json:"late"`
	Silent         int `json:"silent"`
	Unassigned     int `json:"unassigned"`
}

func (h *Hub) joinFleet(merchant tracking.ID, staff Staff) *fleet {
	h.mu.Lock()
	defer h.mu.Unlock()
	f := h.fleets[merchant]
	if f == nil {
		f = newFleet(h, merchant, staff)
		h.fleets[merchant] = f
		var ctx context.Context
		ctx, f.stop = context.WithCancel(h.ctx)
		h.start(func() { f.run(ctx) })
	}
	f.users++
	return f
}

func newFleet(h *Hub, merchant tracking.ID, staff Staff) *fleet {
	return &fleet{
		hub: h, staff: staff, merchant: merchant, atlas: newAtlas(), censuses: map[int]*census{},
		units: map[tracking.ID]*unit{}, jobs: map[tracking.ID]*job{}, stops: map[tracking.ID]int{}, views: map[*opsSocket]struct{}{},
	}
}

func (h *Hub) leaveFleet(f *fleet) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f.users--
	f.leftAt = h.now()
}

// closeIdle ends a fleet that nobody has looked at for a while.
func (h *Hub) closeIdle(f *fleet, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if f.users == 0 && now.Sub(f.leftAt) >= linger {
		if h.fleets[f.merchant] == f {
			delete(h.fleets, f.merchant)
		}
		f.stop()
	}
}

// run opens the fleet and then makes frames, a few a second, until it is ended.
func (f *fleet) run(ctx context.Context) {
	f.mu.Lock()
	f.watches = f.hub.feed.Fleet(f.merchant, f.moved, f.changed, f.staffed, f.confirmed)
	f.mu.Unlock()
	defer func() {
		for _, w := range f.watches {
			w.Close()
		}
	}()
	var loading sync.WaitGroup
	defer loading.Wait()
	loading.Go(func() { f.keepLoaded(ctx) })
	n := 0
	every(ctx, frameEvery, 0, func() {
		now := f.hub.now()
		f.tick(now, n%4 == 0)
		f.hub.closeIdle(f, now)
		n++
	})
}

// moved is called by the feed with a courier's newest position.
func (f *fleet) moved(courier tracking.ID, p tracking.Position) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if u := f.units[courier]; u != nil {
		f.place(u, p)
	}
}

// place takes a newer position in. Called with mu held.
func (f *fleet) place(u *unit, p tracking.Position) {
	if !p.RecordedAt.After(u.newest.RecordedAt) {
		return
	}
	u.newest, u.fix = p, u.fix[:0]
	f.touch(u)
}

// staffed is called by the feed with a courier who came, went or changed.
func (f *fleet) staffed(c tracking.Courier) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hear(c.ID)
	if u := f.units[c.ID]; u == nil || u.courier.Rev < c.Rev {
		f.enlist(c)
	}
}

// hear notes what is announced while the fleet is being read. Called with mu held.
func (f *fleet) hear(id tracking.ID) {
	if f.heard != nil {
		f.heard[id] = true
	}
}

// enlist takes a courier in as they are now. Called with mu held.
func (f *fleet) enlist(c tracking.Courier) {
	u := f.units[c.ID]
	switch {
	case !c.OnDuty && u != nil:
		f.remove(u)
	case c.OnDuty && u == nil:
		f.add(newUnit(c, f.stops[c.ID]))
	case c.OnDuty:
		before := u.courier
		if u.courier = c; before.Name != c.Name || before.Vehicle != c.Vehicle {
			u.name = strings.ToLower(c.Name)
			f.retell(u)
		}
	}
}

// add puts a courier on the map. Called with mu held.
func (f *fleet) add(u *unit) {
	f.units[u.courier.ID] = u
	if last := len(f.free) - 1; last >= 0 {
		u.slot, f.free = f.free[last], f.free[:last]
		f.slots[u.slot] = u
		return
	}
	u.slot = int32(len(f.slots))
	f.slots = append(f.slots, u)
	for v := range f.views {
		v.seen.grow(len(f.slots))
	}
}

// remove takes a courier off the map. Called with mu held.
func (f *fleet) remove(u *unit) {
	delete(f.units, u.courier.ID)
	if u.silent {
		f.alert(u.alert(true)) // nobody waits to hear of them any more
	}
	for v := range f.views {
		v.seen.leave(u)
	}
	f.forget(u)
	f.slots[u.slot] = nil
	f.free = append(f.free, u.slot)
}

// touch has a courier looked at by the next tick. Called with mu held.
func (f *fleet) touch(u *unit) {
	if !u.dirty {
		u.dirty = true
		f.dirty = append(f.dirty, u)
	}
}

// retell has a courier described anew to whoever sees them. Called with mu held.
func (f *fleet) retell(u *unit) {
	u.retold, u.description = true, u.description[:0]
	f.touch(u)
}
