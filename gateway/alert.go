package gateway

import (
	"slices"
	"time"

	"hotfoot/tracking"
	"hotfoot/tracking/frame"
)

type alert struct {
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
func (f *fleet) alert(a alert) {
	f.stand = nil
	text := encode(a)
	for v := range f.views {
		if v.asks.Load() {
			v.alerts = append(v.alerts, text)
		}
	}
}

func (u *unit) alert(over bool) alert {
	return alert{Kind: "silent", CourierID: idOrNull(u.courier.ID), Since: frame.Time(u.since), Over: over}
}

func (j *job) alert(delivery tracking.ID, over bool) alert {
	return alert{Kind: "late", DeliveryID: idOrNull(delivery), CourierID: idOrNull(j.courier), Since: frame.Time(j.until), Over: over}
}

// standing are the alerts that hold now, for a map that starts over; collected once for all maps, until one of them changes. Called with mu held.
func (f *fleet) standing() [][]byte {
	if f.stand == nil {
		f.stand = [][]byte{}
		for _, u := range f.slots {
			if u != nil && u.silent {
				f.stand = append(f.stand, encode(u.alert(false)))
			}
		}
		for id, j := range f.jobs {
			if j.late {
				f.stand = append(f.stand, encode(j.alert(id, false)))
			}
		}
	}
	return slices.Clip(f.stand)
}
