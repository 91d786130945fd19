package tracking

import (
	"crypto/rand"
	"encoding/hex"
	"time"
)

// ID is a UUID, version 7 when made here (RFC 9562 section 5.7): it sorts by the time it was made. The zero ID means "none".
type ID [16]byte

// NewID makes an ID for now.
func NewID() ID { return newIDAt(time.Now()) }

func newIDAt(t time.Time) ID {
	var id ID
	// crypto/rand never fails: it ends the process instead.
	_, _ = rand.Read(id[6:])
	ms := uint64(t.UnixMilli())
	for i := range 6 {
		id[i] = byte(ms >> (8 * (5 - i)))
	}
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	return id
}

// Unsure is how far the clocks of nodes may be apart, together with the longest transaction: an id that is older than this by any node's clock is of
// something that is there by now, or never will be.
const Unsure = 5 * time.Minute

// MadeAt is when an ID was made, to the millisecond, by the clock of the node that made it. ours is false for one that NewID cannot have made.
func (id ID) MadeAt() (at time.Time, ours bool) {
	var ms int64
	for _, b := range id[:6] {
		ms = ms<<8 | int64(b)
	}
	return time.UnixMilli(ms), id[6]>>4 == 7 && id[8]>>6 == 2
}

// ParseID reads the canonical text form, in either case. Nothing else is an id: no braces, no urn, no missing hyphens, since
// one id must have one spelling in keys and logs.
func ParseID(s string) (ID, error) {
	var id ID
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return ID{}, Errorf(CodeInvalid, "not an id: want a UUID such as 01920000-0000-7000-8000-000000000000")
	}
	digits := make([]byte, 0, 32)
	for _, part := range []string{s[:8], s[9:13], s[14:18], s[19:23], s[24:]} {
		digits = append(digits, part...)
	}
	if _, err := hex.Decode(id[:], digits); err != nil {
		return ID{}, Errorf(CodeInvalid, "not an id: want a UUID such as 01920000-0000-7000-8000-000000000000")
	}
	return id, nil
}

// String is the canonical lower-case form.
func (id ID) String() string {
	var room [36]byte
	return string(id.Append(room[:0]))
}

// Append adds the canonical form to b.
func (id ID) Append(b []byte) []byte {
	b = hex.AppendEncode(b, id[:4])
	for _, part := range [][]byte{id[4:6], id[6:8], id[8:10], id[10:]} {
		b = hex.AppendEncode(append(b, '-'), part)
	}
	return b
}

// IsZero reports whether there is no id.
func (id ID) IsZero() bool { return id == ID{} }

// MarshalText and UnmarshalText let an ID stand in any text format.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText is ParseID.
func (id *ID) UnmarshalText(b []byte) error {
	parsed, err := ParseID(string(b))
	if err != nil {
		return err
	}
	*id = parsed
	return nil
}
