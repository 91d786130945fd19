package redisstore

import (
	"testing"
)

// Whatever a script says of a session is runs of seqs that phones may use.
func FuzzParseRuns(f *testing.F) {
	for _, seed := range []string{"", "1-57,60-60", "0-9007199254740991", "9007199254740992-9007199254740992", "5-1", "-1-1", "1", ",,,", "1-2-3", "+1-+2", "1e3-1e4"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, run := range parseRuns(text) {
			if run.First > run.Last || run.Last > maxSeq {
				t.Fatalf("%q holds %+v", text, run)
			}
		}
	})
}

// Whatever Redis says of an answer is read as it was said, or is refused.
func FuzzLookup_read(f *testing.F) {
	f.Add("hit", "7", "1772647800000000", "1500", "60000000", true, "", "{}")
	f.Add("fill", "", "", "0", "0", false, "1-a", "")
	f.Add("", "", "", "-9223372036854775808", "9223372036854775807", false, "", "\x00")
	f.Fuzz(func(t *testing.T, what, version, at, age, life string, same bool, leased, body string) {
		var told string
		if same {
			told = "1"
		}
		var l lookup
		got, err := l.read([]any{what, version, at, age, life, told, leased, body})
		if err != nil {
			if got != nil || l != (lookup{}) {
				t.Fatalf("refused with %v, and %q, %+v", err, got, l)
			}
			return
		}
		if string(got) != body || l.what != what || l.version != version || l.at != at || l.leased != leased || l.same != same || l.size != len(body) {
			t.Fatalf("%+v with %q", l, got)
		}
	})
}
