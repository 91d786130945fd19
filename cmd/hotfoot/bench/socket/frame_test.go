//go:build linux

package viewers

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
	"time"
)

// unmasked is a server's frame.
func unmasked(op byte, payload string) []byte {
	b := appendMasked(nil, op, []byte(payload))
	head := len(b) - len(payload) - 4
	b[1] &^= 0x80
	return append(b[:head:head], payload...)
}

func TestCut(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, 125, 126, 127, 65535, 65536, 100_000} {
		payload := strings.Repeat("x", size)
		b := append(unmasked(opText, payload), unmasked(opPing, "p")...)
		op, got, n, err := cut(b)
		if err != nil || op != opText || string(got) != payload {
			t.Fatalf("%d bytes: op %d, %d bytes, %v", size, op, len(got), err)
		}
		if op, got, _, err := cut(b[n:]); err != nil || op != opPing || string(got) != "p" {
			t.Errorf("behind %d bytes: op %d, %q, %v", size, op, got, err)
		}
		for _, short := range []int{0, 1, 2, n - 1} {
			if short < n {
				if _, _, n, err := cut(b[:short]); n != 0 || err != nil {
					t.Errorf("%d of %d bytes are cut: %d, %v", short, len(b), n, err)
				}
			}
		}
	}
}

func TestCut_refuses(t *testing.T) {
	t.Parallel()
	endless := binary.BigEndian.AppendUint64([]byte{0x81, 127}, 1<<63)
	for want, b := range map[error][]byte{
		errMasked: appendMasked(nil, opText, []byte("x")), errFragmented: {0x01, 1, 'x'}, errEndless: endless,
	} {
		if _, _, _, err := cut(b); err != want {
			t.Errorf("% x: %v, want %v", b, err, want)
		}
	}
	if _, _, _, err := cut([]byte{0xc1, 0}); err != errFragmented {
		t.Errorf("a compressed frame: %v", err)
	}
}

func FuzzCut(f *testing.F) {
	f.Add(unmasked(opText, "hello"))
	f.Add(unmasked(opText, strings.Repeat("x", 70_000)))
	f.Add(binary.BigEndian.AppendUint64([]byte{0x81, 127}, 1<<63))
	f.Fuzz(func(t *testing.T, b []byte) {
		for {
			op, payload, n, err := cut(b)
			if err != nil || n == 0 {
				return
			}
			if n > len(b) || len(payload) > n-2 || !bytes.HasSuffix(b[:n], payload) || op > 15 {
				t.Fatalf("op %d, %d bytes in a frame of %d, of %d", op, len(payload), n, len(b))
			}
			b = b[n:]
		}
	})
}

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
