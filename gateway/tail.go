package gateway

import (
	"encoding/binary"
	"time"

	"hotfoot/tracking"
)

// tail is what viewers are told of a delivery's events, in some thirty bytes each. A topic keeps it as long as it is watched, and needs it for newcomers
// alone; events as they are decoded are ten times as large.
type tail []byte

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

// events answers what was packed.
func (t tail) events() (events []tracking.Event) {
	number := func() int64 {
		n, size := binary.Varint(t)
		t = t[size:]
		return n
	}
	text := func() string {
		n, size := binary.Uvarint(t)
		s := string(t[size : size+int(n)])
		t = t[size+int(n):]
		return s
	}
	for len(t) > 0 {
		e := tracking.Event{Ver: number(), At: time.Unix(0, number()).UTC(), Status: tracking.Status(text()), Reason: text()}
		e.Proof = tracking.Proof{LeftAt: text(), Name: text()}
		events = append(events, e)
	}
	return events
}
