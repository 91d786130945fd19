package api_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"testing"

	"hotfoot/tracking"
)

// object is a decoded JSON object.
type object = map[string]any

// answer is a response that has been read.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// want decodes an answer that must have this status.
func (a answer) want(t *testing.T, status int) object {
	t.Helper()
	if a.status != status {
		t.Fatalf("status %d, want %d: %s", a.status, status, a.body)
	}
	if got := a.header.Get("Content-Type"); got != "application/json" {
		t.Errorf("Content-Type %q, want application/json", got)
	}
	return a.object(t)
}

func (a answer) object(t *testing.T) object {
	t.Helper()
	var o object
	if err := json.Unmarshal(a.body, &o); err != nil {
		t.Fatalf("not a JSON object: %v: %s", err, a.body)
	}
	return o
}

// leaks are texts that no answer may hold: they are of databases, of our source, or of the machine.
var leaks = []string{"SQLSTATE", "SELECT ", "INSERT ", "pgx", "pgconn", "goroutine", ".go:", "/root/", "/tmp/", "dial ", "redis:", "json: ", "main."}

// refused checks that an answer is a problem of this status and code, whatever it says, and gives it back decoded.
func (a answer) refused(t *testing.T, status int, code tracking.Code) object {
	t.Helper()
	if a.status != status {
		t.Fatalf("status %d, want %d %s: %s", a.status, status, code, a.body)
	}
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("Content-Type %q, want application/problem+json", got)
	}
	p := a.object(t)
	if p["code"] != string(code) {
		t.Errorf("code %v, want %s: %s", p["code"], code, a.body)
	}
	if p["type"] != "about:blank" || p["title"] != http.StatusText(status) || p["status"] != float64(status) || p["detail"] == "" {
		t.Errorf("not a complete problem: %s", a.body)
	}
	for _, leak := range leaks {
		if bytes.Contains(a.body, []byte(leak)) {
			t.Errorf("the problem shows %q: %s", leak, a.body)
		}
	}
	for name := range p {
		switch name {
		case "type", "title", "status", "code", "detail", "errors":
		default:
			t.Errorf("the problem has a field %q: %s", name, a.body)
		}
	}
	return p
}

// at checks that a problem names this place.
func at(t *testing.T, problem object, location string) {
	t.Helper()
	fields, _ := problem["errors"].([]any)
	for _, f := range fields {
		if f.(object)["location"] == location {
			return
		}
	}
	t.Errorf("the problem names %v, want %s", problem["errors"], location)
}

func items(t *testing.T, page object) []object {
	t.Helper()
	list, ok := page["items"].([]any)
	if !ok {
		t.Fatalf("not a list: %v", page)
	}
	out := make([]object, len(list))
	for i, item := range list {
		out[i] = item.(object)
	}
	return out
}

// text is a value of an object, "" when it has none.
func text(v any) string {
	s, _ := v.(string)
	return s
}
