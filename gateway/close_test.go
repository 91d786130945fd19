package gateway

import (
	"testing"

	"hotfoot/tracking"
)

func TestCloseCodeOf(t *testing.T) {
	t.Parallel()
	stay := map[int]bool{4001: true, 4003: true, 4004: true} // a client must not come back
	for _, code := range tracking.Codes {
		closed := closeCodeOf(code)
		if closed < 1003 || closed > 4999 || closed > 1015 && closed < 4000 {
			t.Errorf("%s closes with %d, which is no code to send", code, closed)
		}
		for _, again := range []tracking.Code{tracking.CodeUnavailable, tracking.CodeOverloaded, tracking.CodeTooMany, tracking.CodeRateLimited, tracking.CodeInternal} {
			if code == again && stay[closed] {
				t.Errorf("%s closes with %d, although coming back would help", code, closed)
			}
		}
	}
}
