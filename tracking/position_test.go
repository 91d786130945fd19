package tracking

import (
	"math"
	"testing"
	"time"
)

func TestPosition_Check(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	with := func(change func(*Position)) Position {
		p := Position{RecordedAt: now, Lat: 37.7, Lon: -122.4}
		change(&p)
		return p
	}
	reading := func(v float64, of func(*Position) *Reading) Position {
		return with(func(p *Position) { *of(p) = Read(v) })
	}
	accuracy := func(p *Position) *Reading { return &p.AccuracyM }
	speed := func(p *Position) *Reading { return &p.SpeedMPS }
	heading := func(p *Position) *Reading { return &p.HeadingDeg }
	altitude := func(p *Position) *Reading { return &p.AltitudeM }
	battery := func(p *Position) *Reading { return &p.Battery }
	for _, c := range []struct {
		what string
		p    Position
		want Reject
	}{
		{"0, 0 is a place", with(func(p *Position) { p.Lat, p.Lon = 0, 0 }), ""},
		{"the poles and the date line", with(func(p *Position) { p.Lat, p.Lon = -90, 180 }), ""},
		{"beyond the pole", with(func(p *Position) { p.Lat = math.Nextafter(90, 91) }), RejectCoordinate},
		{"beyond the date line", with(func(p *Position) { p.Lon = math.Nextafter(-180, -181) }), RejectCoordinate},
		{"NaN", with(func(p *Position) { p.Lat = math.NaN() }), RejectCoordinate},
		{"NaN again", with(func(p *Position) { p.Lon = math.NaN() }), RejectCoordinate},
		{"infinity", with(func(p *Position) { p.Lon = math.Inf(-1) }), RejectCoordinate},
		{"no time", with(func(p *Position) { p.RecordedAt = time.Time{} }), RejectTime},
		{"a minute ahead", with(func(p *Position) { p.RecordedAt = now.Add(MaxFuture) }), ""},
		{"more than that", with(func(p *Position) { p.RecordedAt = now.Add(MaxFuture + 1) }), RejectFuture},
		{"the end of time", with(func(p *Position) { p.RecordedAt = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC) }), RejectFuture},
		{"two weeks old", with(func(p *Position) { p.RecordedAt = now.Add(-MaxAge) }), ""},
		{"more than that", with(func(p *Position) { p.RecordedAt = now.Add(-MaxAge - 1) }), RejectTooOld},
		{"1970", with(func(p *Position) { p.RecordedAt = time.Unix(0, 0) }), RejectTooOld},
		{"the year 2", with(func(p *Position) { p.RecordedAt = time.Date(2, 1, 1, 0, 0, 0, 0, time.UTC) }), RejectTooOld},
		{"accuracy", reading(0, accuracy), ""},
		{"accuracy", reading(-0.1, accuracy), RejectReading},
		{"accuracy", reading(2e7, accuracy), RejectReading},
		{"speed", reading(1e4, speed), ""},
		{"speed", reading(-1, speed), RejectReading},
		{"speed", reading(10001, speed), RejectReading},
		{"heading", reading(360, heading), ""},
		{"heading", reading(-1, heading), RejectReading},
		{"heading", reading(360.1, heading), RejectReading},
		{"altitude", reading(-420, altitude), ""},
		{"altitude", reading(-2e5, altitude), RejectReading},
		{"altitude", reading(2e6, altitude), RejectReading},
		{"battery", reading(1, battery), ""},
		{"battery", reading(1.001, battery), RejectReading},
		{"battery", reading(-0.001, battery), RejectReading},
		{"a battery that is NaN", reading(math.NaN(), battery), RejectReading},
		{"an altitude beyond float32", reading(1e300, altitude), RejectReading},
		{"a value that is not known does not count", with(func(p *Position) { p.Battery = Reading{Value: 9} }), ""},
	} {
		if got := c.p.Check(now); got != c.want {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
	}
}
