package gateway

import (
	"context"
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
)

// fleet is one merchant's couriers and unfinished deliveries, kept by a node exactly while somebody there looks at the map.
type fleet struct {
	hub      *Hub
	staff    Staff
	merchant tracking.ID
	users    int // guarded by Hub.mu
	stop     context.CancelFunc

	mu      sync.Mutex
	watches []Watch
	units   map[tracking.ID]*unit
	jobs    map[tracking.ID]*job
	stops   map[tracking.ID]int // unfinished stops, by courier
	ended   endings
	views   map[*opsSocket]struct{}
	stats   stats

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

// unit is a courier on the map.
type unit struct {
	courier tracking.Courier
	newest  *tracking.Position
	stops   int
	silent  bool
	since   time.Time // silent since
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
		f = &fleet{
			hub: h, staff: staff, merchant: merchant,
			units: map[tracking.ID]*unit{}, jobs: map[tracking.ID]*job{}, stops: map[tracking.ID]int{}, views: map[*opsSocket]struct{}{},
		}
		h.fleets[merchant] = f
		var ctx context.Context
		ctx, f.stop = context.WithCancel(h.ctx)
		h.start(func() { f.run(ctx) })
	}
	f.users++
	return f
}

func (h *Hub) leaveFleet(f *fleet) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f.users--
	if f.users == 0 {
		if h.fleets[f.merchant] == f {
			delete(h.fleets, f.merchant)
		}
		f.stop()
	}
}

// run opens the fleet and then makes frames, a few a second, until nobody looks any more.
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
		f.frames(f.hub.now(), n%4 == 0)
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
	if u.newest != nil && !p.RecordedAt.After(u.newest.RecordedAt) {
		return
	}
	u.newest = &p
	f.dirty(u, false)
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
		u = &unit{courier: c, stops: f.stops[c.ID]}
		f.units[c.ID] = u
		f.dirty(u, true)
	case c.OnDuty && u.courier != c:
		u.courier = c
		f.dirty(u, true)
	}
}

// remove takes a courier off the map. Called with mu held.
func (f *fleet) remove(u *unit) {
	delete(f.units, u.courier.ID)
	for v := range f.views {
		v.gone(u)
	}
}

// dirty has a courier looked at by every view's next frame. Called with mu held.
func (f *fleet) dirty(u *unit, described bool) {
	for v := range f.views {
		v.touch(u, described)
	}
}
