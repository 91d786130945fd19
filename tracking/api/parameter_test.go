package api

import (
	"encoding/base64"
	"math"
	"strconv"
	"testing"
	"time"

	"hotfoot/tracking"
)

// A place of a query is on earth, and is the same when it is asked for again.
func FuzzParsePlace(f *testing.F) {
	for _, seed := range []string{"37.7812,-122.4112", "90,180", "-90,-180", "NaN,0", "0,Inf", "0x1p-2,1_0", "1,2,3", ",", "", " 1,2", "1e400,0", "-0,-0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		lat, lon, err := parsePlace("near", text)
		if err != nil {
			if tracking.CodeOf(err) != tracking.CodeInvalid || lat != 0 || lon != 0 {
				t.Fatalf("%q is refused with %v, and %v,%v", text, err, lat, lon)
			}
			return
		}
		if !(math.Abs(lat) <= 90 && math.Abs(lon) <= 180) {
			t.Fatalf("%q is %v,%v", text, lat, lon)
		}
		again, there, err := parsePlace("near", strconv.FormatFloat(lat, 'g', -1, 64)+","+strconv.FormatFloat(lon, 'g', -1, 64))
		if err != nil || again != lat || there != lon {
			t.Fatalf("%v,%v became %v,%v: %v", lat, lon, again, there, err)
		}
	})
}

// A cursor that is taken is one of ours: the same place in the list has that cursor.
func FuzzParseLimitCursor(f *testing.F) {
	f.Add(limitCursor(tracking.LimitCount{Minute: time.Date(2026, 3, 4, 18, 10, 0, 0, time.UTC)}))
	f.Add("")
	f.Add("AAAA")
	f.Add(base64.RawURLEncoding.EncodeToString(make([]byte, 24)))
	f.Fuzz(func(t *testing.T, text string) {
		minute, subject, ok := parseLimitCursor(text)
		if !ok {
			return
		}
		again, same, ok := parseLimitCursor(limitCursor(tracking.LimitCount{Minute: minute, Subject: subject}))
		if !ok || !again.Equal(minute) || same != subject || minute.Year() > 9999 {
			t.Fatalf("%q is %s, %x, and then %s, %x, %v", text, minute, subject, again, same, ok)
		}
	})
}

// A day of a query is a real one, and not in the future.
func FuzzParseDay(f *testing.F) {
	now := time.Date(2026, 3, 4, 18, 10, 0, 0, time.UTC)
	for _, seed := range []string{"", "2026-03-04", "2026-02-29", "0000-01-01", "9999-12-31", "-001-01-01", "2026-3-4", "2026-03-04T00:00:00Z"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		day, err := parseDay(text, now)
		if err != nil {
			if tracking.CodeOf(err) != tracking.CodeInvalid {
				t.Fatalf("%q is refused with %v", text, err)
			}
			return
		}
		if day > tracking.DayOf(now) || text != "" && day.String() != text {
			t.Fatalf("%q is %s", text, day)
		}
	})
}
