//go:build linux

package viewers

import (
	"testing"
	"time"
)

func TestStamp(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]int{
		`{"type":"position","sv":4,"lat":37.012345,"lon":-122.9}`: 12345,
		`{"lat":-37.5,"lon":1}`:                                   500_000,
		`{"lat":37,"lon":1.25}`:                                   0,
		`{"lat":37.0000019}`:                                      1,
		`{"lat":37.`:                                              0,
		`{"lon":37.5}`:                                            -1,
		``:                                                        -1,
	} {
		n, ok := Stamp([]byte(message))
		if !ok {
			n = -1
		}
		if n != want {
			t.Errorf("%s: %d, want %d", message, n, want)
		}
	}
}

func TestKindOf(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]Kind{
		`{"type":"position","sv":1}`: Position, `{"type":"snapshot"}`: Snapshot, `{"type":"status"`: Status, `{"type":"frame","n":1}`: Frame, `{"type":"bye"}`: Bye,
		`{"type":"tick"}`: Other, `{"n":1,"type":"position"}`: Other, ``: Other, `{"type":"`: Other,
	} {
		if got := KindOf([]byte(message)); got != want {
			t.Errorf("%s: %d, want %d", message, got, want)
		}
	}
}

func TestRetryAfterOf(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]time.Duration{
		`{"type":"bye","code":"overloaded","retry_after_ms":1234}`: 1234 * time.Millisecond, `{"type":"bye","code":"finished"}`: 0,
		`{"retry_after_ms":99999999999999999999}`: 999_999 * time.Millisecond, `{"retry_after_ms":`: 0, `{"retry_after_ms":-5}`: 0,
	} {
		if got := retryAfterOf([]byte(message)); got != want {
			t.Errorf("%s: %v, want %v", message, got, want)
		}
	}
}

func TestRecordedAt(t *testing.T) {
	t.Parallel()
	message := []byte(`{"a":[{"recorded_at":"2026-03-04T18:10:00.250Z"},{"recorded_at":"2026-03-04T18:10:01.000Z"}]}`)
	first := time.Date(2026, 3, 4, 18, 10, 0, 250e6, time.UTC)
	for from, want := range map[int]time.Time{-1: first, 0: first, 20: first.Add(750 * time.Millisecond), 70: {}, 1000: {}} {
		if got, ok := RecordedAt(message, from); !got.Equal(want) || ok == want.IsZero() {
			t.Errorf("from %d: %v, %v, want %v", from, got, ok, want)
		}
	}
}

func FuzzSight(f *testing.F) {
	f.Add([]byte(`{"type":"position","lat":37.000001,"recorded_at":"2026-03-04T18:10:00.250Z"}`), 3)
	f.Add([]byte(`"lat":`), 0)
	f.Fuzz(func(t *testing.T, b []byte, from int) {
		if n, ok := Stamp(b); n < 0 || n > 999_999 || !ok && n != 0 {
			t.Errorf("%q: %d, %v", b, n, ok)
		}
		KindOf(b)
		if d := retryAfterOf(b); d < 0 || d > 1000*time.Second {
			t.Errorf("%q: %v", b, d)
		}
		RecordedAt(b, from)
	})
}
