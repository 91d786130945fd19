package gateway

import (
	"slices"
	"time"

	"hotfoot/tracking"
	"hotfoot/tracking/frame"
)

// alert is something that a dispatcher should know of, or that it is over, encoded once for all maps. Of each kind a courier or a delivery has one at most.
type alert struct {
	text []byte
	over bool
	of   *alarm
}

// alarm is what a courier or a delivery has for its alerts. Its fields belong to untold, from one call to the next.
type alarm struct {
	turn  int64 // of untold, that looked at it last
	known bool  // it stands on the map
	last  int   // the place of its newest alert
}

// alertText is how an alert is told.
type alertText struct {
	Kind       string     `json:"kind"`
	CourierID  *string    `json:"courier_id"`
	DeliveryID *string    `json:"delivery_id"`
	Since      frame.Time `json:"since"`
	Over       bool       `json:"over,omitempty"`
}

// age finds what time alone has changed: who fell silent, and what is late. It looks at everybody, twenty thousand in a millisecond or two: a heap of due
// times would have to be put in order with every position. Called with mu held.
func (f *fleet) age(now time.Time) {
	s := stats{CouriersOnDuty: len(f.units), Active: len(f.jobs)}
	for _, u := range f.slots {
		if u == nil {
			continue
		}
		silent := u.stops > 0 && (!u.located() || now.Sub(u.newest.RecordedAt) > tracking.SilentAfter)
		if silent {
			s.Silent++
		}
		if silent != u.silent {
			u.silent = silent
			if silent {
				u.since = now
				if u.located() {
					u.since = u.newest.RecordedAt
				}
			}
			f.alert(u.alert(!silent))
		}
	}
	for id, j := range f.jobs {
		if j.status == tracking.Created {
			s.Unassigned++
		}
		late := !j.until.IsZero() && now.After(j.until)
		if late {
			s.Late++
		}
		if late != j.late {
			j.late = late
			f.alert(j.alert(id, !late))
		}
	}
	f.stats = s
}

// alert tells every map that shows something; one that does not is told what stands when it does. Called with mu held.
func (f *fleet) alert(a *alert) {
	f.stand = nil
	for v := range f.views {
		if v.asks.Load() {
			v.alerts = append(v.alerts, a)
		}
	}
}

// untold are the alerts that wait for a map, without those that it need not be told: of each courier and delivery the newest is left, and none when it is
// over what the map was never told. So a whole fleet may fall silent and come back: what waits is never more than there are couriers and
// deliveries. Called with mu held.
func (f *fleet) untold(alerts []*alert) []*alert {
	f.turns++
	for i, a := range alerts {
		if a.of.turn != f.turns {
			a.of.turn, a.of.known = f.turns, a.over
		}
		a.of.last = i
	}
	left := make([]*alert, 0, len(alerts))
	for i, a := range alerts {
		if a.of.last == i && (a.of.known || !a.over) {
			left = append(left, a)
		}
	}
	return left
}

func (u *unit) alert(over bool) *alert {
	return &alert{over: over, of: &u.alarm, text: encode(alertText{Kind: "silent", CourierID: idOrNull(u.courier.ID), Since: frame.Time(u.since), Over: over})}
}

func (j *job) alert(delivery tracking.ID, over bool) *alert {
	return &alert{over: over, of: &j.alarm, text: encode(alertText{
		Kind: "late", DeliveryID: idOrNull(delivery), CourierID: idOrNull(j.courier), Since: frame.Time(j.until), Over: over,
	})}
}

// standing are the alerts that hold now, for a map that starts over; collected once for all maps, until one of them changes. Called with mu held.
func (f *fleet) standing() []*alert {
	if f.stand == nil {
		f.stand = []*alert{}
		for _, u := range f.slots {
			if u != nil && u.silent {
				f.stand = append(f.stand, u.alert(false))
			}
		}
		for id, j := range f.jobs {
			if j.late {
				f.stand = append(f.stand, j.alert(id, false))
			}
		}
	}
	return slices.Clip(f.stand)
}
