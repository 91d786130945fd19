package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"hotfoot/tracking"
)

func TestCheckStrict(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{}`, `[]`, `null`, `"x"`, `-0.5e-3`, ` {"a" : [1, {"b":"\u0041\n"}, true ] } `, `{"a":{"a":{"a":1}},"b":{"a":1}}`, `[{"a":1},{"a":1}]`,
		`{"A":1,"a":2}`, `{"":1}`, `{"a":"}","b":"]","c":",:"}`, `{"a":"\\","b":"\""}`, `{"a":"\ud83d\ude00\uD83D\uDE00"}`, `{"a":"\\ud83d"}`, `{"a":"\ufffd\ue000\ud7ff"}`,
		strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth),
	} {
		if err := checkStrict([]byte(body)); err != nil {
			t.Errorf("%s: %v", body, err)
		}
	}
	for body, path := range map[string]string{
		``: "", `{`: "", `{}{}`: "", `{} x`: "", `{"a":1,}`: "", `NaN`: "", "\xff": "", "{\"a\":\"\xff\"}": "", `{"a":01}`: "",
		`{"a":1,"a":2}`: "a", `{"a":1,"\u0061":2}`: "a", `{"a":1,"b":{"c":[0,{"d":1,"d":2}]}}`: "b.c[1].d", `[[0,{"a":1,"a":2}]]`: "[0][1].a",
		`{"":1,"":2}`: `""`, `{"a":"\u0000"}`: "a", `{"[0]":1,"[0]":2}`: `"[0]"`,
		`{"a":"\ud83d"}`: "a", `{"a":"\ude00\ud83d"}`: "a", `{"a":"x\ud83d\ud83d\ude00"}`: "a", `{"a":["\ud83dude00"]}`: "a[0]", `{"a":"\ud83d\\ude00"}`: "a",
	} {
		err := checkStrict([]byte(body))
		if err == nil || err.Code != tracking.CodeMalformed {
			t.Errorf("%s: %v, want malformed", body, err)
			continue
		}
		if path == "" && len(err.Fields) > 0 || path != "" && (len(err.Fields) != 1 || err.Fields[0].Path != path) {
			t.Errorf("%s names %v, want %q", body, err.Fields, path)
		}
	}
	if err := checkStrict([]byte(`{"a":"\u0000","\u0000":1}`)); err == nil {
		t.Error("NUL in a key passes")
	}
	many := strings.TrimSuffix(strings.Repeat(`"k":1,`, 3), ",")
	if err := checkStrict([]byte("{" + many + "}")); err == nil {
		t.Error("three equal keys pass")
	}
}

// FuzzCheckStrict holds checkStrict to what the standard library's tokens say.
func FuzzCheckStrict(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"a":1,"a":2}`, `{"a":[{"b":1},{"b":2}],"c":null}`, `{"a":"\u0000"}`, `{"\u0061":1,"a":2}`, `[1,2,[3,[4]]] `, `"\ud800"`, `{"a":{"b":{"b":1,"b":2}}}`,
		`{"a":"\\\"","b":1e400}`, `{"k":"},]"}`, "\ufeff{}", `{"a":1}{"a":1}`, `{"\ud800":1,"\ufffd":2}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got := checkStrict(body)
		if want := oracle(body); (got == nil) != (want == nil) {
			t.Errorf("checkStrict says %v, the oracle %v: %q", got, want, body)
		}
		if got != nil && !utf8.ValidString(got.Message) {
			t.Errorf("the message is broken: %q", got.Message)
		}
	})
}

// escapes finds whole characters of two halves first, then halves, then whatever else is escaped.
var escapes = regexp.MustCompile(`\\(?:u[dD][89abAB][[:xdigit:]]{2}\\u[dD][c-fC-F][[:xdigit:]]{2}|u[dD][89a-fA-F][[:xdigit:]]{2}|.)`)

// oracle says by encoding/json's tokens whether a body is strict.
func oracle(body []byte) error {
	if !utf8.Valid(body) {
		return errors.New("broken UTF-8")
	}
	if !json.Valid(body) {
		return errors.New("not JSON")
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err := oracleValue(decoder, 0); err != nil {
		return err
	}
	for _, escape := range escapes.FindAll(body, -1) {
		if len(escape) == len(`\ud800`) {
			return errors.New("half a character")
		}
	}
	if _, err := decoder.Token(); err != io.EOF {
		return errors.New("something follows")
	}
	return nil
}

func oracleValue(decoder *json.Decoder, depth int) error {
	if depth > maxDepth {
		return errors.New("too deep")
	}
	token, err := decoder.Token()
	if err != nil {
		return err
	}
	if text, ok := token.(string); ok && strings.ContainsRune(text, 0) {
		return errors.New("NUL")
	}
	delim, ok := token.(json.Delim)
	if !ok {
		return nil
	}
	seen := map[string]bool{}
	for decoder.More() {
		if delim == '{' {
			token, err := decoder.Token()
			if err != nil {
				return err
			}
			key := token.(string)
			if seen[key] || strings.ContainsRune(key, 0) || len(seen) == 256 {
				return errors.New("a key twice, or NUL, or too many")
			}
			seen[key] = true
		}
		if err := oracleValue(decoder, depth+1); err != nil {
			return err
		}
	}
	_, err = decoder.Token()
	return err
}

// A body of the largest size must not take long to refuse: 256 keys an object, each compared with those before.
func BenchmarkCheckStrict(b *testing.B) {
	var body bytes.Buffer
	body.WriteString(`{"positions":[`)
	for i := range tracking.MaxPoints {
		if i > 0 {
			body.WriteByte(',')
		}
		body.WriteString(`{"seq":123,"recorded_at":"2026-03-04T18:10:00.123Z","lat":37.7812,"lon":-122.4112,"accuracy_m":5,"speed_mps":3.5}`)
	}
	body.WriteString(`]}`)
	b.ReportAllocs()
	b.SetBytes(int64(body.Len()))
	for b.Loop() {
		if err := checkStrict(body.Bytes()); err != nil {
			b.Fatal(err)
		}
	}
}
