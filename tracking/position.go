package tracking

import (
	"math"
	"time"
)

// Reading is a number that a phone may or may not know.
type Reading struct {
	Value float32
	Known bool
}

// Read makes a known Reading.
func Read(v float64) Reading { return Reading{Value: float32(v), Known: true} }

// Position is one fix. Lat and Lon are WGS 84 degrees, Heading is degrees clockwise from north, Battery is 0..1.
type Position struct {
	RecordedAt time.Time // by the phone's clock, to the millisecond
	Lat, Lon   float64
	AccuracyM  Reading
	SpeedMPS   Reading
	HeadingDeg Reading
	AltitudeM  Reading
	Battery    Reading
	// Suspect is why it cannot be true. A newest fix is never under suspicion.
	Suspect Suspicion
	// Pace is the courier's smoothed speed in metres per second. It is known only in a newest fix, since that is where it is worked out.
	Pace Reading
	// RoundedM is known only in what a customer is shown in place of a fix: how wide the cell is of which it is the middle.
	RoundedM Reading
}

// What a fix may be dated, seen from the server's clock.
const (
	// MaxFuture allows for phones whose clock is ahead. Anything more would hold the marker until that time came.
	MaxFuture = 60 * time.Second
	// MaxAge is how long a phone may have kept a fix for itself.
	MaxAge = 14 * 24 * time.Hour
	// LiveAge is how old a fix may be and still move the marker: what is older is backlog, and a backlog that comes in pieces must
	// not replay on the map.
	LiveAge = 2 * time.Minute
)

// Reject is why one point of a batch was not taken; "" means that it was.
type Reject string

// The reasons. They are the receipt's code.
const (
	RejectMalformed  Reject = "malformed"   // not an object, a field of the wrong type, an unknown field
	RejectCoordinate Reject = "coordinate"  // missing, null, not a number or not on earth
	RejectTime       Reject = "recorded_at" // missing or unreadable
	RejectFuture     Reject = "in_future"
	RejectTooOld     Reject = "too_old"
	RejectReading    Reject = "reading" // an accuracy, speed, heading, altitude or battery that cannot be
	RejectSeq        Reject = "seq"     // not a whole number from 0 up
)

// Rejects lists every reason, so that each can be counted from zero.
var Rejects = []Reject{RejectMalformed, RejectCoordinate, RejectTime, RejectFuture, RejectTooOld, RejectReading, RejectSeq}

// Check says whether a fix may be stored, now being the server's time.
func (p Position) Check(now time.Time) Reject {
	switch {
	case validLatLon("", p.Lat, p.Lon) != nil:
		return RejectCoordinate
	case p.RecordedAt.IsZero():
		return RejectTime
	case p.RecordedAt.Sub(now) > MaxFuture:
		return RejectFuture
	case now.Sub(p.RecordedAt) > MaxAge:
		return RejectTooOld
	case !p.AccuracyM.within(0, 1e7), !p.SpeedMPS.within(0, 1e4), !p.HeadingDeg.within(0, 360),
		!p.AltitudeM.within(-1e5, 1e6), !p.Battery.within(0, 1):
		return RejectReading
	}
	return ""
}

func (r Reading) within(low, high float32) bool {
	return !r.Known || (r.Value >= low && r.Value <= high && !math.IsNaN(float64(r.Value)))
}

// SilentAfter is how long a courier with stops to make may not be heard of before a dispatcher should know.
const SilentAfter = 2 * time.Minute
