package tracking

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"slices"
	"time"
)

// Event is a status change. Ver numbers a delivery's events 1, 2, 3 … without holes.
type Event struct {
	Ver       int64
	Status    Status
	At        time.Time // the server's time: the only one that orders
	DeviceAt  time.Time // when the phone says it happened; zero when not given
	Actor     Actor
	CourierID ID // the delivery's courier at the time, zero for none; for an unassignment the one it was taken from
	ClientID  string
	Hash      [32]byte // of what was asked; only with ClientID
	Reason    string
	Proof     Proof
	Where     *Position // nil when not given
}

// Proof is what the courier left behind at the door.
type Proof struct{ LeftAt, Name string }

// Move asks for a status change.
type Move struct {
	To       Status
	ClientID string // identifies a retry; empty for a merchant's own moves
	DeviceAt time.Time
	Reason   string
	Proof    Proof
	Where    *Position
	Actor    Actor
}

// Validate checks the rules that need no store. The error is CodeInvalid and names the field.
func (m Move) Validate() error {
	if !m.To.Known() {
		return Invalid("status", "unknown status %q", m.To)
	}
	for _, f := range []struct {
		path, text string
		max        int
	}{
		{"client_event_id", m.ClientID, 100},
		{"reason", m.Reason, 500},
		{"proof.left_at", m.Proof.LeftAt, 200},
		{"proof.name", m.Proof.Name, 200},
	} {
		if err := validText(f.path, f.text, f.max); err != nil {
			return err
		}
	}
	if m.Where != nil {
		return validLatLon("position.", m.Where.Lat, m.Where.Lon)
	}
	return nil
}

// Fingerprint is the SHA-256 of everything the phone said, each part length-prefixed so that no two requests share one.
func (m Move) Fingerprint() [32]byte {
	h := sha256.New()
	part := func(s string) {
		var n [4]byte
		binary.BigEndian.PutUint32(n[:], uint32(len(s)))
		h.Write(n[:])
		h.Write([]byte(s))
	}
	part(string(m.To))
	part(m.Reason)
	part(m.Proof.LeftAt)
	part(m.Proof.Name)
	var num [8]byte
	binary.BigEndian.PutUint64(num[:], uint64(m.DeviceAt.UnixMilli()))
	h.Write(num[:])
	if m.Where != nil {
		for _, v := range []uint64{math.Float64bits(m.Where.Lat), math.Float64bits(m.Where.Lon), uint64(m.Where.RecordedAt.UnixMilli())} {
			binary.BigEndian.PutUint64(num[:], v)
			h.Write(num[:])
		}
	}
	return [32]byte(h.Sum(nil))
}

// Apply moves a delivery, by the rules of status.go. It answers the changed delivery and its event, or an Error:
// CodeIllegalMove, naming what is allowed.
func (d Delivery) Apply(m Move, now time.Time) (Delivery, Event, error) {
	if !d.Status.CanBecome(m.To) {
		return d, Event{}, illegal(d.Status, m)
	}
	event := Event{
		Ver: d.Ver + 1, Status: m.To, At: now, DeviceAt: m.DeviceAt, Actor: m.Actor, CourierID: d.CourierID,
		ClientID: m.ClientID, Reason: m.Reason, Proof: m.Proof, Where: m.Where,
	}
	if m.ClientID != "" {
		event.Hash = m.Fingerprint()
	}
	d.Status, d.Ver, d.UpdatedAt = m.To, event.Ver, now
	if m.To.Final() {
		d.FinishedAt = now
	}
	if m.To == Created {
		d.CourierID = ID{}
	}
	return d, event, nil
}

func illegal(from Status, m Move) *Error {
	allowed := from.Moves()
	if m.Actor.Role == RoleCourier {
		allowed = slices.DeleteFunc(allowed, func(s Status) bool { return !s.ByCourier() })
	}
	err := Errorf(CodeIllegalMove, "a delivery that is %s cannot become %s", from, m.To)
	switch {
	case from.Final():
		err.Message += "; " + string(from) + " is final"
	case len(allowed) == 0:
		err.Message += "; nothing is allowed to you now"
	default:
		err.Message += "; allowed now:"
		for i, s := range allowed {
			if i > 0 {
				err.Message += ","
			}
			err.Message += " " + string(s)
		}
	}
	return err
}
