package gateway

import (
	"time"
)

// news is what a tick has found of one courier, for all maps to look at: side by side in one list, since each of them goes through all of it.
type news struct {
	unit   *unit
	place  place
	retold bool // not only moved
}

// tick makes every map's next frame. The feed waits for nobody's: the fleet is held for all maps only to find what is new, and then for one at a time.
func (f *fleet) tick(now time.Time, second bool) {
	for _, v := range f.find(now, second) {
		v.turn()
		f.mu.Lock()
		if _, there := f.views[v]; there {
			v.next(now, second)
		}
		f.mu.Unlock()
	}
}

// find brings the index and the clusters up to date, and has every map look at what has changed; once a second it also looks for what time alone has
// changed. It answers the maps.
func (f *fleet) find(now time.Time, second bool) []*opsSocket {
	f.mu.Lock()
	defer f.mu.Unlock()
	if second {
		f.age(now)
		f.forgetZooms(now)
	}
	f.settle()
	views := make([]*opsSocket, 0, len(f.views))
	held := 0
	for v := range f.views {
		held += v.look(f.news)
		views = append(views, v)
	}
	f.hub.metrics.conflated.Add(float64(held))
	return views
}

// settle moves what is dirty in the index and the clusters, and makes it news. Called with mu held.
func (f *fleet) settle() {
	clear(f.news)
	f.news = f.news[:0]
	for _, u := range f.dirty {
		retold := u.retold
		u.dirty, u.retold = false, false
		if f.slots[u.slot] != u || !u.located() {
			continue // it has left since, or is nowhere yet
		}
		before, p := u.place, placeOf(u.newest.Lat, u.newest.Lon)
		if u.found {
			f.atlas.move(u.slot, before, p)
		} else {
			f.atlas.add(u.slot, p)
		}
		for _, c := range f.censuses {
			if u.found {
				c.count(before, -1)
			}
			c.count(p, 1)
		}
		u.place, u.found = p, true
		f.news = append(f.news, news{u, p, retold})
	}
	clear(f.dirty)
	f.dirty = f.dirty[:0]
}

// forget takes a courier out of the index and the clusters. Called with mu held.
func (f *fleet) forget(u *unit) {
	if !u.found {
		return
	}
	f.atlas.remove(u.slot, u.place)
	for _, c := range f.censuses {
		c.count(u.place, -1)
	}
}

// census is what is counted for a zoom; it is counted from now on when it was not. Called with mu held.
func (f *fleet) census(zoom int, now time.Time) *census {
	c := f.censuses[zoom]
	if c == nil {
		c = newCensus(zoom)
		for _, u := range f.units {
			if u.found {
				c.count(u.place, 1)
			}
		}
		f.censuses[zoom] = c
	}
	c.askedAt = now
	return c
}

// forgetZooms stops counting for the zooms that nobody has looked at for a while. Called with mu held.
func (f *fleet) forgetZooms(now time.Time) {
	for zoom, c := range f.censuses {
		if now.Sub(c.askedAt) > linger {
			delete(f.censuses, zoom)
		}
	}
}
