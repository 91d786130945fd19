package tracking

import "time"

// Aim is what a record says about its courier's fixes: what a customer may see of them, and where they lead. Every fix goes through it on its way to a
// customer, be it by socket, stream, page or poll. It is asked for every fix of everybody who is watched, so it is small.
type Aim struct {
	Why      Why           // Shown when fixes may be looked at
	Expected bool          // they lead to the door, so that they say when the courier will be there, even while they are hidden
	Delay    time.Duration // how old they must be to be looked at
	gridM    float64       // how wide the cells are in which they are shown; 0 for the very place
	zones    []Zone        // where they are not
	usual    float64
	lat, lon float64
	stops    int
}

// Aim is the record's.
func (r *Record) Aim() Aim {
	d := &r.Delivery
	a := Aim{
		Why:      Visibility(d, r.Courier.OnDuty, &r.Merchant).why(),
		Expected: d.Status.Underway() && r.Courier.OnDuty,
		Delay:    r.Merchant.Delay,
		zones:    r.Courier.HiddenZones,
		usual:    r.Courier.Vehicle.Pace(), lat: d.Dropoff.Lat, lon: d.Dropoff.Lon, stops: d.StopsBefore,
	}
	if d.StopsBefore > 0 {
		a.gridM = float64(r.Merchant.RoundingM)
	}
	return a
}

// Shows answers what a customer may see of a fix now: the fix itself, the middle of its cell, in room unless that is nil, or nil. It copies no fix that
// may be seen as it is, since there is one every few milliseconds.
func (a *Aim) Shows(p *Position, now time.Time, room *Position) *Position {
	switch {
	case a.Why != Shown || a.early(p, now) || a.hides(p):
		return nil
	case a.gridM > 0:
		if room == nil {
			room = new(Position)
		}
		*room = coarse(p, a.gridM)
		return room
	}
	return p
}

// hintM is how wide the cells are from which an arrival is worked out while the courier may not be seen.
const hintM = 500

// Estimate says when the courier will be at the door, as far as a fix may tell a customer: an arrival to the millisecond is a distance to the metre. It is
// worked out from what they may see of the fix; of one that they may not see yet, or not any more, from half a kilometre around it; and of one in a
// hidden zone not at all.
func (a *Aim) Estimate(p *Position, now time.Time) (ETA, bool) {
	grid := a.gridM
	switch {
	case !a.Expected || a.hides(p):
		return ETA{}, false
	case a.Why != Shown || a.early(p, now):
		grid = max(grid, hintM)
	}
	if grid == 0 {
		return estimate(p, a.usual, a.lat, a.lon, a.stops, now), true
	}
	from := coarse(p, grid)
	return estimate(&from, a.usual, a.lat, a.lon, a.stops, now), true
}

// SameSight reports whether two aims show the same of a fix.
func (a *Aim) SameSight(b *Aim) bool {
	if a.Why != b.Why || a.Delay != b.Delay || a.gridM != b.gridM || len(a.zones) != len(b.zones) {
		return false
	}
	for i := range a.zones {
		if a.zones[i] != b.zones[i] {
			return false
		}
	}
	return true
}

func (a *Aim) early(p *Position, now time.Time) bool {
	return a.Delay > 0 && now.Sub(p.RecordedAt) < a.Delay
}

func (a *Aim) hides(p *Position) bool {
	for _, z := range a.zones {
		if z.holds(p) {
			return true
		}
	}
	return false
}
