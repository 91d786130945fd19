package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"hotfoot/tracking"
)

// noSuchID is one that nothing has.
const noSuchID = "01920000-0000-7000-8000-000000000000"

// Whatever stands in the place of an id or a token, and whatever is asked of a list: it is answered, and no id that cannot exist is found.
func FuzzServer_path(f *testing.F) {
	b := newBare(f)
	routes := b.routes()
	for i := range routes {
		f.Add(uint8(i), noSuchID, "")
	}
	for _, id := range []string{"{p0}:control", "*", "a\r\nDEL x\r\n", "\x00", "\xff", "01920000-0000-7000-8000-00000000000\n", strings.Repeat("A", 43)} {
		f.Add(uint8(placeOf(routes, "GET /v1/deliveries/{id}")), id, "")
		f.Add(uint8(placeOf(routes, "GET /v1/track/{token}")), id, "")
	}
	for _, seed := range [][2]string{
		{"GET /v1/deliveries", "limit=0&a=%zz"},
		{"GET /v1/deliveries", "limit=200&cursor=" + noSuchID},
		{"GET /v1/deliveries", "status=created,en_route&courier_id=x&external_id=%00"},
		{"GET /v1/couriers", "on_duty=maybe&limit=1&limit=2"},
		{"GET /v1/ops/couriers", "near=37.7812,-122.4112&radius_m=1000"},
		{"GET /v1/ops/couriers", "near=NaN,Inf&radius_m=1e400"},
		{"GET /v1/ops/leaderboard", "day=2026-02-29"},
		{"GET /v1/ops/leaderboard", "day=2026-03-04&limit=5"},
		{"GET /v1/ops/eta", "from=1,2&to=91,181&vehicle=bike"},
		{"GET /v1/limits/decisions", "from=2026-03-04T18:00:00Z&to=2026-03-04T19:00:00Z&cursor=AAAAAGmocAAAAAAAAAAAAAAAAAAAAAAA"},
		{"GET /v1/limits/decisions", "from=0000-01-01T00:00:00Z&to=99999-01-01T00:00:00Z"},
		{"GET /v1/deliveries/{id}/track", "suspect=true&&&="},
	} {
		f.Add(uint8(placeOf(routes, seed[0])), noSuchID, seed[1])
	}
	f.Fuzz(func(t *testing.T, which uint8, id, query string) {
		r := routes[int(which)%len(routes)]
		var body []byte
		if r.body != nil {
			body, _ = json.Marshal(r.body)
		}
		got := b.ask(r, id, query, body, http.Header{})
		if got == nil {
			return
		}
		b.sound(t, r, got)
		if _, err := tracking.ParseID(id); err != nil && strings.Contains(r.path, "{id}") && got.Code < 400 {
			t.Fatalf("%s: %q was found: %d %s", r, id, got.Code, got.Body)
		}
	})
}

// Whatever a body says, it is refused as a problem, or it was strict JSON; and a delivery that was made says what was sent.
func FuzzServer_body(f *testing.F) {
	b := newBare(f)
	routes := b.routes()
	for i, r := range routes {
		if r.body == nil {
			continue
		}
		body, err := json.Marshal(r.body)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(i), body)
		f.Add(uint8(i), []byte(`{"name":"a","name":"b"}`))
	}
	deliveries := placeOf(routes, "POST /v1/deliveries")
	for _, body := range []string{
		`{"pickup":{"lat":-90,"lon":180},"dropoff":{"lat":1e-7,"lon":-0},"recipient":{"name":"<img src=x onerror=alert(1)>","phone":"+1"},"note":"\u202e\ud83d\ude00","external_id":"'; --"}`,
		`{"pickup":{"lat":1,"lon":2},"dropoff":{"lat":3,"lon":4},"window":{"from":"2026-03-04T18:10:00+14:00","to":null}}`,
		`{"pickup":{"lat":1,"lon":2},"dropoff":{"lat":3,"lon":4},"note":"\u0000"}`, `{"pickup":{"lat":1,"lon":2},"dropoff":{"lat":3,"lon":4},"note":"\ud800"}`,
	} {
		f.Add(uint8(deliveries), []byte(body))
	}
	for _, odd := range []string{`{"role":"system"}`, `{"expires_at":"9999-12-31T23:59:59-14:00","role":"ops"}`, "\ufeff{}", `{"role":null}`} {
		f.Add(uint8(placeOf(routes, "POST /v1/keys")), []byte(odd))
	}
	f.Fuzz(func(t *testing.T, which uint8, body []byte) {
		r := routes[int(which)%len(routes)]
		got := b.ask(r, noSuchID, "", body, http.Header{"Content-Type": {"application/json"}})
		b.sound(t, r, got)
		if r.body == nil || got.Code >= 400 && got.Code != http.StatusServiceUnavailable && got.Code != http.StatusNotFound {
			return
		}
		if !json.Valid(body) || !utf8.Valid(body) {
			t.Fatalf("%s: %d for what is no JSON: %q", r, got.Code, body)
		}
		if got.Code == http.StatusCreated && r.String() == "POST /v1/deliveries" {
			sameTexts(t, body, got.Body.Bytes())
		}
	})
}

