package frame_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hotfoot/tracking"
	"hotfoot/tracking/frame"
)

// position is the frame as encoding/json would write it.
type position struct {
	Type       string     `json:"type"`
	SV         int64      `json:"sv"`
	Lat        float64    `json:"lat"`
	Lon        float64    `json:"lon"`
	HeadingDeg *float64   `json:"heading_deg,omitempty"`
	SpeedMPS   *float64   `json:"speed_mps,omitempty"`
	AccuracyM  *float64   `json:"accuracy_m,omitempty"`
	AltitudeM  *float64   `json:"altitude_m,omitempty"`
	Battery    *float64   `json:"battery,omitempty"`
	RecordedAt frame.Time `json:"recorded_at"`
	ETA        *frame.ETA `json:"eta"`
}

// rounded is a number with so many decimals.
func rounded(t *rapid.T, v float64, decimals int) float64 {
	out, err := strconv.ParseFloat(strconv.FormatFloat(v, 'f', decimals, 64), 64)
	if err != nil {
		t.Fatal(err)
	}
	return out + 0
}

func reading(t *rapid.T, r tracking.Reading, decimals int) *float64 {
	if !r.Known {
		return nil
	}
	v := rounded(t, float64(r.Value), decimals)
	return &v
}

// The frame that is written by hand is, but for the order of its fields, what encoding/json makes of the same.
func TestAppendPosition(t *testing.T) {
	t.Parallel()
	readings := func(low, high float64) *rapid.Generator[tracking.Reading] {
		return rapid.Custom(func(t *rapid.T) tracking.Reading {
			if rapid.Bool().Draw(t, "known") {
				return tracking.Read(rapid.Float64Range(low, high).Draw(t, "value"))
			}
			return tracking.Reading{Value: 7}
		})
	}
	times := rapid.Custom(func(t *rapid.T) time.Time { return time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, "ms")).UTC() })
	rapid.Check(t, func(t *rapid.T) {
		p := tracking.Position{
			RecordedAt: times.Draw(t, "at"), Lat: rapid.Float64Range(-90, 90).Draw(t, "lat"), Lon: rapid.Float64Range(-180, 180).Draw(t, "lon"),
			HeadingDeg: readings(0, 360).Draw(t, "heading"), SpeedMPS: readings(0, 1e4).Draw(t, "speed"), AccuracyM: readings(0, 1e7).Draw(t, "accuracy"),
			AltitudeM: readings(-1e5, 1e6).Draw(t, "altitude"), Battery: readings(0, 1).Draw(t, "battery"), Pace: tracking.Read(3),
		}
		ver := rapid.Int64Range(1, 1e12).Draw(t, "ver")
		want := position{
			Type: "position", SV: ver, Lat: rounded(t, p.Lat, 6), Lon: rounded(t, p.Lon, 6), HeadingDeg: reading(t, p.HeadingDeg, 1), SpeedMPS: reading(t, p.SpeedMPS, 2),
			AccuracyM: reading(t, p.AccuracyM, 1), AltitudeM: reading(t, p.AltitudeM, 1), Battery: reading(t, p.Battery, 2), RecordedAt: frame.Time(p.RecordedAt),
		}
		var eta *tracking.ETA
		if rapid.Bool().Draw(t, "eta") {
			eta = &tracking.ETA{At: times.Draw(t, "best"), Low: times.Draw(t, "low"), High: times.Draw(t, "high")}
			want.ETA = &frame.ETA{At: frame.Time(eta.At), Low: frame.Time(eta.Low), High: frame.Time(eta.High)}
		}
		encoded, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		got := frame.AppendPosition([]byte("before"), p, ver, eta)[6:]
		if !reflect.DeepEqual(normal(t, got), normal(t, encoded)) {
			t.Fatalf("got  %s\nwant %s", got, encoded)
		}
		if len(bytes.TrimSpace(got)) != len(got) || bytes.ContainsAny(got, " \n") {
			t.Fatalf("there is space in it: %s", got)
		}
		object := normal(t, frame.PositionObject(p))
		for _, name := range []string{"type", "sv", "eta"} {
			if _, there := object[name]; there {
				t.Fatalf("a position object has %s", name)
			}
		}
		if object["recorded_at"] != normal(t, got)["recorded_at"] || object["lat"] != normal(t, got)["lat"] {
			t.Fatalf("the object is of another position: %v", object)
		}
	})
}

// normal decodes an object; -0 and 0 are one number.
func normal(t *rapid.T, b []byte) map[string]any {
	var o map[string]any
	if err := json.Unmarshal(b, &o); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	for k, v := range o {
		if f, ok := v.(float64); ok {
			o[k] = f + 0
		}
	}
	return o
}

func TestPositionObject(t *testing.T) {
	t.Parallel()
	p := tracking.Position{RecordedAt: at(t, "18:10:00.5"), Lat: 10, Lon: -100.5, Battery: tracking.Read(1), AltitudeM: tracking.Read(-0.44), SpeedMPS: tracking.Read(100)}
	want := `{"lat":10,"lon":-100.5,"speed_mps":100,"altitude_m":-0.4,"battery":1,"recorded_at":"2026-03-04T18:10:00.500Z"}`
	if got := string(frame.PositionObject(p)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func BenchmarkAppendPosition(b *testing.B) {
	now := time.Now()
	p := tracking.Position{
		RecordedAt: now, Lat: 37.78502, Lon: -122.40784, HeadingDeg: tracking.Read(44.5), SpeedMPS: tracking.Read(5.9), AccuracyM: tracking.Read(6), Battery: tracking.Read(0.7),
	}
	eta := &tracking.ETA{At: now, Low: now, High: now}
	buffer := make([]byte, 0, 512)
	b.ReportAllocs()
	for b.Loop() {
		buffer = frame.AppendPosition(buffer[:0], p, 5, eta)
	}
	if len(buffer) == 0 {
		b.Fatal("nothing was written")
	}
}
