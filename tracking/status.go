package tracking

import "slices"

// Status is where a delivery stands.
type Status string

// The statuses, in the order of an uneventful delivery, then the ways it can end otherwise.
const (
	Created   Status = "created"
	Assigned  Status = "assigned"
	PickedUp  Status = "picked_up"
	EnRoute   Status = "en_route"
	Arriving  Status = "arriving"
	Delivered Status = "delivered"
	Failed    Status = "failed"
	Cancelled Status = "cancelled"
	Returned  Status = "returned"
)

// moves is the whole of what may happen to a delivery. Nothing else in the product knows it.
var moves = map[Status][]Status{
	Created:   {Assigned, Cancelled},
	Assigned:  {PickedUp, Created, Cancelled},
	PickedUp:  {EnRoute, Failed, Cancelled},
	EnRoute:   {Arriving, Failed},
	Arriving:  {Delivered, EnRoute, Failed},
	Failed:    {EnRoute, Returned},
	Delivered: {},
	Cancelled: {},
	Returned:  {},
}

// Statuses lists every status once.
var Statuses = []Status{Created, Assigned, PickedUp, EnRoute, Arriving, Delivered, Failed, Cancelled, Returned}

// Known reports whether s is a status at all.
func (s Status) Known() bool { _, ok := moves[s]; return ok }

// Moves are the statuses that may follow s.
func (s Status) Moves() []Status { return slices.Clone(moves[s]) }

// CanBecome reports whether next may follow s.
func (s Status) CanBecome(next Status) bool { return slices.Contains(moves[s], next) }

// Final reports whether nothing can follow s.
func (s Status) Final() bool { return s.Known() && len(moves[s]) == 0 }

// Underway reports whether the courier is on the way to this very door.
func (s Status) Underway() bool { return s == EnRoute || s == Arriving }

// OnRoute reports whether the delivery is an unfinished stop of its courier, so that it counts as a stop before the later
// ones. A failed one does not: it waits for a second try.
func (s Status) OnRoute() bool { return s == Assigned || s == PickedUp || s.Underway() }

// ByCourier reports whether a courier may report s; the other statuses are the merchant's to decide.
func (s Status) ByCourier() bool {
	return s == PickedUp || s.Underway() || s == Delivered || s == Failed || s == Returned
}
