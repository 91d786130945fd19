package gateway

import (
	"context"
	"sync"
	"time"

	"hotfoot/tracking"
)

// Staff is what a live map starts from. Errors: CodeUnavailable.
type Staff interface {
	Couriers(ctx context.Context, merchant tracking.ID, onDuty *bool, after tracking.ID, limit int) ([]tracking.Courier, error)
	Active(ctx context.Context, merchant tracking.ID, limit int) ([]tracking.Record, error)
	NewestOf(ctx context.Context, couriers []tracking.ID) ([]*tracking.Position, error)
}

const (
	frameEvery = 250 * time.Millisecond
	maxFleet   = 50_000 // couriers, and deliveries, of one merchant's map
)

// unit is a courier on the map.
type unit struct {
	courier tracking.Courier
	newest  *tracking.Position
	stops   int
	silent  bool
	since   time.Time // silent since
}

// job is an unfinished delivery, as far as the map is concerned.
type job struct {
	rev     int64
	ver     int64
	status  tracking.Status
	courier tracking.ID
	until   time.Time // the end of what was promised; zero for nothing
	late    bool
}

// fleet is one merchant's couriers and unfinished deliveries, kept by a node exactly while somebody there looks at the map.
type fleet struct {
	hub      *Hub
	staff    Staff
	merchant tracking.ID
	users    int // guarded by Hub.mu
	stop     context.CancelFunc
	opened   chan struct{}

	mu      sync.Mutex
	err     error
	watches []Watch
	units   map[tracking.ID]*unit
	jobs    map[tracking.ID]*job
	views   map[*opsSocket]struct{}
	stats   stats
	stale   bool // something may have been missed: read again
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
		f = &fleet{
			hub: h, staff: staff, merchant: merchant, opened: make(chan struct{}),
			units: map[tracking.ID]*unit{}, jobs: map[tracking.ID]*job{}, views: map[*opsSocket]struct{}{},
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
	f.watches = f.hub.feed.Fleet(f.merchant, f.moved, f.changed, f.staffed, f.confirmed)
	defer func() {
		for _, w := range f.watches {
			w.Close()
		}
	}()
	f.awaitWatches(ctx)
	f.load(ctx)
	close(f.opened)
	ticker := time.NewTicker(frameEvery)
	defer ticker.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if f.takeStale() {
			f.load(ctx)
		}
		f.frames(f.hub.now(), n%4 == 0)
	}
}

func (f *fleet) awaitWatches(ctx context.Context) {
	timer := time.NewTimer(openLimit)
	defer timer.Stop()
	for _, w := range f.watches {
		select {
		case <-w.Ready():
		case <-timer.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// load reads the whole fleet; what was announced meanwhile is newer and stays.
func (f *fleet) load(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 2*readLimit)
	defer cancel()
	f.mu.Lock()
	f.heard = map[tracking.ID]bool{}
	f.mu.Unlock()
	onDuty := true
	couriers, err := f.staff.Couriers(ctx, f.merchant, &onDuty, tracking.ID{}, maxFleet)
	var active []tracking.Record
	if err == nil {
		active, err = f.staff.Active(ctx, f.merchant, maxFleet)
	}
	ids := make([]tracking.ID, len(couriers))
	for i, c := range couriers {
		ids[i] = c.ID
	}
	var newest []*tracking.Position
	if err == nil {
		newest, err = f.staff.NewestOf(ctx, ids)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	heard := f.heard
	f.heard = nil
	if err != nil {
		f.err, f.stale = err, true
		return
	}
	f.err = nil
	here := make(map[tracking.ID]bool, len(couriers))
	for i, c := range couriers {
		here[c.ID] = true
		if !heard[c.ID] {
			f.enlist(c)
		}
		if u := f.units[c.ID]; u != nil && newest[i] != nil {
			f.place(u, *newest[i])
		}
	}
	for id, u := range f.units {
		if !here[id] && !heard[id] {
			f.remove(u)
		}
	}
	unfinished := make(map[tracking.ID]bool, len(active))
	for _, r := range active {
		unfinished[r.Delivery.ID] = true
		if !heard[r.Delivery.ID] {
			f.apply(r)
		}
	}
	for id, j := range f.jobs {
		if !unfinished[id] && !heard[id] {
			f.end(id, j)
			f.recount(j.courier)
		}
	}
}

func (f *fleet) takeStale() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	stale := f.stale
	f.stale = false
	return stale
}

// confirmed is called by the feed for each of the fleet's channels.
func (f *fleet) confirmed(live bool) {
	if live {
		f.mu.Lock()
		f.stale = true
		f.mu.Unlock()
	}
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
	f.enlist(c)
}

// hear notes what is announced while the fleet is being read. Called with mu held.
func (f *fleet) hear(id tracking.ID) {
	if f.heard != nil {
		f.heard[id] = true
	}
}

// enlist takes a courier in. Called with mu held.
func (f *fleet) enlist(c tracking.Courier) {
	u := f.units[c.ID]
	switch {
	case u != nil && u.courier.Rev >= c.Rev:
	case !c.OnDuty && u != nil:
		f.remove(u)
	case c.OnDuty && u == nil:
		u = &unit{courier: c}
		f.units[c.ID] = u
		f.recount(c.ID)
		f.dirty(u, true)
	case c.OnDuty:
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

// changed is called by the feed with an announced record.
func (f *fleet) changed(r tracking.Record) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hear(r.Delivery.ID)
	f.apply(r)
}

// apply takes a newer record in, and tells every view of its events. Called with mu held.
func (f *fleet) apply(r tracking.Record) {
	d := r.Delivery
	j := f.jobs[d.ID]
	if j != nil && d.Rev <= j.rev {
		return
	}
	if j == nil && d.Status.Final() && len(r.Events) == 0 {
		return
	}
	var before tracking.ID
	known := d.Ver
	if j != nil {
		before, known = j.courier, j.ver
	} else if len(r.Events) > 0 {
		// Announced, and not known before: made a moment ago, or ended long since by what was read. Its newest event is news either way.
		known = d.Ver - 1
	}
	events := r.EventsAfter(known)
	if j != nil && len(r.Events) == 0 && d.Ver > known {
		// Read, not announced: what was missed is not told by the fleet's lists, but where it has led is.
		events = []tracking.Event{{Ver: d.Ver, Status: d.Status, At: d.UpdatedAt}}
	}
	for _, e := range events {
		for v := range f.views {
			v.event(d, e)
		}
	}
	if d.Status.Final() {
		f.end(d.ID, j)
	} else {
		if j == nil {
			j = &job{}
			f.jobs[d.ID] = j
		}
		j.rev, j.ver, j.status, j.courier, j.until = d.Rev, d.Ver, d.Status, d.CourierID, d.Window.To
	}
	f.recount(before)
	if d.CourierID != before {
		f.recount(d.CourierID)
	}
}

// end takes a delivery that is finished off the map; j is nil when it was not there. Called with mu held.
func (f *fleet) end(id tracking.ID, j *job) {
	delete(f.jobs, id)
	if j != nil && j.late {
		f.alert(j.alert(id, true))
	}
}

// recount counts a courier's stops again. Called with mu held.
func (f *fleet) recount(courier tracking.ID) {
	u := f.units[courier]
	if u == nil {
		return
	}
	stops := 0
	for _, j := range f.jobs {
		if j.courier == courier && j.status.OnRoute() {
			stops++
		}
	}
	if stops != u.stops {
		u.stops = stops
		f.dirty(u, true)
	}
}
