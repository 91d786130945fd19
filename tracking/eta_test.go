package tracking

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestDistanceM(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what                   string
		lat1, lon1, lat2, lon2 float64
		want                   float64
	}{
		{"nowhere", 37.7, -122.4, 37.7, -122.4, 0},
		{"a degree of latitude", 0, 0, 1, 0, 111_195},
		{"a degree of longitude at the equator", 0, 0, 0, 1, 111_195},
		{"a degree of longitude at 60°", 60, 0, 60, 1, 55_597},
		{"across the date line", 0, 179.5, 0, -179.5, 111_195},
		{"pole to pole", 90, 0, -90, 0, 20_015_115},
		{"half around", 0, 0, 0, 180, 20_015_115},
		{"San Francisco to New York", 37.6188, -122.3750, 40.6398, -73.7789, 4_151_500},
		{"London to Paris", 51.5074, -0.1278, 48.8566, 2.3522, 343_556},
	} {
		if got := DistanceM(c.lat1, c.lon1, c.lat2, c.lon2); math.Abs(got-c.want) > 1+c.want*1e-3 {
			t.Errorf("%s: %.0f m, want %.0f", c.what, got, c.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		p := func(name string) (float64, float64) {
			return rapid.Float64Range(-90, 90).Draw(t, name+" lat"), rapid.Float64Range(-180, 180).Draw(t, name+" lon")
		}
		a, b := p("a")
		c, d := p("b")
		there, back := DistanceM(a, b, c, d), DistanceM(c, d, a, b)
		if math.IsNaN(there) || there < 0 || there > 20_015_200 || math.Abs(there-back) > 1e-3 {
			t.Fatalf("%f there, %f back", there, back)
		}
	})
}

func TestEstimate(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	t.Run("is a range around its guess that never lies in the past", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(t *rapid.T) {
			from := Position{
				Lat: rapid.Float64Range(-90, 90).Draw(t, "lat"), Lon: rapid.Float64Range(-180, 180).Draw(t, "lon"),
				RecordedAt: now.Add(time.Duration(rapid.IntRange(-3600, 60).Draw(t, "age")) * time.Second),
			}
			if rapid.Bool().Draw(t, "paced") {
				from.Pace = Read(rapid.Float64Range(0, 100).Draw(t, "pace"))
			}
			to := Place{Lat: rapid.Float64Range(-90, 90).Draw(t, "to lat"), Lon: rapid.Float64Range(-180, 180).Draw(t, "to lon")}
			e := estimateTo(from, rapid.SampledFrom(Vehicles).Draw(t, "vehicle"), to, rapid.IntRange(0, 20).Draw(t, "before"), now)
			if e.Low.Before(now) || e.Low.After(e.At) || e.At.After(e.High) || e.High.Sub(e.At) < time.Minute {
				t.Fatalf("%+v", e)
			}
		})
	})
	t.Run("farther, with more stops or more slowly is later", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(t *rapid.T) {
			at := func(lat, pace float64, before int) time.Time {
				return estimateTo(Position{Lat: lat, RecordedAt: now, Pace: Read(pace)}, Bike, Place{}, before, now).At
			}
			near := rapid.Float64Range(0.001, 0.5).Draw(t, "near")
			far := near + rapid.Float64Range(0.001, 0.5).Draw(t, "more")
			pace, before := rapid.Float64Range(0, 20).Draw(t, "pace"), rapid.IntRange(0, 9).Draw(t, "before")
			base := at(near, pace, before)
			if !at(far, pace, before).After(base) || !at(near, pace, before+1).After(base) || at(near, pace+1, before).After(base) {
				t.Fatal("not so")
			}
		})
	})
	t.Run("a courier who stands at a light is not given up", func(t *testing.T) {
		t.Parallel()
		still := estimateTo(Position{Lat: 0.01, RecordedAt: now, Pace: Read(0)}, Bike, Place{}, 0, now).At
		usual := estimateTo(Position{Lat: 0.01, RecordedAt: now}, Bike, Place{}, 0, now).At
		if left, base := still.Sub(now), usual.Sub(now); left <= base || left > 2*base+time.Minute {
			t.Errorf("standing %s, moving %s", left, base)
		}
	})
	t.Run("an older fix has gone on meanwhile", func(t *testing.T) {
		t.Parallel()
		fresh := estimateTo(Position{Lat: 0.05, RecordedAt: now}, Bike, Place{}, 0, now).At
		old := estimateTo(Position{Lat: 0.05, RecordedAt: now.Add(-time.Minute)}, Bike, Place{}, 0, now).At
		if got := fresh.Sub(old); got != time.Minute {
			t.Errorf("a minute older is %s earlier", got)
		}
	})
}

func TestETA_Settles(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		shown, next time.Duration
		news        bool
	}{
		{10 * time.Minute, 10 * time.Minute, false},
		{10 * time.Minute, 10*time.Minute + 50*time.Second, false},
		{10 * time.Minute, 12 * time.Minute, true},
		{10 * time.Minute, 8 * time.Minute, true},
		{time.Minute, 85 * time.Second, false},
		{time.Minute, 95 * time.Second, true},
		{time.Minute, 20 * time.Second, true},
		{time.Hour, time.Hour + 5*time.Minute, false},
	} {
		if got := (ETA{At: now.Add(c.shown)}).Settles(ETA{At: now.Add(c.next)}, now); got != c.news {
			t.Errorf("%s after %s: %v", c.next, c.shown, got)
		}
	}
}

func TestSmoothPace(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	step := func(before Reading, dt time.Duration, metres float64) Reading {
		return SmoothPace(Position{RecordedAt: at, Pace: before}, Position{RecordedAt: at.Add(dt), Lat: metres / 111_195})
	}
	unknown := Reading{}
	if got := step(unknown, 10*time.Second, 50); !got.Known || math.Abs(float64(got.Value)-5) > 0.01 {
		t.Errorf("the first step: %+v, want 5 m/s", got)
	}
	for what, got := range map[string]Reading{
		"too short": step(Read(3), 400*time.Millisecond, 50), "too long": step(Read(3), 3*time.Minute, 50), "too fast": step(Read(3), time.Second, 71),
		"backwards": step(Read(3), -time.Second, 5),
	} {
		if got != Read(3) {
			t.Errorf("%s: %+v, want what it was", what, got)
		}
	}
	pace := Read(2)
	for range 60 {
		pace = step(pace, 10*time.Second, 80)
	}
	if math.Abs(float64(pace.Value)-8) > 0.05 {
		t.Errorf("after ten minutes at 8 m/s: %v", pace.Value)
	}
	if got := step(Read(2), time.Minute, 8*60); math.Abs(float64(got.Value)-(2+6*(1-1/math.E))) > 0.02 {
		t.Errorf("after one minute: %v, want 63%% of the way", got.Value)
	}
}

// estimateTo is estimate for a vehicle and a place.
func estimateTo(from Position, vehicle Vehicle, to Place, stopsBefore int, now time.Time) ETA {
	return estimate(&from, vehicle.Pace(), to.Lat, to.Lon, stopsBefore, now)
}
