package tracking

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"time"
)

// Spot is a place on earth without a name, in WGS 84 degrees.
type Spot struct{ Lat, Lon float64 }

// Leg is a way that a vehicle is asked to go.
type Leg struct {
	Vehicle  Vehicle
	From, To Spot
}

// Road is how far a leg is by road, in metres, and how long it takes.
type Road struct {
	DistanceM float64
	Duration  time.Duration
}

func (l Leg) validate() error {
	if !slices.Contains(Vehicles, l.Vehicle) {
		return Invalid("vehicle", "must be one of foot, bike, scooter, car, van")
	}
	return errors.Join(validLatLon("from.", l.From.Lat, l.From.Lon), validLatLon("to.", l.To.Lat, l.To.Lon))
}

// gridSteps are the steps of the grid in a degree.
const gridSteps = 10_000

// onGrid moves both ends to the nearest points of the grid, each of which has one spelling.
func (l Leg) onGrid() Leg {
	l.From, l.To = l.From.onGrid(), l.To.onGrid()
	return l
}

func (p Spot) onGrid() Spot {
	lat, lon := p.steps()
	return Spot{float64(lat) / gridSteps, float64(lon) / gridSteps}
}

func (p Spot) steps() (lat, lon int32) {
	lat, lon = int32(math.Round(p.Lat*gridSteps)), int32(math.Round(p.Lon*gridSteps))
	if lon == 180*gridSteps {
		lon = -lon // one meridian
	}
	return lat, lon
}

// digest is the SHA-256 of a leg on the grid as one router sees it. No two inputs are written alike: what has no fixed length stands at the end.
func (l Leg) digest(router string) [32]byte {
	b := []byte{1}
	for _, p := range []Spot{l.From, l.To} {
		lat, lon := p.steps()
		b = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(b, uint32(lat)), uint32(lon))
	}
	b = append(b, byte(len(l.Vehicle)))
	b = append(b, l.Vehicle...)
	return sha256.Sum256(append(b, router...))
}

func (l Leg) estimate() Road {
	distance := DistanceM(l.From.Lat, l.From.Lon, l.To.Lat, l.To.Lon) * detour
	return Road{DistanceM: distance, Duration: time.Duration(distance / l.Vehicle.Pace() * float64(time.Second))}
}

// found is what is known about a leg: a road, or that there is none.
type found struct {
	road Road
	ok   bool
	from Answered
}

// foundVersion begins what is kept of a leg; then come metres as a float64 and the duration in ns as an int64, or nothing when there is no road.
const foundVersion = 1

func (f found) encode() []byte {
	b := []byte{foundVersion}
	if !f.ok {
		return b
	}
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, math.Float64bits(f.road.DistanceM)), uint64(f.road.Duration))
}

// decodeFound reads what encode wrote; false for anything else.
func decodeFound(b []byte) (found, bool) {
	if len(b) == 0 || b[0] != foundVersion {
		return found{}, false
	}
	f := found{from: AnsweredKept}
	switch len(b) {
	case 1:
		return f, true
	case 17:
		f.ok = true
		f.road = Road{math.Float64frombits(binary.BigEndian.Uint64(b[1:])), time.Duration(binary.BigEndian.Uint64(b[9:]))}
		return f, f.road.DistanceM >= 0 && !math.IsInf(f.road.DistanceM, 0) && f.road.Duration >= 0
	}
	return found{}, false
}
