package trackfile

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// sound fails when a decoder returned something that its package comment rules out.
func sound(t *testing.T, tracks []Track) {
	t.Helper()
	for _, track := range tracks {
		if len(track.Points) == 0 {
			t.Fatal("a track without points")
		}
		for _, p := range track.Points {
			if !(math.Abs(p.Lat) <= 90 && math.Abs(p.Lon) <= 180) {
				t.Fatalf("position %v,%v", p.Lat, p.Lon)
			}
			for _, v := range []*float64{p.AccuracyM, p.SpeedMPS, p.HeadingDeg} {
				if v != nil && !(*v >= 0 && *v <= math.MaxFloat64) {
					t.Fatalf("measurement %v", *v)
				}
			}
			if p.HeadingDeg != nil && *p.HeadingDeg >= 360 {
				t.Fatalf("heading %v", *p.HeadingDeg)
			}
		}
	}
}

func seed(f *testing.F, pattern string) {
	paths, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(paths) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
}

func FuzzDecodeGPX(f *testing.F) {
	seed(f, "*.gpx")
	f.Fuzz(func(t *testing.T, content []byte) {
		tracks, err := decodeGPX(bytes.NewReader(content), "fuzz")
		if err == nil {
			sound(t, tracks)
		}
	})
}

func FuzzDecodeCSV(f *testing.F) {
	seed(f, "*.csv")
	f.Fuzz(func(t *testing.T, content []byte) {
		tracks, err := decodeCSV(bytes.NewReader(content), "fuzz")
		if err == nil {
			sound(t, tracks)
		}
	})
}
