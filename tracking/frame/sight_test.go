package frame_test

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hotfoot/tracking"
	"hotfoot/tracking/frame"
)

// scene is a delivery, its merchant's wishes, its courier and their newest fix, drawn so that every rule of visibility is met now and then.
type scene struct {
	record tracking.Record
	fix    tracking.Position
	now    time.Time
}

const (
	doorLat, doorLon = 37.7893, -122.4010
	metre            = 180 / (math.Pi * 6371008.8) // in degrees of latitude
)

// offset draws a place up to so many metres away from another, either way.
func offset(t *rapid.T, name string, lat, lon, metres float64) (float64, float64) {
	north, east := rapid.Float64Range(-metres, metres).Draw(t, name+" north"), rapid.Float64Range(-metres, metres).Draw(t, name+" east")
	return lat + north*metre, lon + east*metre/math.Cos(lat*math.Pi/180)
}

var scenes = rapid.Custom(func(t *rapid.T) scene {
	s := scene{now: time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)}
	d := &s.record.Delivery
	d.Status = rapid.SampledFrom(append(slices.Repeat([]tracking.Status{tracking.EnRoute, tracking.Arriving}, 6), tracking.Statuses...)).Draw(t, "status")
	d.StopsBefore = rapid.IntRange(0, 4).Draw(t, "stops before")
	d.Dropoff = tracking.Place{Lat: doorLat, Lon: doorLon}
	s.record.Epoch = 1
	s.record.Merchant = tracking.Merchant{
		VisibleStops: rapid.IntRange(0, 4).Draw(t, "visible stops"),
		VisibleFrom:  rapid.SampledFrom([]tracking.Status{tracking.EnRoute, tracking.Arriving}).Draw(t, "visible from"),
		RoundingM:    rapid.SampledFrom([]int{0, 0, 50, 300, 5000}).Draw(t, "rounding"),
		Delay:        time.Duration(rapid.SampledFrom([]int{0, 0, 10, 300}).Draw(t, "delay")) * time.Second,
	}
	s.fix = tracking.Position{RecordedAt: s.now.Add(-time.Duration(rapid.IntRange(-60_000, 400_000).Draw(t, "age")) * time.Millisecond)}
	s.fix.Lat, s.fix.Lon = offset(t, "fix", doorLat, doorLon, 4000)
	s.readings(t)
	if rapid.IntRange(0, 9).Draw(t, "nobody") > 0 {
		d.CourierID = tracking.NewID()
		s.record.Courier = tracking.Courier{ID: d.CourierID, Name: "Sam", Vehicle: tracking.Bike, OnDuty: rapid.IntRange(0, 4).Draw(t, "off duty") > 0}
		for range rapid.SampledFrom([]int{0, 0, 1, 5}).Draw(t, "zones") {
			z := tracking.Zone{RadiusM: rapid.Float64Range(50, 2000).Draw(t, "radius")}
			z.Lat, z.Lon = offset(t, "zone", s.fix.Lat, s.fix.Lon, 2500)
			s.record.Courier.HiddenZones = append(s.record.Courier.HiddenZones, z)
		}
	}
	return s
})

// readings draws what a phone says beside where it is.
func (s *scene) readings(t *rapid.T) {
	for name, r := range map[string]*tracking.Reading{
		"accuracy": &s.fix.AccuracyM, "speed": &s.fix.SpeedMPS, "heading": &s.fix.HeadingDeg, "altitude": &s.fix.AltitudeM, "battery": &s.fix.Battery,
	} {
		*r = tracking.Read(rapid.Float64Range(0, 1).Draw(t, name))
	}
	s.fix.Pace = tracking.Read(rapid.Float64Range(0, 20).Draw(t, "pace"))
}

// The rules once more, from the words of the promise and not from the code.

func (s *scene) underway() bool {
	return !s.record.Delivery.CourierID.IsZero() && (s.record.Delivery.Status == "en_route" || s.record.Delivery.Status == "arriving")
}

func (s *scene) mayLook() bool {
	if !s.underway() || !s.record.Courier.OnDuty || s.record.Delivery.StopsBefore > s.record.Merchant.VisibleStops {
		return false
	}
	return s.record.Merchant.VisibleFrom == "en_route" || s.record.Delivery.Status == "arriving"
}

// inZone is worked out by the spherical law of cosines, on unit vectors; the code has the haversine.
func (s *scene) inZone() (inside, doubtful bool) {
	vector := func(lat, lon float64) [3]float64 {
		lat, lon = lat*math.Pi/180, lon*math.Pi/180
		return [3]float64{math.Cos(lat) * math.Cos(lon), math.Cos(lat) * math.Sin(lon), math.Sin(lat)}
	}
	for _, z := range s.record.Courier.HiddenZones {
		a, b := vector(z.Lat, z.Lon), vector(s.fix.Lat, s.fix.Lon)
		chord := math.Sqrt((a[0]-b[0])*(a[0]-b[0]) + (a[1]-b[1])*(a[1]-b[1]) + (a[2]-b[2])*(a[2]-b[2]))
		away := 2 * math.Asin(chord/2) * 6371008.8
		doubtful = doubtful || math.Abs(away-z.RadiusM) < 1e-3
		inside = inside || away < z.RadiusM
	}
	return inside, doubtful
}

func (s *scene) tooYoung() bool {
	return s.now.Sub(s.fix.RecordedAt).Seconds() < s.record.Merchant.Delay.Seconds() && s.record.Merchant.Delay > 0
}

