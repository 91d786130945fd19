package gateway

import (
	"time"

	"hotfoot/tracking"
)

// job is an unfinished delivery, as far as the map is concerned.
type job struct {
	revision tracking.Revision
	ver      int64
	status   tracking.Status
	courier  tracking.ID
	until    time.Time // the end of what was promised; zero for nothing
	late     bool
	alarm    alarm
}

// carrier is whose stop it is; zero for nobody's.
func (j *job) carrier() tracking.ID {
	if j == nil || !j.status.OnRoute() {
		return tracking.ID{}
	}
	return j.courier
}

func newer(a, b tracking.Revision) bool {
	return a.Epoch > b.Epoch || a.Epoch == b.Epoch && a.Rev > b.Rev
}

// endings remembers the deliveries that ended last, so that an announcement of an end that comes again is no news: the bound is a busy merchant's
// day, and what was forgotten costs a line said twice.
type endings struct {
	at   map[tracking.ID]tracking.Revision
	line []tracking.ID // the oldest first
}

const maxEndings = 20_000

func (e *endings) add(id tracking.ID, revision tracking.Revision) {
	if e.at == nil {
		e.at = map[tracking.ID]tracking.Revision{}
	}
	if _, known := e.at[id]; !known {
		e.line = append(e.line, id)
	}
	e.at[id] = revision
	if len(e.line) > maxEndings {
		delete(e.at, e.line[0])
		e.line = e.line[1:]
	}
}

// changed is called by the feed with an announced record.
func (f *fleet) changed(r tracking.Record) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hear(r.Delivery.ID)
	// Not known before: it was made a moment ago, or its end was read before it was announced. Its newest event is news either way.
	f.apply(r, r.Delivery.Ver-1)
}

// apply takes a newer record in, and tells every view of its events. known is the last event of a delivery not seen before that is no news. Called
// with mu held.
func (f *fleet) apply(r tracking.Record, known int64) {
	d := r.Delivery
	j := f.jobs[d.ID]
	if j != nil {
		if !newer(r.Revision(), j.revision) {
			return
		}
		known = j.ver
	} else if ended, found := f.ended.at[d.ID]; found && !newer(r.Revision(), ended) {
		return
	}
	events := r.EventsAfter(known)
	if j != nil && len(r.Events) == 0 && d.Ver > known {
		// Of too many that changed unheard to read them whole; where it has led is told all the same.
		events = []tracking.Event{{Ver: d.Ver, Status: d.Status, At: d.UpdatedAt}}
	}
	for _, e := range events {
		f.tellEvent(d, e)
	}
	if d.Status.Final() {
		f.end(d.ID, r.Revision())
		return
	}
	before := j.carrier()
	if j == nil {
		j = &job{}
		f.jobs[d.ID] = j
	}
	j.revision, j.ver, j.status, j.courier, j.until = r.Revision(), d.Ver, d.Status, d.CourierID, d.Window.To
	f.carry(before, j.carrier())
}

// end takes a delivery off the map that is finished, or was not there to begin with. Called with mu held.
func (f *fleet) end(id tracking.ID, revision tracking.Revision) {
	f.ended.add(id, revision)
	j := f.jobs[id]
	if j == nil {
		return
	}
	delete(f.jobs, id)
	if j.late {
		f.alert(j.alert(id, true))
	}
	f.carry(j.carrier(), tracking.ID{})
}

// carry counts a stop for another courier than before. Called with mu held.
func (f *fleet) carry(before, now tracking.ID) {
	if before == now {
		return
	}
	f.count(before, -1)
	f.count(now, 1)
}

func (f *fleet) count(courier tracking.ID, by int) {
	if courier.IsZero() {
		return
	}
	f.stops[courier] += by
	if u := f.units[courier]; u != nil {
		u.stops = f.stops[courier]
		f.retell(u)
	}
	if f.stops[courier] == 0 {
		delete(f.stops, courier)
	}
}
