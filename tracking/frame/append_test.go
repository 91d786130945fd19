package frame

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestAppendTime(t *testing.T) {
	t.Parallel()
	check := func(t interface{ Fatalf(string, ...any) }, at time.Time) {
		want := `"` + at.UTC().Format(TimeLayout) + `"`
		if got := string(appendTime(nil, at)); got != want {
			t.Fatalf("%d ms: %s, want %s", at.UnixMilli(), got, want)
		}
	}
	// Every day of eight hundred years, its first and its last millisecond: all there is to know about leap years.
	for day := time.Date(1600, 1, 1, 0, 0, 0, 0, time.UTC); day.Year() < 2400; day = day.AddDate(0, 0, 1) {
		check(t, day)
		check(t, day.Add(24*time.Hour-time.Nanosecond))
	}
	rapid.Check(t, func(t *rapid.T) {
		// The years 0 to 9999, and beyond.
		check(t, time.Unix(rapid.Int64Range(-70e9, 260e9).Draw(t, "seconds"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns")))
	})
}

func TestAppendFloat(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]string{
		0: "0", 1: "1", -1: "-1", 0.5: "0.5", -0.000001: "-0.000001", 0.0000004: "0", 37.780001: "37.780001", -122.41: "-122.41", 179.9999999: "180", 100.05: "100.05",
	} {
		if got := string(appendFloat(nil, v, 6)); got != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		v, decimals := rapid.Float64Range(-1e7, 1e7).Draw(t, "v"), rapid.IntRange(1, 6).Draw(t, "decimals")
		text := string(appendFloat(nil, v, decimals))
		got, err := strconv.ParseFloat(text, 64)
		_, fraction, _ := strings.Cut(text, ".")
		if err != nil || math.Abs(got-v) > 0.5/powers[decimals]+math.Abs(v)*0x1p-51 || len(fraction) > decimals || strings.HasSuffix(fraction, "0") {
			t.Fatalf("%v with %d decimals: %s, %v", v, decimals, text, err)
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		// What no reading has is still a number, or is not written by us at all.
		v := rapid.Float64().Draw(t, "v")
		if _, err := strconv.ParseFloat(string(appendFloat(nil, v, 6)), 64); err != nil {
			t.Fatal(err)
		}
	})
}
