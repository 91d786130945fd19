package client

import (
	"net/http"
	"strconv"
	"testing"
	"time"
	"unicode/utf8"
)

// Whatever a proxy in between says of a refusal, it can be told to a person, and nobody waits for a negative time or for more than was said.
func FuzzNewProblem(f *testing.F) {
	f.Add(503, "application/problem+json", "2", []byte(`{"code":"unavailable","title":"x","detail":"y","errors":[{"location":"a"}]}`))
	f.Add(502, "text/html", "Wed, 04 Mar 2026 18:10:30 GMT", []byte("<h1>Bad gateway</h1>"))
	f.Add(429, "json", "9223372037", []byte("\xff\xfe"))
	f.Add(429, "", "-1", []byte(nil))
	now := time.Date(2026, 3, 4, 18, 10, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, status int, kind, after string, body []byte) {
		p := newProblem(&http.Response{StatusCode: status, Header: http.Header{"Content-Type": {kind}, "Retry-After": {after}}}, body, now)
		seconds, err := strconv.Atoi(after)
		if p.RetryAfter < 0 || err == nil && p.RetryAfter/time.Second > time.Duration(max(0, seconds)) {
			t.Fatalf("%q is %s", after, p.RetryAfter)
		}
		if err == nil && seconds > 0 && p.RetryAfter == 0 {
			t.Fatalf("%q is no time at all", after)
		}
		if text := p.Error(); text == "" || !utf8.ValidString(text) {
			t.Fatalf("%q", text)
		}
	})
}
