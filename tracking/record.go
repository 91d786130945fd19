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

// Revision says how new a record is. The zero Revision is older than any.
type Revision struct{ Epoch, Rev int64 }

// Revision is the record's.
func (r *Record) Revision() Revision { return Revision{r.Epoch, r.Delivery.Rev} }

// NewerThan reports whether r replaces old.
func (r *Record) NewerThan(old *Record) bool {
	return r.Epoch > old.Epoch || (r.Epoch == old.Epoch && r.Delivery.Rev > old.Delivery.Rev)
}

// EventsAfter are the events with a higher ver.
func (r *Record) EventsAfter(ver int64) []Event {
	for i, e := range r.Events {
		if e.Ver > ver {
			return r.Events[i:]
		}
	}
	return nil
}

// UnderwaySince is since when the courier is on the way to this door, without a break; the zero time while they are not.
func (r *Record) UnderwaySince() (since time.Time) {
	for i := len(r.Events) - 1; i >= 0 && r.Events[i].Status.Underway(); i-- {
		since = r.Events[i].At
	}
	return since
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

// Underway is the courier who is on the way with the delivery and on duty, so that where they are says when they will be at the door; the zero ID for
// nobody.
func (r *Record) Underway() ID {
	if !r.Delivery.Status.Underway() || !r.Courier.OnDuty {
		return ID{}
	}
	return r.Delivery.CourierID
}

// Opens reports whether a link of this generation still opens the delivery, when links live so long after its end.
func (r *Record) Opens(generation uint8, life time.Duration, now time.Time) bool {
	d := &r.Delivery
	return d.LinkGen == generation && (d.FinishedAt.IsZero() || now.Sub(d.FinishedAt) < life)
}

// View is what one customer may see of a Record, now.
type View struct {
	Record   *Record
	Why      Why       // Shown when Position may be looked at
	Position *Position // nil when hidden or unknown
	ETA      *ETA      // nil before the courier is on the way, after the end, or without a fix
	// StaleSince is since when the truth cannot be read, so that Record may have changed unseen; zero while it can.
	StaleSince time.Time
}

// See decides what a customer may see: nothing reaches a customer that has not come through here, or through the Aim of which it is made. newest is the
// courier's newest fix, nil when unknown.
func See(r *Record, newest *Position, now time.Time) View {
	aim := r.Aim()
	v := View{Record: r, Why: aim.Why}
	if newest == nil {
		return v
	}
	if eta, expected := aim.Estimate(newest, now); expected {
		v.ETA = &eta
	}
	v.Position = aim.Shows(newest, now, nil)
	return v
}
