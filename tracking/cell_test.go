package tracking

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestCoarse(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	places := rapid.Custom(func(t *rapid.T) Position {
		return Position{
			Lat: rapid.Float64Range(-90, 90).Draw(t, "lat"), Lon: rapid.Float64Range(-180, 180).Draw(t, "lon"), RecordedAt: at,
			SpeedMPS: Read(5), HeadingDeg: Read(45), AccuracyM: Read(6), AltitudeM: Read(20), Battery: Read(0.5), Pace: Read(5),
		}
	})
	t.Run("is one place for a whole cell, which has nothing else to tell", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(t *rapid.T) {
			p, width := places.Draw(t, "fix"), rapid.Float64Range(MinRoundingM, MaxRoundingM).Draw(t, "width")
			c := coarse(&p, width)
			if c != (Position{Lat: c.Lat, Lon: c.Lon, RecordedAt: at, RoundedM: Read(width)}) || validLatLon("", c.Lat, c.Lon) != nil {
				t.Fatalf("%+v", c)
			}
			if again := coarse(&c, width); again != c {
				t.Fatalf("the middle %+v is in the cell of %+v", c, again)
			}
			// Half a diagonal, and a little for cells whose far side is wider than their middle. Where meridians meet a cell may be narrower than that, never wider.
			if d := DistanceM(p.Lat, p.Lon, c.Lat, c.Lon); p.Lat > -85 && p.Lat < 85 && d > width*0.72+1 {
				t.Fatalf("%f m off in a cell of %f", d, width)
			}
		})
	})
	t.Run("does not come nearer however many fixes of a place are averaged", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(t *rapid.T) {
			p, width := places.Draw(t, "fix"), rapid.Float64Range(MinRoundingM, MaxRoundingM).Draw(t, "width")
			middle := coarse(&p, width)
			for range 20 { // as a phone that lies still reports, within its cell
				q := p
				q.Lat += rapid.Float64Range(-1e-5, 1e-5).Draw(t, "north")
				q.Lon += rapid.Float64Range(-1e-5, 1e-5).Draw(t, "east")
				q.Lat, q.Lon = clamp(q.Lat, -90, 90), clamp(q.Lon, -180, 180)
				c := coarse(&q, width)
				if DistanceM(q.Lat, q.Lon, middle.Lat, middle.Lon) < width*0.49 && c != middle && q.Lat > -85 && q.Lat < 85 {
					t.Fatalf("%+v is shown at %+v, %+v at %+v", p, middle, q, c)
				}
			}
		})
	})
}
