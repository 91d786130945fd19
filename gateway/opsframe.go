package gateway

import (
	"encoding/json"
	"strconv"
	"time"

	"hotfoot/tracking"
	"hotfoot/tracking/frame"
)

const maxTold = 500 // events in one frame, and alerts; the rest come with the next

// draft is a frame of the live map that is being written:
//
//	{"type":"frame","n":7,"at":"…","full":true,"live":false,"couriers":[…],"gone":[…],"clusters":[…],"events":[…],"alerts":[…],"stats":{…}}
//
// full is left out when it is not, live when it is, clusters when they are as they were. One draft serves all maps of a fleet, one after the other, so
// that a frame costs no more memory than what is sent.
type draft struct {
	text     []byte
	head     int    // bytes before the couriers
	clusters []byte // a list; empty to leave it out
	events   []byte // without brackets, as alerts
	alerts   []byte
	stats    stats
}

func (d *draft) begin(now time.Time, n int64, full, live bool) {
	b := strconv.AppendInt(append(d.text[:0], `{"type":"frame","n":`...), n, 10)
	at, _ := frame.Time(now).MarshalJSON() // a time always encodes
	b = append(append(b, `,"at":`...), at...)
	if full {
		b = append(b, `,"full":true`...)
	}
	if !live {
		b = append(b, `,"live":false`...)
	}
	b = append(b, `,"couriers":[`...)
	d.text, d.head = b, len(b)
}

// tell writes as much as goes into one frame, in place of what was written before, and answers the rest.
func tell[T any](b []byte, all []T, text func(T) []byte) (told []byte, later []T) {
	b = b[:0]
	n := min(len(all), maxTold)
	for i, one := range all[:n] {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, text(one)...)
	}
	if n == len(all) {
		return b, nil
	}
	return b, all[n:]
}

// size is how long the frame will be without its couriers, to a few bytes.
func (d *draft) size(gone int) int {
	const goneSize, statsSize, namesSize = 39, 90, 60
	return d.head + gone*goneSize + len(d.clusters) + len(d.events) + len(d.alerts) + statsSize + namesSize
}

// written is how many bytes of couriers there are.
func (d *draft) written() int { return len(d.text) - d.head }

func (d *draft) courier(u *unit, described bool) {
	if d.written() > 0 {
		d.text = append(d.text, ',')
	}
	d.text = u.append(d.text, described)
}

// end answers the whole frame. It is good until the next one begins.
func (d *draft) end(gone map[tracking.ID]struct{}) []byte {
	b := append(d.text, `],"gone":[`...)
	first := true
	for id := range gone {
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(append(append(b, '"'), id.String()...), '"')
	}
	b = append(b, ']')
	if len(d.clusters) > 0 {
		b = append(append(b, `,"clusters":`...), d.clusters...)
	}
	b = append(append(b, `,"events":[`...), d.events...)
	b = append(append(b, `],"alerts":[`...), d.alerts...)
	b = append(append(b, `],"stats":`...), encode(d.stats)...)
	d.text = append(b, '}')
	return d.text
}

type opsEvent struct {
	DeliveryID string     `json:"delivery_id"`
	CourierID  *string    `json:"courier_id"`
	Ver        int64      `json:"ver"`
	Status     string     `json:"status"`
	At         frame.Time `json:"at"`
}

// tellEvent tells every map of an event. One that shows nothing yet has not missed anything, and need not be kept waiting things for. Called with mu
// held.
func (f *fleet) tellEvent(d tracking.Delivery, e tracking.Event) {
	var text []byte
	for v := range f.views {
		if !v.asks.Load() {
			continue
		}
		if text == nil {
			text = encode(opsEvent{
				DeliveryID: d.ID.String(), CourierID: idOrNull(d.CourierID), Ver: e.Ver, Status: string(e.Status), At: frame.Time(e.At),
			})
		}
		v.events = append(v.events, text)
	}
}

func idOrNull(id tracking.ID) *string {
	if id.IsZero() {
		return nil
	}
	text := id.String()
	return &text
}

// encode is for what cannot fail to encode: text, times and numbers.
func encode(v any) []byte {
	text, _ := json.Marshal(v)
	return text
}
