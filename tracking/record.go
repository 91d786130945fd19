package tracking

import "time"

// Record is everything a viewer of one delivery needs but the courier's position: it is what is kept hot, and what is announced after
// every change, whole. So an announcement that was lost is made good by the next, and one that repeats changes nothing.
type Record struct {
	Delivery Delivery
	Events   []Event // ascending by Ver; at most MaxEvents of the newest
	Courier  Courier // zero ID when nobody is assigned
	Merchant Merchant
	Epoch    int64
}

// MaxEvents bounds the events that travel with a Record. Even a delivery tried ten times has fewer.
const MaxEvents = 64

// Merchant is a tenant, as far as its customers are concerned.
type Merchant struct {
	ID           ID
	Name         string
	VisibleStops int // a customer sees the courier when at most this many stops come first
}

// Revision says how new a record is. The zero Revision is older than any.
type Revision struct{ Epoch, Rev int64 }

// Revision is the record's.
func (r Record) Revision() Revision { return Revision{r.Epoch, r.Delivery.Rev} }

// NewerThan reports whether r replaces old.
func (r Record) NewerThan(old Record) bool {
	return r.Epoch > old.Epoch || (r.Epoch == old.Epoch && r.Delivery.Rev > old.Delivery.Rev)
}

// EventsAfter are the events with a higher ver.
func (r Record) EventsAfter(ver int64) []Event {
	for i, e := range r.Events {
		if e.Ver > ver {
			return r.Events[i:]
		}
	}
	return nil
}

// Concerned are the couriers whose route a change of this delivery may have changed: its own, and the one it was just taken from.
func (r Record) Concerned() []ID {
	var ids []ID
	if !r.Delivery.CourierID.IsZero() {
		ids = append(ids, r.Delivery.CourierID)
	}
	for _, e := range r.Events[max(0, len(r.Events)-2):] {
		if !e.CourierID.IsZero() && e.CourierID != r.Delivery.CourierID {
			return append(ids, e.CourierID)
		}
	}
	return ids
}

// LinkLife is how long after its end a delivery's link still shows how it ended.
const LinkLife = 7 * 24 * time.Hour

// Opens reports whether a link of this generation still opens the delivery.
func (r Record) Opens(generation uint8, now time.Time) bool {
	d := r.Delivery
	return d.LinkGen == generation && (d.FinishedAt.IsZero() || now.Sub(d.FinishedAt) < LinkLife)
}

// View is what one customer may see of a Record, now.
type View struct {
	Record   Record
	Why      Why       // Shown when Position may be looked at
	Position *Position // nil when hidden or unknown
	ETA      *ETA      // nil before the courier is on the way, after the end, or without a fix
	// StaleSince is since when the truth cannot be read, so that Record may have changed unseen; zero while it can.
	StaleSince time.Time
}

// See decides what a customer may see: nothing reaches a customer that has not come through here, or through Sight, of which it is made. newest is the
// courier's newest fix, nil when unknown.
func See(r Record, newest *Position, now time.Time) View {
	v := View{Record: r}
	eta, expected := ETA{}, false
	v.Why, eta, expected = r.Sight(newest, now)
	if expected {
		v.ETA = &eta
	}
	if expected && v.Why == Shown {
		v.Position = newest
	}
	return v
}

// Sight is how much of the courier may be seen: where they are only if why is Shown and they are expected, and when they will be there only if they
// are expected. It is asked for every fix of everybody who is watched, so it copies nothing.
func (r *Record) Sight(newest *Position, now time.Time) (why Why, eta ETA, expected bool) {
	why = Visibility(r.Delivery, r.Courier.OnDuty, r.Merchant.VisibleStops)
	if newest == nil || !r.Delivery.Status.Underway() || !r.Courier.OnDuty {
		return why, ETA{}, false
	}
	// The range of arrival is shown even while the courier is hidden: it is a promise about the door, not a place.
	return why, Estimate(*newest, r.Courier.Vehicle, r.Delivery.Dropoff, r.Delivery.StopsBefore, now), true
}
