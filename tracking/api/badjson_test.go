package api_test

import (
	"encoding/json"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"hotfoot/tracking"
)

// badJSON are ways to spoil a body; first is its first key, in quotes. What is not JSON, or is read in two ways, must be answered 400; of the others it is
// enough that nothing breaks.
var badJSON = []struct {
	name      string
	malformed bool
	spoil     func(body, first string) string
}{
	{"nothing", false, func(string, string) string { return "" }},
	{"spaces", true, func(string, string) string { return " \n\t " }},
	{"null", false, func(string, string) string { return "null" }},
	{"a number", false, func(string, string) string { return "7" }},
	{"a text", false, func(string, string) string { return `"x"` }},
	{"a list", false, func(string, string) string { return "[]" }},
	{"a list of it", false, func(body, _ string) string { return "[" + body + "]" }},
	{"an empty object", false, func(string, string) string { return "{}" }},
	{"a key twice", true, func(body, first string) string { return "{" + first + ":1," + body[1:] }},
	{"a key twice, once escaped", true, func(body, first string) string {
		return `{"\u00` + "0123456789abcdef"[first[1]>>4:first[1]>>4+1] + "0123456789abcdef"[first[1]&15:first[1]&15+1] + first[2:] + ":1," + body[1:]
	}},
	{"the wrong case", false, func(body, first string) string { return strings.Replace(body, first, strings.ToUpper(first), 1) }},
	{"both cases", false, func(body, first string) string { return "{" + strings.ToUpper(first) + ":1," + body[1:] }},
	{"1e308", false, value("1e308")},
	{"-1e308", false, value("-1e308")},
	{"1e400", false, value("1e400")},
	{"1e-400", false, value("1e-400")},
	{"minus zero", false, value("-0")},
	{"2^63", false, value("9223372036854775808")},
	{"NaN", true, value("NaN")},
	{"Infinity", true, value("-Infinity")},
	{"hexadecimal", true, value("0x10")},
	{"a leading zero", true, value("007")},
	{"a leading plus", true, value("+1")},
	{"a leading point", true, value(".5")},
	{"a point at the end", true, value("5.")},
	{"a number of 10 MB", false, value(strings.Repeat("9", 10<<20))},
	{"a text of 10 MB", false, value(`"` + strings.Repeat("x", 10<<20) + `"`)},
	{"a number of 60 kB", false, value(strings.Repeat("9", 60<<10))},
	{"the first half of a character", true, value(`"\ud83d"`)},
	{"the second half of a character", true, value(`"\udc4b"`)},
	{"two first halves", true, value(`"\ud83d\ud83d"`)},
	{"halves the wrong way round", true, value(`"\udc4b\ud83d"`)},
	{"half a character in a key", true, func(body, _ string) string { return `{"\ud83d":1,` + body[1:] }},
	{"an escaped NUL", true, value(`"a\u0000b"`)},
	{"an escaped NUL in a key", true, func(body, _ string) string { return `{"a\u0000":1,` + body[1:] }},
	{"a raw NUL", true, value("\"a\x00b\"")},
	{"a NUL behind it", true, func(body, _ string) string { return body + "\x00" }},
	{"a control character", true, value("\"a\x1fb\"")},
	{"an escape that is none", true, value(`"\x41"`)},
	{"half an escape", true, value(`"\u12"`)},
	{"a byte order mark", true, func(body, _ string) string { return "\ufeff" + body }},
	{"UTF-16", true, func(body, _ string) string {
		b := []byte{0xff, 0xfe}
		for _, unit := range utf16.Encode([]rune(body)) {
			b = append(b, byte(unit), byte(unit>>8))
		}
		return string(b)
	}},
	{"no UTF-8", true, value("\"\xc3\x28\"")},
	{"too long UTF-8", true, value("\"\xc0\xaf\"")},
	{"a surrogate in UTF-8", true, value("\"\xed\xa0\x80\"")},
	{"10,000 lists", true, value(strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000))},
	{"10,000 lists without an end", true, value(strings.Repeat("[", 10_000))},
	{"5,000 objects", true, value(strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000))},
	{"a list of 30,000", false, value("[" + strings.Repeat("1,", 30_000) + "1]")},
	{"1,000 keys", true, func(body, _ string) string {
		keys := make([]string, 1000)
		for i := range keys {
			keys[i] = `"` + tracking.NewID().String() + `":1`
		}
		return "{" + strings.Join(keys, ",") + "," + body[1:]
	}},
	{"a key of 10,000", false, func(body, _ string) string { return `{"` + strings.Repeat("k", 10_000) + `":1,` + body[1:] }},
	{"an empty key", false, func(body, _ string) string { return `{"":1,` + body[1:] }},
	{"__proto__", false, func(body, _ string) string { return `{"__proto__":{"role":"merchant"},` + body[1:] }},
	{"a value behind it", true, func(body, _ string) string { return body + " 1" }},
	{"the same behind it", true, func(body, _ string) string { return body + body }},
	{"a bracket behind it", true, func(body, _ string) string { return body + "}" }},
	{"a comma too many", true, func(body, _ string) string { return body[:len(body)-1] + ",}" }},
	{"cut off", true, func(body, _ string) string { return body[:len(body)-1] }},
	{"cut in half", true, func(body, _ string) string { return body[:len(body)/2] }},
	{"a comment", true, func(body, _ string) string { return "/* x */" + body }},
	{"other quotes", true, func(body, _ string) string { return strings.ReplaceAll(body, `"`, "'") }},
	{"keys without quotes", true, func(body, first string) string {
		return strings.Replace(body, first, strings.Trim(first, `"`), 1)
	}},
	{"a form", true, func(string, string) string { return "pickup=1&dropoff=2" }},
	{"XML", true, func(string, string) string {
		return `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY y SYSTEM "file:///etc/passwd">]><x>&y;</x>`
	}},
}

