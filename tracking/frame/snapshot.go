package frame

import (
	"io"
	"strconv"
	"sync"
	"time"

	"hotfoot/tracking"
)

// Snapshot is everything a customer may know now, with the events after since (0 for all of them). It is written by hand, like a position: each time that
// somebody opens a link it is what the server does most.
func Snapshot(v tracking.View, since int64, live bool, now time.Time) []byte {
	return appendSnapshot(make([]byte, 0, 1024+100*len(v.Record.EventsAfter(since))), v, since, live, now)
}

// snapshots are room for those that are written and not kept. A thousand who ask at once would each have theirs in memory that nobody has touched before,
// and the kernel takes longer to find that than the snapshot takes to write.
var snapshots = sync.Pool{New: func() any { return new([]byte) }}

// WriteSnapshot writes a Snapshot with all events in one piece. Errors are w's.
func WriteSnapshot(w io.Writer, v tracking.View, live bool, now time.Time) error {
	room := snapshots.Get().(*[]byte)
	*room = appendSnapshot((*room)[:0], v, 0, live, now)
	_, err := w.Write(*room)
	if err == nil {
		// Otherwise it is left to the collector: HTTP/2 tells a handler that its stream has ended while the frame may still be read from here, and it would
		// then be somebody else's snapshot.
		snapshots.Put(room)
	}
	return err
}

func appendSnapshot(b []byte, v tracking.View, since int64, live bool, now time.Time) []byte {
	r := v.Record
	d := &r.Delivery
	events := r.EventsAfter(since)
	b = strconv.AppendInt(append(b, `{"type":"snapshot","epoch":`...), r.Epoch, 10)
	b = strconv.AppendInt(append(b, `,"ver":`...), d.Ver, 10)
	b = appendString(append(b, `,"status":`...), string(d.Status))
	b = appendETA(append(b, `,"eta":`...), v.ETA)
	b = append(b, `,"stops_before":`...)
	if before := stopsBefore(d); before != nil {
		b = strconv.AppendInt(b, int64(*before), 10)
	} else {
		b = append(b, null...)
	}
	b = append(b, `,"position":`...)
	if v.Position != nil {
		b = append(appendFix(append(b, '{'), *v.Position), '}')
	} else {
		b = append(b, null...)
	}
	b = strconv.AppendBool(append(b, `,"visible":`...), v.Why == tracking.Shown)
	b = append(b, `,"why":`...)
	if v.Why != tracking.Shown {
		b = appendString(b, string(v.Why))
	} else {
		b = append(b, null...)
	}
	b = appendEvents(append(b, `,"events":`...), events)
	b = appendPlace(append(b, `,"dropoff":`...), &d.Dropoff)
	b = appendPlace(append(b, `,"pickup":`...), &d.Pickup)
	b = append(b, `,"courier":`...)
	if !r.Courier.ID.IsZero() {
		b = appendString(append(b, `{"name":`...), r.Courier.Name)
		b = append(appendString(append(b, `,"vehicle":`...), string(r.Courier.Vehicle)), '}')
	} else {
		b = append(b, null...)
	}
	b = append(appendString(append(b, `,"merchant":{"name":`...), r.Merchant.Name), '}')
	b = append(b, `,"window":`...)
	if !d.Window.IsZero() {
		b = appendMoment(append(b, `{"from":`...), d.Window.From)
		b = append(appendMoment(append(b, `,"to":`...), d.Window.To), '}')
	} else {
		b = append(b, null...)
	}
	b = strconv.AppendBool(append(b, `,"live":`...), live)
	if !v.StaleSince.IsZero() {
		b = appendTime(append(b, `,"stale_since":`...), v.StaleSince)
	}
	b = appendMoment(append(b, `,"server_time":`...), now)
	return append(b, '}')
}

func appendEvents(b []byte, events []tracking.Event) []byte {
	b = append(b, '[')
	for i := range events {
		e := &events[i]
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(append(b, `{"ver":`...), e.Ver, 10)
		b = appendString(append(b, `,"status":`...), string(e.Status))
		b = appendMoment(append(b, `,"at":`...), e.At)
		if e.Reason != "" {
			b = appendString(append(b, `,"reason":`...), e.Reason)
		}
		if proof := proofOf(e.Proof); proof != nil {
			b = append(append(b, `,"proof":`...), must(proof)...)
		}
		b = append(b, '}')
	}
	return append(b, ']')
}

func appendPlace(b []byte, p *tracking.Place) []byte {
	b = appendNumber(append(b, `{"lat":`...), p.Lat)
	b = appendNumber(append(b, `,"lon":`...), p.Lon)
	if p.Address != "" {
		b = appendString(append(b, `,"address":`...), p.Address)
	}
	if p.Name != "" {
		b = appendString(append(b, `,"name":`...), p.Name)
	}
	return append(b, '}')
}

func appendETA(b []byte, eta *tracking.ETA) []byte {
	if eta == nil {
		return append(b, null...)
	}
	b = appendMoment(append(b, `{"at":`...), eta.At)
	b = appendMoment(append(b, `,"low":`...), eta.Low)
	return append(appendMoment(append(b, `,"high":`...), eta.High), '}')
}
