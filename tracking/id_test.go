package tracking

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestNewID(t *testing.T) {
	t.Parallel()
	seen := map[ID]bool{}
	for range 10_000 {
		id := NewID()
		if id[6]>>4 != 7 || id[8]>>6 != 0b10 {
			t.Fatalf("%s: not version 7 of RFC 9562", id)
		}
		if seen[id] {
			t.Fatalf("%s came twice", id)
		}
		seen[id] = true
	}
}

func TestNewIDAt(t *testing.T) {
	t.Parallel()
	// The example of RFC 9562, appendix A.6.
	if got := newIDAt(time.Date(2022, 2, 22, 19, 22, 22, 0, time.UTC)).String(); !strings.HasPrefix(got, "017f22e2-79b0-7") {
		t.Errorf("%s does not begin with its time", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.Int64Range(0, 1<<47).Draw(t, "a")
		b := rapid.Int64Range(0, 1<<47).Draw(t, "b")
		x, y := newIDAt(time.UnixMilli(a)), newIDAt(time.UnixMilli(b))
		if a < b && (slices.Compare(x[:], y[:]) >= 0 || x.String() >= y.String()) {
			t.Fatalf("%s of %d is not before %s of %d", x, a, y, b)
		}
	})
}

func TestParseID(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		id := ID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
		for _, text := range []string{id.String(), strings.ToUpper(id.String())} {
			if got, err := ParseID(text); err != nil || got != id {
				t.Fatalf("%s: %s, %v", text, got, err)
			}
		}
		text, _ := id.MarshalText()
		var back ID
		if err := back.UnmarshalText(text); err != nil || back != id {
			t.Fatalf("%s: %s, %v", text, back, err)
		}
	})
	good := "01920000-0000-7000-8000-000000000000"
	for _, text := range []string{
		"", " ", good[1:], good + "0", " " + good, good + "\n", "{" + good + "}", "urn:uuid:" + good, strings.ReplaceAll(good, "-", ""), strings.ReplaceAll(good, "-", "_"),
		"0192000g-0000-7000-8000-000000000000", "01920000-0000-7000-80000-00000000000", "01920000-0000-7000-8000-00000000000é", strings.Repeat("-", 36), "0x920000-0000-7000-8000-000000000000",
		"01920000-0000-7000-8000-0000000-0000", "+1920000-0000-7000-8000-000000000000",
	} {
		id, err := ParseID(text)
		if CodeOf(err) != CodeInvalid || !id.IsZero() {
			t.Errorf("%q: %s, %v", text, id, err)
		}
		before := NewID()
		kept := before
		if kept.UnmarshalText([]byte(text)) == nil || kept != before {
			t.Errorf("%q changed an id", text)
		}
	}
}

func FuzzParseID(f *testing.F) {
	f.Add("01920000-0000-7000-8000-000000000000")
	f.Add("01920000-0000-7000-8000-00000000000G")
	f.Fuzz(func(t *testing.T, text string) {
		if id, err := ParseID(text); err == nil && id.String() != strings.ToLower(text) {
			t.Errorf("%q became %s", text, id)
		}
	})
}

func TestID_MadeAt(t *testing.T) {
	t.Parallel()
	now := time.Now().Truncate(time.Millisecond)
	if at, ours := newIDAt(now).MadeAt(); !ours || !at.Equal(now) {
		t.Errorf("made at %v, %v, want %v", at, ours, now)
	}
	for _, text := range []string{
		"00000000-0000-0000-0000-000000000000", "01920000-0000-4000-8000-000000000000", "01920000-0000-7000-c000-000000000000", "01920000-0000-7000-0000-000000000000",
	} {
		id, err := ParseID(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, ours := id.MadeAt(); ours {
			t.Errorf("%s was not made here", text)
		}
	}
}
