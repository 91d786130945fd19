package tracking

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// The numbers that fixes are judged by. What they do to recorded tracks stands in docs/security/positions.md, and a test holds them to it.
const (
	// MaxSpeedMPS is faster than any road allows: 252 km/h.
	MaxSpeedMPS = 70
	// MaxAccuracyM is where a fix says nothing any more about a place in a city.
	MaxAccuracyM = 1000
	// unknownAccuracyM stands for the accuracy of a phone that does not tell.
	unknownAccuracyM = 50
	// accuracySpread is how many accuracies a fix may be off: the accuracy is a radius that two fixes in three keep to, and between high walls it is
	// too hopeful.
	accuracySpread = 3
	// enoughAgree is how many fixes that agree with each other are believed, against the one believed before. Less would let a reflection be believed
	// that comes twice.
	enoughAgree = 3
	// agreeApart is how long after the last of them a fix counts: a burst is one.
	agreeApart = time.Second
	// agreeWithin is how long after the last of them it counts: after an hour everything within a day's drive agrees.
	agreeWithin = 2 * time.Minute
)

// Plausibility judges whether fixes can be true. It is pure arithmetic. Where a courier's newest fix is decided, position.lua judges the same way, and a
// test holds the two together.
type Plausibility struct {
	// MaxSpeedMPS is above which nobody moves; 0 is MaxSpeedMPS. A replay at ten times the speed needs ten times as much.
	MaxSpeedMPS float64
}

// SpeedLimit is in metres per second.
func (r Plausibility) SpeedLimit() float64 { return cmp.Or(r.MaxSpeedMPS, MaxSpeedMPS) }

// Alone judges a fix by what it says of itself; mock is the phone's word that an app made it up.
func (r Plausibility) Alone(p *Position, mock bool) Suspicion {
	switch {
	case mock:
		return SuspectMock
	case p.Lat == 0 && p.Lon == 0 && !p.AccuracyM.Known:
		return SuspectNullIsland
	case p.AccuracyM.Known && p.AccuracyM.Value > MaxAccuracyM:
		return SuspectAccuracy
	case p.SpeedMPS.Known && float64(p.SpeedMPS.Value) > r.SpeedLimit():
		return SuspectSpeed
	}
	return Believed
}

// Whereabouts is what is known of where a courier is when a newer fix is judged. The zero one knows nothing, and the next fix is believed.
type Whereabouts struct {
	Believed *Position // the newest fix that is
	Doubted  *Position // the newest fix since that is not, though nothing that it says of itself is wrong
	Agree    int       // how many fixes up to Doubted agree with each other, Doubted included; 0 without it
}

// Judge says whether a fix that is newer than the believed one is believed too, and what stands then. A fix that is too far from what is believed is
// not, unless it is the third of three that agree: then the courier has come there somehow, or the first fix of all was wrong.
func (r Plausibility) Judge(s Whereabouts, next *Position) (Whereabouts, bool) {
	if s.Believed == nil || r.reaches(s.Believed, next) {
		return Whereabouts{Believed: next}, true
	}
	if s.Agree > 0 {
		since := next.RecordedAt.Sub(s.Doubted.RecordedAt)
		if since < agreeApart {
			return s, false
		}
		if since <= agreeWithin && r.reaches(s.Doubted, next) {
			if s.Agree+1 >= enoughAgree {
				return Whereabouts{Believed: next}, true
			}
			return Whereabouts{s.Believed, next, s.Agree + 1}, false
		}
	}
	return Whereabouts{s.Believed, next, 1}, false
}

// JudgeAll judges fixes in ascending order of time and marks those that are too far from what is believed. What they say of themselves has been judged
// before, and so has what is not newer than the fix believed at first: nothing is known of the time before it.
func (r Plausibility) JudgeAll(s Whereabouts, fixes []Fix) Whereabouts {
	first := s.Believed
	for i := range fixes {
		p := &fixes[i].Position
		if p.Suspect > SuspectTeleport || first != nil && !p.RecordedAt.After(first.RecordedAt) {
			continue
		}
		var believed bool
		s, believed = r.Judge(s, p)
		p.Suspect = SuspectTeleport
		if believed {
			p.Suspect = Believed
		}
	}
	return s
}

// judged is a batch judged by where its courier was: recent are the newest fix that is believed and those since that are not, by ascending time.
func (r Plausibility) judged(b Batch, recent []Position) Batch {
	var s Whereabouts
	for i := range recent {
		if p := &recent[i]; p.Suspect == Believed {
			s = Whereabouts{Believed: p}
		} else if s.Believed != nil {
			s, _ = r.Judge(s, p)
		}
	}
	if s.Believed != nil {
		b.Fixes = slices.Clone(b.Fixes) // whoever gave up waiting for it reads the others
		r.JudgeAll(s, b.Fixes)
	}
	return b
}

// reaches reports whether somebody can have been at both.
func (r Plausibility) reaches(from, to *Position) bool {
	return apartM(from, to) <= r.SpeedLimit()*to.RecordedAt.Sub(from.RecordedAt).Seconds()+accuracySpread*(accuracyOf(from)+accuracyOf(to))
}

func accuracyOf(p *Position) float64 {
	if p.AccuracyM.Known {
		return float64(p.AccuracyM.Value)
	}
	return unknownAccuracyM
}

// apartM is the distance in metres on a map that is flat between the two: the cheapest that a script can work out. It is right within a city, and large
// where what is right is large.
func apartM(a, b *Position) float64 {
	const rad = math.Pi / 180
	east := b.Lon - a.Lon
	if east > 180 {
		east -= 360
	} else if east < -180 {
		east += 360
	}
	x, y := east*math.Cos((a.Lat+b.Lat)/2*rad), b.Lat-a.Lat
	return math.Sqrt(x*x+y*y) * rad * earthRadiusM
}
