package gateway

import (
	"encoding/binary"
	"time"

	"hotfoot/tracking"
)

// tail is what viewers are told of a delivery's events, in some thirty bytes each. A topic keeps it as long as it is watched, and needs it for newcomers
// alone; events as they are decoded are ten times as large.
type tail []byte

// usualEvents is what a delivery has when it ends as it should.
const usualEvents = 8

func packTail(events []tracking.Event) tail {
	var b tail
	for _, e := range events {
		b = binary.AppendVarint(b, e.Ver)
		b = binary.AppendVarint(b, e.At.UnixNano())
		for _, text := range []string{string(e.Status), e.Reason, e.Proof.LeftAt, e.Proof.Name} {
			b = append(binary.AppendUvarint(b, uint64(len(text))), text...)
		}
	}
	return append(make(tail, 0, len(b)), b...)
}

// after answers the events with a higher ver than what is known already; of the others nothing is made.
func (t tail) after(known int64) (events []tracking.Event) {
	number := func() int64 {
		n, size := binary.Varint(t)
		t = t[size:]
		return n
	}
	text := func() []byte {
		n, size := binary.Uvarint(t)
		s := t[size : size+int(n)]
		t = t[size+int(n):]
		return s
	}
	for len(t) > 0 {
		ver, at, status, reason, leftAt, name := number(), number(), text(), text(), text(), text()
		if ver <= known {
			continue
		}
		if events == nil {
			events = make([]tracking.Event, 0, usualEvents)
		}
		events = append(events, tracking.Event{
			Ver: ver, At: time.Unix(0, at).UTC(), Status: tracking.Status(status), Reason: string(reason), Proof: tracking.Proof{LeftAt: string(leftAt), Name: string(name)},
		})
	}
	return events
}