// sameTexts holds a delivery to the draft that it was made of.
func sameTexts(t *testing.T, draft, made []byte) {
	t.Helper()
	type place struct {
		Lat, Lon      float64
		Address, Name string
	}
	type delivery struct {
		Pickup, Dropoff place
		ExternalID      *string `json:"external_id"`
		Note            *string
		Recipient       *struct{ Name, Phone string }
	}
	var sent, got delivery
	if json.Unmarshal(draft, &sent) != nil || json.Unmarshal(made, &got) != nil {
		t.Fatalf("%s became %s", draft, made)
	}
	full := func(s *string) string {
		if s == nil {
			return ""
		}
		return *s
	}
	if sent.Pickup != got.Pickup || sent.Dropoff != got.Dropoff || full(sent.Note) != full(got.Note) || full(sent.ExternalID) != full(got.ExternalID) {
		t.Fatalf("%s became %s", draft, made)
	}
	if sent.Recipient != nil && *sent.Recipient != (struct{ Name, Phone string }{}) && (got.Recipient == nil || *sent.Recipient != *got.Recipient) {
		t.Fatalf("%s became %s", draft, made)
	}
}

// Whatever headers say of who asks, of the body, or of what is wanted: nobody gets in who holds no key.
func FuzzServer_headers(f *testing.F) {
	b := newBare(f)
	routes := b.routes()
	list := placeOf(routes, "GET /v1/deliveries")
	for _, seed := range [][2]string{
		{"Authorization", "Bearer hf_merchant_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
		{"Authorization", "Bearer"},
		{"Authorization", "bearer\t\x00"},
		{"Authorization", "Basic YTpi"},
		{"Cookie", "hotfoot_session=AAAA"},
		{"Cookie", "__Host-hotfoot=" + strings.Repeat("A", 96)},
		{"Idempotency-Key", strings.Repeat("k", 201)},
		{"Prefer", "wait=99999999999999999999"},
		{"Prefer", "wait=-1, respond-async"},
		{"Content-Type", "application/cbor"},
		{"Content-Type", "multipart/form-data; boundary="},
		{"Content-Encoding", "gzip, gzip"},
		{"Accept", "application/xml;q=2"},
		{"Origin", "null"},
		{"X-Forwarded-For", "::ffff:127.0.0.1, ,"},
		{"Sec-WebSocket-Protocol", "bearer."},
		{"If-None-Match", `W/"`},
		{"Expect", "100-continue"},
	} {
		f.Add(uint8(list), seed[0], seed[1])
		f.Add(uint8(placeOf(routes, "POST /v1/deliveries")), seed[0], seed[1])
		f.Add(uint8(placeOf(routes, "POST /v1/courier/positions")), seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, which uint8, name, value string) {
		r := routes[int(which)%len(routes)]
		name = http.CanonicalHeaderKey(name)
		var body []byte
		if r.body != nil {
			body, _ = json.Marshal(r.body)
		}
		got := b.ask(r, noSuchID, "", body, http.Header{name: {value}})
		b.sound(t, r, got)
		guessed := (name == "Authorization" || name == "Cookie") && value != ""
		if guessed && len(r.roles) > 0 && got.Code != http.StatusUnauthorized {
			t.Fatalf("%s: %s: %q is answered %d", r, name, value, got.Code)
		}
	})
}

// placeOf is where a route stands in a list.
func placeOf(routes []route, name string) int {
	for i, r := range routes {
		if r.String() == name {
			return i
		}
	}
	panic("no route " + name)
}
