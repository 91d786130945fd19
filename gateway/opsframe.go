package gateway

import (
	"encoding/json"
	"fmt"

	"hotfoot/tracking"
	"hotfoot/tracking/frame"
)

type opsEvent struct {
	DeliveryID string     `json:"delivery_id"`
	CourierID  *string    `json:"courier_id"`
	Ver        int64      `json:"ver"`
	Status     string     `json:"status"`
	At         frame.Time `json:"at"`
}

type opsFrame struct {
	Type     string            `json:"type"`
	N        int64             `json:"n"`
	At       frame.Time        `json:"at"`
	Full     bool              `json:"full,omitempty"`
	Live     *bool             `json:"live,omitempty"` // false while it is polled; else left out
	Couriers []json.RawMessage `json:"couriers"`
	Gone     []tracking.ID     `json:"gone"`
	Clusters *[]cluster        `json:"clusters,omitempty"`
	Events   []opsEvent        `json:"events"`
	Alerts   []alert           `json:"alerts"`
	Stats    stats             `json:"stats"`
}

func idOrNull(id tracking.ID) *string {
	if id.IsZero() {
		return nil
	}
	text := id.String()
	return &text
}

const maxTold = 500 // events in one frame, and alerts; the rest come with the next

// cut splits off as much as goes into one frame.
func cut[T any](all []T) (now, later []T) {
	n := min(len(all), maxTold)
	if n == 0 {
		return []T{}, nil
	}
	return all[:n], all[n:]
}

func encodeFrame(out opsFrame) []byte {
	// It cannot fail: every field is text, a time or a number that was checked.
	text, _ := json.Marshal(out)
	return text
}

func encodeUnit(u *unit, describe bool) []byte {
	b := append(make([]byte, 0, 320), `{"id":"`...)
	b = append(b, u.courier.ID.String()...)
	b = append(b, `",`...)
	fix := frame.PositionObject(*u.newest)
	b = append(b, fix[1:len(fix)-1]...)
	if describe {
		name, _ := json.Marshal(u.courier.Name)
		b = fmt.Appendf(b, `,"name":%s,"vehicle":%q,"stops":%d`, name, u.courier.Vehicle, u.stops)
	}
	return append(b, '}')
}
