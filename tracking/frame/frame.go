// Package frame is the one home of what viewers are sent: the JSON frames of the customer's socket, of its SSE stream and of the snapshot over
// plain HTTP, and those of the live map.
//
//	Record + newest position ──tracking.See──> View ──Snapshot/Changed──> frame
//	Event ──Status──> frame        Position ──AppendPosition──> frame
//
// A frame is encoded once per event and watched thing, never per socket. Only what is named here leaves the server: a customer's frame has
// no field for another customer's stop, and no position that a View does not hold.
package frame

import (
	"encoding/json"
	"strconv"
	"time"

	"hotfoot/tracking"
)

// Time is RFC 3339 in UTC with milliseconds.
type Time time.Time

// MarshalJSON writes the time, or null for the zero time.
func (t Time) MarshalJSON() ([]byte, error) {
	if time.Time(t).IsZero() {
		return []byte("null"), nil
	}
	return appendTime(make([]byte, 0, 28), time.Time(t)), nil
}

// UnmarshalText reads any RFC 3339 time; null and an empty text are the zero time.
func (t *Time) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	parsed, err := time.Parse(time.RFC3339Nano, string(b))
	*t = Time(parsed)
	return err
}

// TimeLayout is how every time is written.
const TimeLayout = "2006-01-02T15:04:05.000Z"

// Place is where something is.
type Place struct {
	Lat     float64 `json:"lat"`
	Lon     float64 `json:"lon"`
	Address string  `json:"address,omitempty"`
	Name    string  `json:"name,omitempty"`
}

// Window is what the merchant promised.
type Window struct {
	From Time `json:"from"`
	To   Time `json:"to"`
}

// ETA is when the courier will be at the door.
type ETA struct {
	At   Time `json:"at"`
	Low  Time `json:"low"`
	High Time `json:"high"`
}

// Proof is what was left at the door.
type Proof struct {
	LeftAt string `json:"left_at,omitempty"`
	Name   string `json:"name,omitempty"`
}

// Event is a status change as a customer sees it: not who made it.
type Event struct {
	Ver    int64  `json:"ver"`
	Status string `json:"status"`
	At     Time   `json:"at"`
	Reason string `json:"reason,omitempty"`
	Proof  *Proof `json:"proof,omitempty"`
}

// Courier is a courier as a customer sees them.
type Courier struct {
	Name    string `json:"name"`
	Vehicle string `json:"vehicle"`
}

type status struct {
	Type   string `json:"type"`
	Epoch  int64  `json:"epoch"`
	Ver    int64  `json:"ver"`
	Status string `json:"status"`
	At     Time   `json:"at"`
	Reason string `json:"reason,omitempty"`
	Proof  *Proof `json:"proof,omitempty"`
}

type changed struct {
	Type        string          `json:"type"`
	Epoch       int64           `json:"epoch"`
	SV          int64           `json:"sv"`
	Visible     bool            `json:"visible"`
	Why         *string         `json:"why"`
	StopsBefore *int            `json:"stops_before"`
	ETA         *ETA            `json:"eta"`
	Position    json.RawMessage `json:"position"`
	Courier     *Courier        `json:"courier"`
	Window      *Window         `json:"window"`
}

// Status is one status change.
func Status(epoch int64, e tracking.Event) []byte {
	return must(status{Type: "status", Epoch: epoch, Ver: e.Ver, Status: string(e.Status), At: Time(e.At), Reason: e.Reason, Proof: proofOf(e.Proof)})
}

// Changed says what a customer may see from now on, when that changed.
func Changed(v tracking.View) []byte {
	r := v.Record
	return must(changed{
		Type: "view", Epoch: r.Epoch, SV: r.Delivery.Ver, Visible: v.Why == tracking.Shown, Why: whyOf(v.Why),
		StopsBefore: stopsBefore(&r.Delivery), ETA: etaOf(v.ETA), Position: positionOf(v.Position), Courier: courierOf(r),
		Window: windowOf(r.Delivery.Window),
	})
}

// AppendTick says that nothing happened, and which ver is the newest; 0 where there is no such thing, as on the live map. It is written by hand because that is
// all that a quiet node says, every few seconds to everybody.
func AppendTick(b []byte, ver int64, live bool, now time.Time) []byte {
	b = append(b, `{"type":"tick"`...)
	if ver != 0 {
		b = strconv.AppendInt(append(b, `,"sv":`...), ver, 10)
	}
	b = strconv.AppendBool(append(b, `,"live":`...), live)
	return append(appendMoment(append(b, `,"server_time":`...), now), '}')
}

// Bye says why the server closes and when to come back; zero when there is no point.
func Bye(code string, retryAfter time.Duration) []byte {
	return must(struct {
		Type         string `json:"type"`
		Code         string `json:"code"`
		RetryAfterMS int64  `json:"retry_after_ms,omitempty"`
	}{"bye", code, retryAfter.Milliseconds()})
}

func etaOf(e *tracking.ETA) *ETA {
	if e == nil {
		return nil
	}
	return &ETA{At: Time(e.At), Low: Time(e.Low), High: Time(e.High)}
}

func stopsBefore(d *tracking.Delivery) *int {
	if !d.Status.OnRoute() {
		return nil
	}
	return &d.StopsBefore
}

func whyOf(w tracking.Why) *string {
	if w == tracking.Shown {
		return nil
	}
	s := string(w)
	return &s
}

func courierOf(r *tracking.Record) *Courier {
	if r.Courier.ID.IsZero() {
		return nil
	}
	return &Courier{Name: r.Courier.Name, Vehicle: string(r.Courier.Vehicle)}
}

func windowOf(w tracking.Window) *Window {
	if w.IsZero() {
		return nil
	}
	return &Window{From: Time(w.From), To: Time(w.To)}
}

func proofOf(p tracking.Proof) *Proof {
	if p == (tracking.Proof{}) {
		return nil
	}
	return &Proof{LeftAt: p.LeftAt, Name: p.Name}
}

// must encodes what cannot fail to encode: no frame holds a channel, a function, a cycle or a NaN.
func must(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("frame: " + err.Error())
	}
	return b
}
