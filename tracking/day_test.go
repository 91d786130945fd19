package tracking

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestDay(t *testing.T) {
	t.Parallel()
	t.Run("holds every moment from its start to the next one's", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(t *rapid.T) {
			moment := time.Unix(rapid.Int64Range(-4e9, 1e11).Draw(t, "seconds"), rapid.Int64Range(0, 999_999_999).Draw(t, "nanoseconds"))
			day := DayOf(moment)
			if moment.Before(day.Start()) || !moment.Before(day.Next().Start()) {
				t.Fatalf("%v is on %v", moment.UTC(), day)
			}
			if read, err := ParseDay(day.String()); err != nil || read != day {
				t.Fatalf("%v is read as %v, %v", day, read, err)
			}
		})
	})
	t.Run("is one in UTC", func(t *testing.T) {
		t.Parallel()
		if got := DayOf(time.Date(2026, 3, 4, 23, 30, 0, 0, time.FixedZone("", -3600))).String(); got != "2026-03-05" {
			t.Error(got)
		}
	})
	for _, text := range []string{"", "today", "2026-3-4", "2026-02-30", "2026-03-04T00:00:00Z", "2026-03-04 ", "20260304"} {
		if _, err := ParseDay(text); CodeOf(err) != CodeInvalid {
			t.Errorf("%q: %v", text, err)
		}
	}
}