// value puts a value in the place of the first one.
func value(v string) func(body, first string) string {
	return func(_, first string) string { return "{" + first + ":" + v + "}" }
}

// Every route that takes JSON, and everything that is none or looks like it: no 500, nothing in the log, and nothing kept. It is not parallel: it measures memory.
func TestServer_badJSON(t *testing.T) {
	s := newSite(t)
	sam := s.onDuty(t)
	delivery, courier := text(s.deliver(t, sam.id)["id"]), s.hire(t, s.tenant, "Max").id
	keyID := text(s.do(t, "POST", "/v1/keys", s.merchant, object{"role": "ops"}).object(t)["id"])
	statuses := map[int]int{}
	var before, after runtime.MemStats
	shots := 0
	for round, keep := range []*runtime.MemStats{&before, &after} {
		for _, r := range contract {
			if r.body == nil {
				continue
			}
			id, key := delivery, s.merchant
			switch {
			case strings.HasPrefix(r.path, "/v1/couriers/"):
				id = courier
			case strings.HasPrefix(r.path, "/v1/keys/"):
				id = keyID
			case slices.Contains(r.roles, tracking.RoleCourier):
				key = sam.token
			}
			encoded, err := json.Marshal(r.body)
			must(t, err)
			body := string(encoded)
			first := body[1 : strings.Index(body, `":`)+1]
			for _, c := range badJSON {
				status, said := s.throw(t, r.method, strings.Replace(r.path, "{id}", id, 1), key, c.spoil(body, first))
				if shots++; round == 0 {
					statuses[status]++
				}
				if status >= 500 || c.malformed && status != 400 {
					t.Errorf("%s, %s: %d %.200s", r, c.name, status, said)
				}
			}
		}
		s.client.CloseIdleConnections()
		runtime.GC()
		runtime.ReadMemStats(keep)
	}
	t.Logf("%d bodies, twice: by status %v; alive after the first %d kB, after the second %d kB", shots/2, statuses, before.HeapAlloc>>10, after.HeapAlloc>>10)
	if shots/2 < 500 {
		t.Errorf("only %d bodies", shots/2)
	}
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 4<<20 {
		t.Errorf("another %d bodies, and %d bytes more are alive", shots/2, grown)
	}
	if log := s.log.String(); strings.Contains(log, "panicked") || strings.Contains(log, "level=ERROR") {
		t.Errorf("the log says:\n%.2000s", log)
	}
	s.do(t, "POST", "/v1/deliveries", s.merchant, draft()).want(t, 201)
}

// throw sends a body, and answers the status; 413 for one so large that the server hung up while it was still being sent.
func (s *site) throw(t *testing.T, method, path, key, body string) (status int, said string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(body))
	must(t, err)
	request.Header.Set("Authorization", "Bearer "+key)
	request.Header.Set("Content-Type", "application/json")
	response, err := s.client.Do(request)
	if err != nil && len(body) > 1<<20 {
		return http.StatusRequestEntityTooLarge, err.Error()
	}
	must(t, err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	must(t, err)
	return response.StatusCode, string(answer)
}
