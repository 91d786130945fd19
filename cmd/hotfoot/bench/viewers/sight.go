//go:build linux

package viewers

import (
	"bytes"
	"time"
)

// Kind is what a message is about; the name of its type.
type Kind byte

// The kinds that benches tell apart.
const (
	Other Kind = iota
	Snapshot
	Position
	Status
	Frame // of a live map
	Bye
)

var (
	typePrefix = []byte(`{"type":"`)
	latName    = []byte(`"lat":`)
	atName     = []byte(`"recorded_at":"`)
	kinds      = map[string]Kind{"snapshot": Snapshot, "position": Position, "status": Status, "frame": Frame, "bye": Bye}
)

// KindOf reads a message's type, which all systems under measurement write first.
func KindOf(message []byte) Kind {
	rest, ok := bytes.CutPrefix(message, typePrefix)
	if !ok {
		return Other
	}
	name, _, _ := bytes.Cut(rest, []byte{'"'})
	return kinds[string(name)]
}

// Stamp reads the number that the bench has hidden in a position: the decimals of its latitude, in millionths of a degree. It is false when the
// message has no latitude.
func Stamp(message []byte) (n int, ok bool) {
	i := bytes.Index(message, latName)
	if i < 0 {
		return 0, false
	}
	rest := message[i+len(latName):]
	for len(rest) > 0 && (rest[0] == '-' || '0' <= rest[0] && rest[0] <= '9') {
		rest = rest[1:]
	}
	if len(rest) == 0 || rest[0] != '.' {
		return 0, i >= 0 // zeros at the end are not written
	}
	for i := range 6 {
		n *= 10
		if i+1 < len(rest) && '0' <= rest[i+1] && rest[i+1] <= '9' {
			n += int(rest[i+1] - '0')
		} else {
			rest = rest[:min(len(rest), i+1)]
		}
	}
	return n, true
}

// retryAfterOf reads when somebody who is sent away may come back.
func retryAfterOf(message []byte) time.Duration {
	_, rest, _ := bytes.Cut(message, []byte(`"retry_after_ms":`))
	ms := 0
	for _, digit := range rest[:min(len(rest), 6)] {
		if digit < '0' || digit > '9' {
			break
		}
		ms = 10*ms + int(digit-'0')
	}
	return time.Duration(ms) * time.Millisecond
}

// RecordedAt reads the time of the first position that stands at or behind an offset of a message, as far as milliseconds.
func RecordedAt(message []byte, from int) (time.Time, bool) {
	_, behind, found := bytes.Cut(message[min(max(0, from), len(message)):], atName)
	text, _, ended := bytes.Cut(behind, []byte{'"'})
	if !found || !ended {
		return time.Time{}, false
	}
	at, err := time.Parse(time.RFC3339, string(text))
	return at, err == nil
}
