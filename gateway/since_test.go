package gateway

import (
	"fmt"
	"testing"

	"hotfoot/tracking"
)

// What a customer says to have seen means something, or nothing is known of them.
func FuzzParseSince(f *testing.F) {
	for _, seed := range []string{"1.0", "7.42", "0.1", "1.-1", "1", ".", "9223372036854775807.9223372036854775807", "9223372036854775808.1", "+1.+1", "1.1.1", "\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		seen := parseSince(text)
		if seen == (tracking.Seen{}) {
			return
		}
		if seen.Epoch < 1 || seen.Ver < 0 {
			t.Fatalf("%q is %+v", text, seen)
		}
		if again := parseSince(fmt.Sprintf("%d.%d", seen.Epoch, seen.Ver)); again != seen {
			t.Fatalf("%+v became %+v", seen, again)
		}
	})
}