func (s *scene) rounded() bool {
	return s.record.Merchant.RoundingM > 0 && s.record.Delivery.StopsBefore > 0
}

// snapshotOf is what goes over the wire.
func snapshotOf(s scene) string {
	return string(frame.Snapshot(tracking.See(&s.record, &s.fix, s.now), 0, true, s.now))
}

// Every state, stop, duty, setting, time and zone: a position and an arrival are there exactly when they may be, and are what they may be.
func TestSnapshot_shows(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := scenes.Draw(t, "scene")
		inZone, doubtful := s.inZone()
		if doubtful {
			t.Skip("on the very edge of a zone")
		}
		text := snapshotOf(s)
		var got struct {
			Visible  bool
			Why      *string
			ETA      *struct{ At time.Time }
			Position map[string]any
		}
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Fatal(err)
		}
		if got.Visible != s.mayLook() || (got.Why == nil) != got.Visible {
			t.Fatalf("visible %v, want %v: %s", got.Visible, s.mayLook(), text)
		}
		if want := s.mayLook() && !inZone && !s.tooYoung(); (got.Position != nil) != want {
			t.Fatalf("a position %v, want %v: %s", got.Position, want, text)
		}
		if want := s.underway() && s.record.Courier.OnDuty && !inZone; (got.ETA != nil) != want {
			t.Fatalf("an arrival %v, want %v: %s", got.ETA, want, text)
		}
		if got.Position == nil {
			return
		}
		lat, lon := got.Position["lat"].(float64), got.Position["lon"].(float64)
		if !s.rounded() {
			if math.Abs(lat-s.fix.Lat) > 1e-6 || math.Abs(lon-s.fix.Lon) > 1e-6 || got.Position["rounded_m"] != nil || got.Position["heading_deg"] == nil {
				t.Fatalf("%v of %+v", got.Position, s.fix)
			}
			return
		}
		width := float64(s.record.Merchant.RoundingM)
		if len(got.Position) != 4 || got.Position["rounded_m"] != width || got.Position["recorded_at"] == nil {
			t.Fatalf("more than a rounded place: %v", got.Position)
		}
		north, east := (lat-s.fix.Lat)/metre, (lon-s.fix.Lon)/metre*math.Cos(lat*math.Pi/180)
		if math.Abs(north) > width/2+1 || math.Abs(east) > width/2+1 {
			t.Fatalf("%f m north and %f m east of it, in a cell of %f", north, east, width)
		}
		if rows := lat / (width * metre); math.Abs(rows-math.Floor(rows)-0.5) > 0.03 {
			t.Fatalf("%v is not the middle of a row: %f", lat, rows)
		}
	})
}

// What a customer may not know makes no difference to a single byte of what they are sent. Two scenes that differ in nothing else are told apart by nobody.
func TestSnapshot_tellsNothingElse(t *testing.T) {
	t.Parallel()
	met := map[string]int{}
	tells := func(t *rapid.T) {
		s := scenes.Draw(t, "scene")
		inZone, _ := s.inZone()
		other := s
		var secret string
		switch {
		case !s.underway() || !s.record.Courier.OnDuty:
			secret = "everything, while the courier is not on the way"
			other.fix.Lat, other.fix.Lon = rapid.Float64Range(-90, 90).Draw(t, "lat"), rapid.Float64Range(-180, 180).Draw(t, "lon")
		case inZone:
			secret = "where in a hidden zone"
			other.fix.Lat, other.fix.Lon = offset(t, "elsewhere", s.fix.Lat, s.fix.Lon, 4000)
			if still, doubtful := other.inZone(); !still || doubtful {
				t.Skip("outside")
			}
		case !s.mayLook():
			secret = "where within half a kilometre, while the courier is hidden"
			other.within(t, max(500, s.grid()))
		case s.tooYoung():
			secret = "where within half a kilometre, while the fix is too young"
			other.within(t, max(500, s.grid()))
		case s.rounded():
			secret = "where in a cell"
			other.within(t, s.grid())
		default:
			t.Skip("they may know it all")
		}
		if moved, doubtful := other.inZone(); moved != inZone || doubtful {
			t.Skip("another zone")
		}
		other.readings(t)
		met[secret]++
		if one, two := snapshotOf(s), snapshotOf(other); one != two {
			t.Fatalf("%s: %+v is sent as\n%s\nand %+v as\n%s", secret, s.fix, one, other.fix, two)
		}
	}
	for rounds := 0; rounds < 50 && len(met) < 5 && !t.Failed(); rounds++ {
		rapid.Check(t, tells)
	}
	if len(met) < 5 {
		t.Errorf("only these were met: %s", fmt.Sprint(met))
	}
}

func (s *scene) grid() float64 {
	if s.rounded() {
		return float64(s.record.Merchant.RoundingM)
	}
	return 0
}

// within moves the fix elsewhere in its cell of a grid that begins at the equator and at Greenwich.
func (s *scene) within(t *rapid.T, width float64) {
	row := math.Floor(s.fix.Lat / (width * metre))
	columnWidth := width * metre / math.Cos((row+0.5)*width*metre*math.Pi/180)
	column := math.Floor(s.fix.Lon / columnWidth)
	s.fix.Lat = (row + rapid.Float64Range(0.001, 0.999).Draw(t, "row")) * width * metre
	s.fix.Lon = (column + rapid.Float64Range(0.001, 0.999).Draw(t, "column")) * columnWidth
}
