package api

import (
	"strings"
	"testing"
	"time"

	"hotfoot/tracking"
)

func TestParseReport(t *testing.T) {
	t.Parallel()
	t.Run("reads every field of a point", func(t *testing.T) {
		t.Parallel()
		r, err := ParseReport([]byte(`{"session":"a-1_x.y","positions":[{"seq":9007199254740991,"recorded_at":"2026-03-04T19:10:00.1239+01:00","lat":-90,"lon":180,` +
			`"accuracy_m":0,"speed_mps":1.5,"heading_deg":360,"altitude_m":-12,"battery":0.25}]}`))
		if err != nil {
			t.Fatal(err)
		}
		want := tracking.Point{Seq: maxSeq, Position: tracking.Position{
			RecordedAt: time.Date(2026, 3, 4, 18, 10, 0, 123e6, time.UTC), Lat: -90, Lon: 180, AccuracyM: tracking.Read(0), SpeedMPS: tracking.Read(1.5),
			HeadingDeg: tracking.Read(360), AltitudeM: tracking.Read(-12), Battery: tracking.Read(0.25),
		}}
		if r.Session != "a-1_x.y" || len(r.Points) != 1 || r.Points[0] != want {
			t.Errorf("got  %+v\nwant %+v", r, want)
		}
	})
	t.Run("a reading that is null is unknown, not zero", func(t *testing.T) {
		t.Parallel()
		r, err := ParseReport([]byte(`{"lat":0,"lon":0,"recorded_at":"2026-03-04T18:10:00Z","seq":null,"speed_mps":null,"battery":0}`))
		if err != nil || r.Points[0].Reject != "" || r.Points[0].Position.SpeedMPS.Known || !r.Points[0].Position.Battery.Known || r.Points[0].Seq != 0 {
			t.Errorf("got %+v, %v", r, err)
		}
	})
	t.Run("a null session is none", func(t *testing.T) {
		t.Parallel()
		if r, err := ParseReport([]byte(`{"session":null,"positions":[{}]}`)); err != nil || r.Session != "" {
			t.Errorf("got %+v, %v", r, err)
		}
	})
	t.Run("a rejected point keeps its seq, since the receipt must name it", func(t *testing.T) {
		t.Parallel()
		r, err := ParseReport([]byte(`{"positions":[{"seq":7,"lat":null}]}`))
		if err != nil || r.Points[0].Seq != 7 || r.Points[0].Reject != tracking.RejectCoordinate {
			t.Errorf("got %+v, %v", r, err)
		}
	})
}

func TestWaitOf(t *testing.T) {
	t.Parallel()
	for prefer, want := range map[string]time.Duration{
		"": 0, "wait=3": 3 * time.Second, "respond-async, wait=10": 10 * time.Second, "respond-async;wait=2": 2 * time.Second, "wait=11": maxWait,
		"wait=99999999999": maxWait, "wait=0": 0, "wait=-1": 0, "wait=1.5": 0, "wait": 0, "waiting=3": 0, "wait=9223372036854775807": maxWait, "wait=18446744074": maxWait,
	} {
		if got := waitOf(prefer); got != want {
			t.Errorf("%q: %s, want %s", prefer, got, want)
		}
	}
}

// Whatever comes, a report is read or refused, and what was read keeps to the bounds that the rest relies on.
func FuzzParseReport(f *testing.F) {
	for _, seed := range []string{
		`{"lat":1,"lon":2,"recorded_at":"2026-03-04T18:10:00Z"}`, `{"session":"a","positions":[{"seq":1,"lat":0,"lon":0,"recorded_at":"2026-03-04T18:10:00.5Z"}]}`,
		`{"positions":[null,1,"x",[],{}]}`, `{"positions":[]}`, `{"positions":{}}`, `[]`, `null`, `{"lat":1e400,"lon":-0}`, `{"lat":1,"lon":2,"battery":1e39,"seq":1e3}`,
		`{"recorded_at":"0000-01-01T00:00:00Z"}`, `{"recorded_at":"9999-12-31T23:59:59+23:59","lat":1,"lon":1}`, `{"session":"\u0000"}`, `{"positions":[{"a":1,"a":2}]}`,
	} {
		f.Add([]byte(seed))
	}
	for _, body := range recordedBodies(f) {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		report, err := ParseReport(body)
		if err != nil {
			switch tracking.CodeOf(err) {
			case tracking.CodeMalformed, tracking.CodeInvalid, tracking.CodeTooLarge:
			default:
				t.Errorf("refused with %v", err)
			}
			return
		}
		if n := len(report.Points); n == 0 || n > tracking.MaxPoints {
			t.Errorf("%d points", n)
		}
		if strings.ContainsRune(report.Session, 0) {
			t.Error("a session with NUL")
		}
		for _, p := range report.Points {
			if p.Seq < 0 || p.Seq > maxSeq {
				t.Errorf("seq %d", p.Seq)
			}
			if !p.Position.RecordedAt.IsZero() && p.Position.RecordedAt.Nanosecond()%1e6 != 0 {
				t.Errorf("%s is finer than a millisecond", p.Position.RecordedAt)
			}
			if p.Reject == "" {
				// Check must cope with whatever was read.
				_ = p.Position.Check(time.Now())
			}
		}
	})
}
