package fleet

import (
	"math"
	"time"

	"hotfoot/cmd/hotfoot/client"
)

// Fix is one reading of the phone's sensors. Heading is negative while standing.
type Fix struct {
	Point
	Accuracy, Speed, Heading, Battery float64

	truth Point // where the phone really was: what the noise is measured against
}

// position writes a fix as the API wants it. A sped-up courier does not report its speed: it would be smaller than
// what its points show.
func (f *Fleet) position(fix Fix, at time.Time) client.Position {
	p := client.Position{RecordedAt: at, Lat: round(fix.Lat, 1e6), Lon: round(fix.Lon, 1e6)}
	p.AccuracyM, p.Battery = ptr(round(fix.Accuracy, 10)), ptr(round(fix.Battery, 100))
	if fix.Heading >= 0 {
		p.HeadingDeg = ptr(min(round(fix.Heading, 10), 359.9))
	}
	if f.cfg.Speed == 1 {
		p.SpeedMPS = ptr(round(fix.Speed, 100))
	}
	return p
}

// round keeps as many decimals as phones send: more would be invented, and travel with every point.
func round(v, scale float64) float64 { return math.Round(v*scale) / scale }

func ptr(v float64) *float64 { return &v }
