package gateway

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"hotfoot/tracking"
	"hotfoot/tracking/frame"
)

// unit is a courier on the map.
type unit struct {
	courier tracking.Courier
	name    string // in small letters, for who searches
	stops   int
	newest  tracking.Position // the zero one until there is any
	silent  bool
	since   time.Time // silent since
	alarm   alarm

	slot  int32 // a small number of its own while it is on the map; see seen
	place place // as the last tick left it in the index
	found bool  // it is in the index
	// dirty: it is among those that the next tick looks at. retold: because of more than where it is.
	dirty, retold bool

	// What maps are sent of it, encoded when the first of them needs it after it has changed. Empty until then.
	fix, description []byte
}

func newUnit(c tracking.Courier, stops int) *unit {
	return &unit{courier: c, name: strings.ToLower(c.Name), stops: stops}
}

func (u *unit) located() bool { return !u.newest.RecordedAt.IsZero() }

// append writes the courier as a frame has it; described with what a map needs to be told only once.
func (u *unit) append(b []byte, described bool) []byte {
	if len(u.fix) == 0 {
		fix := frame.PositionObject(u.newest)
		u.fix = append(u.fix, `{"id":"`...)
		u.fix = append(u.fix, u.courier.ID.String()...)
		u.fix = append(u.fix, `",`...)
		u.fix = append(u.fix, fix[1:len(fix)-1]...)
	}
	b = append(b, u.fix...)
	if described {
		if len(u.description) == 0 {
			name, _ := json.Marshal(u.courier.Name) // text always encodes
			u.description = fmt.Appendf(u.description, `,"name":%s,"vehicle":%q,"stops":%d`, name, u.courier.Vehicle, u.stops)
		}
		b = append(b, u.description...)
	}
	return append(b, '}')
}
