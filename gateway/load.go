package gateway

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"hotfoot/tracking"
)

const (
	maxMissed   = 5_000 // deliveries of which a map is told every event it has missed; of more, how they stand now
	recordsRead = 500   // whole records in one query
	takenAtOnce = 1_000 // couriers or records taken in without letting go of the fleet
)

// keepLoaded reads the fleet when the map opens, when something may have been missed, and again and again while nothing can be heard.
func (f *fleet) keepLoaded(ctx context.Context) {
	opening, cancel := context.WithTimeout(ctx, openLimit)
	for _, w := range f.watches {
		await(opening, w)
	}
	cancel()
	for ctx.Err() == nil {
		if f.due(f.hub.now()) {
			f.load(ctx)
		}
		pause(ctx, frameEvery)
	}
}

// due reports whether it is time to read the fleet. Reading tens of thousands is dear, so there is always a pause between two times, and a connection
// that is lost may come back before it is worth the first.
func (f *fleet) due(now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case !f.loaded && f.nextLoad.IsZero():
		return true
	case now.Before(f.nextLoad):
		return false
	case f.connected():
		return f.doubtful
	}
	return !now.Before(f.lostAt.Add(f.hub.config.timing.reload))
}

// connected reports whether every watch is confirmed. Called with mu held.
func (f *fleet) connected() bool {
	return !slices.ContainsFunc(f.watches, func(w Watch) bool { return !w.Live() })
}

// confirmed is called by the feed for each of the fleet's channels.
func (f *fleet) confirmed(live bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.doubtful = true
	if !live {
		f.gaps++
		if f.live {
			f.live, f.lostAt = false, f.hub.now()
		}
	}
}

// doubt has the fleet read soon.
func (f *fleet) doubt() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.doubtful = true
}

// stock is what was read of a fleet.
type stock struct {
	couriers []tracking.Courier
	newest   []*tracking.Position
	active   []tracking.Record
	missed   []tracking.Record // whole
}

// load reads the whole fleet; what was announced meanwhile is newer and stays. The fleet is live afterwards when its watches were confirmed before
// anything was read and have not been lost since.
func (f *fleet) load(ctx context.Context) {
	f.mu.Lock()
	f.heard, f.doubtful = map[tracking.ID]bool{}, false
	confirmed, gaps := f.connected(), f.gaps
	f.mu.Unlock()
	read, err := f.read(ctx)
	if err == nil {
		f.take(read)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.loaded = f.loaded || err == nil
	f.live = err == nil && confirmed && gaps == f.gaps
	f.doubtful = f.doubtful || !f.live
	f.heard = nil
	reload := f.hub.config.timing.reload
	f.nextLoad = f.hub.now().Add(reload + rand.N(reload/4+1))
}

func (f *fleet) read(ctx context.Context) (s stock, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*readLimit)
	defer cancel()
	onDuty := true
	if s.couriers, err = f.staff.Couriers(ctx, f.merchant, &onDuty, tracking.ID{}, maxFleet); err != nil {
		return s, err
	}
	if s.active, err = f.staff.Active(ctx, f.merchant, maxFleet); err != nil {
		return s, err
	}
	for ids := range slices.Chunk(f.missed(s.active), recordsRead) {
		records, err := f.staff.Records(ctx, ids)
		if err != nil {
			return s, err
		}
		s.missed = append(s.missed, records...)
	}
	ids := make([]tracking.ID, len(s.couriers))
	for i, c := range s.couriers {
		ids[i] = c.ID
	}
	s.newest, err = f.staff.NewestOf(ctx, ids)
	return s, err
}

// missed are the deliveries that something happened to unheard: made, moved on, or ended. When the map opens nothing counts as missed.
func (f *fleet) missed(active []tracking.Record) (ids []tracking.ID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.loaded {
		return nil
	}
	unfinished := make(map[tracking.ID]bool, len(active))
	for _, r := range active {
		unfinished[r.Delivery.ID] = true
		if j := f.jobs[r.Delivery.ID]; j == nil || j.ver < r.Delivery.Ver {
			ids = append(ids, r.Delivery.ID)
		}
	}
	for id := range f.jobs {
		if !unfinished[id] {
			ids = append(ids, id)
		}
	}
	return ids[:min(len(ids), maxMissed)]
}

// take takes in what was read, a piece at a time: the feed and the maps do not wait for all of it.
func (f *fleet) take(read stock) {
	here := make(map[tracking.ID]bool, len(read.couriers))
	newest := read.newest
	inPieces(f, read.couriers, func(c tracking.Courier) {
		here[c.ID] = true
		if !f.heard[c.ID] {
			f.enlist(c)
		}
		if u := f.units[c.ID]; u != nil && newest[0] != nil {
			f.place(u, *newest[0])
		}
		newest = newest[1:]
	})
	inPieces(f, f.absent(here), func(u *unit) {
		if id := u.courier.ID; f.units[id] == u && !f.heard[id] {
			f.remove(u)
		}
	})
	inPieces(f, read.missed, func(r tracking.Record) { f.apply(r, 0) })
	unfinished := make(map[tracking.ID]bool, len(read.active))
	inPieces(f, read.active, func(r tracking.Record) {
		unfinished[r.Delivery.ID] = true
		if !f.heard[r.Delivery.ID] {
			f.apply(r, r.Delivery.Ver)
		}
	})
	f.mu.Lock()
	defer f.mu.Unlock()
	for id, j := range f.jobs {
		if !unfinished[id] && !f.heard[id] {
			f.end(id, j.revision)
		}
	}
}

// absent are the couriers on the map who are not here.
func (f *fleet) absent(here map[tracking.ID]bool) (absent []*unit) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for id, u := range f.units {
		if !here[id] {
			absent = append(absent, u)
		}
	}
	return absent
}

// inPieces calls do for each, with mu held for a millisecond's worth of them at a time.
func inPieces[T any](f *fleet, all []T, do func(T)) {
	for some := range slices.Chunk(all, takenAtOnce) {
		f.mu.Lock()
		for _, one := range some {
			do(one)
		}
		f.mu.Unlock()
	}
}
