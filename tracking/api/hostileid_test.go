package api_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// hostileIDs would mean something to Redis, to a glob, to a protocol of lines, to a file system or to SQL, if anybody let them through.
var hostileIDs = []string{
	":", "{p0}", "{", "}", "*", "?", "[a-z]", "[", "\r\n", "a\r\nDEL x\r\n", "\x00", "a\x00b", "\x7f", "..", "../../etc/passwd", "..%2f", ".", " ", "%", "%00", "%252e", "\\", "'", `"`, ";", "--", "' OR '1'='1",
	"0", "-1", "1e3", "NaN", "null", "undefined", "true", "ünïcode", "\u202e", "\ufeff", "👋🏽", "\xff\xfe", "\xed\xa0\x80", "<script>", "${7*7}", "{{7*7}}", "$(id)", "`id`",
	"01920000-0000-7000-8000-00000000000", "01920000-0000-7000-8000-0000000000000", "{01920000-0000-7000-8000-000000000000}", "urn:uuid:01920000-0000-7000-8000-000000000000",
	"01920000000070008000000000000000", "01920000-0000-7000-8000-000000000000\n", "01920000-0000-7000-8000-00000000000٠", "01920000-0000-7000-8000-000000000000:x", "*1920000-0000-7000-8000-000000000000",
	"control", "{p0}:control", strings.Repeat("a", 1<<20), strings.Repeat("-", 36), strings.Repeat("é", 64),
}

// Every route with an id or a token in its path answers what cannot be one like what does not exist, and reaches no store with it.
func TestServer_hostileIDs(t *testing.T) {
	t.Parallel()
	b := newBare(t)
	for _, r := range b.routes() {
		if !strings.Contains(r.path, "{") {
			continue
		}
		for _, id := range hostileIDs {
			got := b.ask(r, id, "", nil, http.Header{"Content-Type": {"application/json"}})
			b.sound(t, r, got)
			// Some bodies are read before the path; some ids are another path.
			if got.Code < 400 || got.Code > 499 {
				t.Errorf("%s: %.60q is answered %d: %s", r, id, got.Code, got.Body)
			}
		}
	}
	if log := b.log.String(); log != "" {
		t.Errorf("something was logged:\n%.2000s", log)
	}
}

// The same ids in the fields and parameters that hold one.
func TestServer_hostileIDs_elsewhere(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	courier := s.onDuty(t)
	d := s.deliver(t, courier.id)
	before := s.hotKeys(t)
	for _, id := range hostileIDs {
		if len(id) > 8000 {
			id = id[:8000]
		}
		escaped := url.QueryEscape(id)
		for _, r := range []struct {
			method, path string
			body         any
		}{
			{"GET", "/v1/deliveries?courier_id=" + escaped, nil},
			{"GET", "/v1/deliveries?cursor=" + escaped, nil},
			{"GET", "/v1/couriers?cursor=" + escaped, nil},
			{"POST", "/v1/deliveries", with(draft(), "courier_id", id)},
			{"POST", "/v1/deliveries/" + text(d["id"]) + "/assign", object{"courier_id": id}},
			{"PUT", "/v1/couriers/" + courier.id + "/route", object{"delivery_ids": []string{id}}},
			{"GET", "/v1/limits/decisions?from=2026-03-04T18:00:00Z&to=2026-03-04T19:00:00Z&cursor=" + escaped, nil},
		} {
			if a := s.do(t, r.method, r.path, s.merchant, r.body); a.status < 400 || a.status > 499 {
				t.Errorf("%s %.80s %.80v: %d %s", r.method, r.path, r.body, a.status, a.body)
			}
		}
		session := s.do(t, "POST", "/v1/courier/positions", courier.token, object{"session": id, "positions": []object{fix(0, "seq", 1)}})
		if plain := strings.Trim(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == "" && len(id) <= 64; plain != (session.status == 202) || !plain && session.status != 422 && session.status != 400 {
			t.Errorf("the session %.80q is answered %d: %s", id, session.status, session.body)
		}
	}
	for name := range s.hotKeys(t) {
		if _, there := before[name]; !there && !strings.Contains(name, ":session:"+courier.id+":") && !strings.Contains(name, ":positions") && !strings.Contains(name, ":geo:") {
			t.Errorf("it made the key %q", name)
		}
	}
	if strings.Contains(s.log.String(), "level=ERROR") {
		t.Errorf("errors were logged:\n%.2000s", s.log)
	}
}
