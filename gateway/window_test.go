package gateway

import (
	"math"
	"testing"
)

func TestWindow_holds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		west, east float64
		inside     []float64
		outside    []float64
	}{
		{-123, -122, []float64{-123, -122.5, -122}, []float64{-123.01, -121.9, 57, 180}},
		{-180, 180, []float64{-180, 0, 180}, nil},
		{-540, 540, []float64{-180, 0, 180}, nil},
		{179, -179, []float64{179, 180, -180, -179}, []float64{178.9, -178.9, 0}},
		{179, 181, []float64{179, 180, -180, -179}, []float64{178.9, -178.9, 0}},
		{-181, -179, []float64{179, 180, -180, -179}, []float64{178.9, -178.9, 0}},
		{170, 180, []float64{170, 180, -180}, []float64{-179.9, 169.9}},
		{-180, -170, []float64{180, -180, -170}, []float64{179.9, -169.9}},
		{180, 180, []float64{180, -180}, []float64{179.9, -179.9}},
		{10, 9.9, []float64{10, 180, -180, 0, 9.9}, []float64{9.95}},
		{540, -540, []float64{180, -180}, []float64{0}},
	} {
		w := window{south: -90, north: 90}
		w.stretch(c.west, c.east)
		for _, lon := range c.inside {
			if !w.holds(placeOf(0, lon)) {
				t.Errorf("[%v, %v] does not hold %v", c.west, c.east, lon)
			}
		}
		for _, lon := range c.outside {
			if w.holds(placeOf(0, lon)) {
				t.Errorf("[%v, %v] holds %v", c.west, c.east, lon)
			}
		}
	}
}

// Whatever a client says is a window that means something, or is refused; and the index finds in it what it holds.
func FuzzParseWindow(f *testing.F) {
	for _, seed := range []string{
		`{"type":"view","bbox":[-123,37,-122,38],"zoom":13,"filter":{"q":"sam"}}`, `{"type":"view","bbox":[179,-20,-179,-10],"zoom":3}`,
		`{"type":"view","bbox":[-540,-90,540,90],"zoom":0}`, `{"type":"view","bbox":[NaN,0,1,1],"zoom":3}`, `{"type":"view","bbox":[1e999,0,1,1],"zoom":3}`,
		`{"type":"view","bbox":[540,0,-540,0],"zoom":30}`, `{"type":"view","bbox":null}`, `{"type":"view","bbox":[179.99999999999997,0,-180.00000000000003,0],"zoom":10.99}`,
		`{"type":"view","bbox":[0,0,0,0],"zoom":1,"filter":{"courier_ids":["01920000-0000-7000-8000-000000000000"]}}`, `[]`, `{"type":"view","zoom":-0}`,
	} {
		f.Add([]byte(seed), 1.5, 2.5)
	}
	f.Fuzz(func(t *testing.T, message []byte, lat, lon float64) {
		w, err := parseWindow(message)
		if err != nil {
			if w.set {
				t.Fatalf("refused, and a window: %+v", w)
			}
			return
		}
		if !w.set || w.parts < 1 || w.parts > 2 {
			t.Fatalf("not a window: %+v", w)
		}
		for _, s := range w.spans() {
			if !(s.west >= -180 && s.east <= 180 && s.west <= s.east) {
				t.Fatalf("not a span: %+v of %s", s, message)
			}
		}
		p := placeOf(math.Remainder(lat, 180), math.Remainder(lon, 360))
		if math.IsNaN(p.lat) || math.IsNaN(p.lon) || math.Abs(p.lat) > 90 {
			return
		}
		index := newAtlas()
		index.add(0, p)
		visits := 0
		index.within(w, func(cell, *[]int32) { visits++ })
		if visits > 1 || w.holds(p) && visits == 0 {
			t.Fatalf("%s: %+v is visited %d times, held is %v", message, p, visits, w.holds(p))
		}
	})
}
