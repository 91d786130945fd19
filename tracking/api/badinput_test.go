package api_test

import (
	"strings"
	"testing"

	"hotfoot/tracking"
)

// What is sent, and what must be named in the refusal. Every case is sent to the route that it belongs to, by somebody who may.
func TestServer_badInput(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	sam := s.onDuty(t)
	d := s.deliver(t, sam.id)
	const (
		place = `{"lat":1,"lon":2}`
		head  = `{"pickup":` + place + `,"dropoff":` + place
	)
	create := func(dropoff string) string { return `{"pickup":` + place + `,"dropoff":` + dropoff + `}` }
	long := func(n int) string { return strings.Repeat("é", n) }
	deliveries := func(body string) route { return route{"POST", "/v1/deliveries", office, body, false} }
	couriers := func(body string) route { return route{"POST", "/v1/couriers", office, body, false} }
	status := func(body string) route {
		return route{"POST", "/v1/courier/deliveries/" + text(d["id"]) + "/status", street, body, false}
	}
	for name, c := range map[string]struct {
		route
		status   int
		code     tracking.Code
		location string
	}{
		"no body":                          {deliveries(``), 400, tracking.CodeMalformed, ""},
		"not JSON":                         {deliveries(`pickup=1`), 400, tracking.CodeMalformed, "body"},
		"a truncated body":                 {deliveries(head), 400, tracking.CodeMalformed, "body"},
		"trailing bytes":                   {deliveries(head + `} x`), 400, tracking.CodeMalformed, "body"},
		"a second object":                  {deliveries(head + `}{}`), 400, tracking.CodeMalformed, "body"},
		"the NaN literal":                  {deliveries(create(`{"lat":NaN,"lon":2}`)), 400, tracking.CodeMalformed, "body"},
		"the Infinity literal":             {deliveries(create(`{"lat":Infinity,"lon":2}`)), 400, tracking.CodeMalformed, "body"},
		"single quotes":                    {deliveries(`{'pickup':1}`), 400, tracking.CodeMalformed, "body"},
		"a comment":                        {deliveries(head + `/* */}`), 400, tracking.CodeMalformed, "body"},
		"broken UTF-8":                     {deliveries(head + `,"note":"` + "\xc3\x28" + `"}`), 400, tracking.CodeMalformed, "body"},
		"a byte order mark":                {deliveries("\ufeff" + head + `}`), 400, tracking.CodeMalformed, "body"},
		"a raw control character":          {deliveries(head + `,"note":"` + "\x00" + `"}`), 400, tracking.CodeMalformed, "body"},
		"an escaped NUL":                   {deliveries(head + `,"note":"a\u0000b"}`), 400, tracking.CodeMalformed, "note"},
		"an escaped NUL in a key":          {deliveries(head + `,"no\u0000te":"b"}`), 400, tracking.CodeMalformed, ""},
		"a key twice":                      {deliveries(head + `,"note":"a","note":"b"}`), 400, tracking.CodeMalformed, "note"},
		"a key twice, once escaped":        {deliveries(head + `,"note":"a","n\u006fte":"b"}`), 400, tracking.CodeMalformed, "note"},
		"a key twice, deeper":              {deliveries(create(`{"lat":1,"lon":2,"lat":3}`)), 400, tracking.CodeMalformed, "dropoff.lat"},
		"nesting without end":              {deliveries(strings.Repeat(`{"a":`, 5000) + `1` + strings.Repeat(`}`, 5000)), 400, tracking.CodeMalformed, ""},
		"a list":                           {deliveries(`[]`), 422, tracking.CodeInvalid, "body"},
		"null":                             {deliveries(`null`), 422, tracking.CodeInvalid, "body"},
		"an unknown field":                 {deliveries(head + `,"colour":"red"}`), 422, tracking.CodeInvalid, "colour"},
		"an unknown field, deeper":         {deliveries(create(`{"lat":1,"lon":2,"alt":3}`)), 422, tracking.CodeInvalid, "dropoff.alt"},
		"a field in another case":          {deliveries(create(`{"lat":1,"lon":2,"LAT":3}`)), 422, tracking.CodeInvalid, "dropoff.LAT"},
		"no latitude":                      {deliveries(create(`{"lon":2}`)), 422, tracking.CodeInvalid, "dropoff.lat"},
		"no longitude":                     {deliveries(create(`{"lat":2}`)), 422, tracking.CodeInvalid, "dropoff.lon"},
		"no drop-off":                      {deliveries(`{"pickup":` + place + `}`), 422, tracking.CodeInvalid, "dropoff"},
		"a drop-off that is null":          {deliveries(create(`null`)), 422, tracking.CodeInvalid, "dropoff"},
		"a latitude that is null":          {deliveries(create(`{"lat":null,"lon":2}`)), 422, tracking.CodeInvalid, "dropoff.lat"},
		"a latitude that is text":          {deliveries(create(`{"lat":"1","lon":2}`)), 422, tracking.CodeInvalid, "dropoff.lat"},
		"a latitude beyond the pole":       {deliveries(create(`{"lat":90.01,"lon":2}`)), 422, tracking.CodeInvalid, "dropoff.lat"},
		"a longitude beyond the date line": {deliveries(create(`{"lat":1,"lon":-180.01}`)), 422, tracking.CodeInvalid, "dropoff.lon"},
		"a latitude without end":           {deliveries(create(`{"lat":1e400,"lon":2}`)), 0, "", ""},
		"an address that is a number":      {deliveries(create(`{"lat":1,"lon":2,"address":3}`)), 422, tracking.CodeInvalid, "dropoff.address"},
		"an address of 501 characters":     {deliveries(create(`{"lat":1,"lon":2,"address":"` + long(501) + `"}`)), 422, tracking.CodeInvalid, "dropoff.address"},
		"a note of 2001 characters":        {deliveries(head + `,"note":"` + long(2001) + `"}`), 422, tracking.CodeInvalid, "note"},
		"an external_id of 201":            {deliveries(head + `,"external_id":"` + long(201) + `"}`), 422, tracking.CodeInvalid, "external_id"},
		"a phone of 41":                    {deliveries(head + `,"recipient":{"name":"x","phone":"` + long(41) + `"}}`), 422, tracking.CodeInvalid, "recipient.phone"},
		"a window that ends first":         {deliveries(head + `,"window":{"from":"2026-03-04T18:10:00Z","to":"2026-03-04T18:09:59Z"}}`), 422, tracking.CodeInvalid, "window.to"},
		"a window that is no time":         {deliveries(head + `,"window":{"from":"noon"}}`), 422, tracking.CodeInvalid, "window.from"},
		"a window in the year 20000":       {deliveries(head + `,"window":{"from":"20000-01-01T00:00:00Z"}}`), 422, tracking.CodeInvalid, "window.from"},
		"a courier_id that is none":        {deliveries(head + `,"courier_id":"7"}`), 422, tracking.CodeInvalid, "courier_id"},
		"a body over its limit":            {deliveries(head + `,"note":"` + strings.Repeat("x", 64<<10) + `"}`), 413, tracking.CodeTooLarge, ""},

		"a courier without a name":    {couriers(`{"vehicle":"bike"}`), 422, tracking.CodeInvalid, "name"},
		"a courier with an empty one": {couriers(`{"name":"","vehicle":"bike"}`), 422, tracking.CodeInvalid, "name"},
		"a vehicle that is none":      {couriers(`{"name":"x","vehicle":"horse"}`), 422, tracking.CodeInvalid, "vehicle"},
		"a phone that is a number":    {couriers(`{"name":"x","vehicle":"bike","phone":1}`), 422, tracking.CodeInvalid, "phone"},

		"a status that is none":              {status(`{"status":"flying","client_event_id":"a"}`), 422, tracking.CodeInvalid, "status"},
		"a status that is the merchant's":    {status(`{"status":"cancelled","client_event_id":"a"}`), 422, tracking.CodeInvalid, "status"},
		"no status":                          {status(`{"client_event_id":"a"}`), 422, tracking.CodeInvalid, "status"},
		"no client_event_id":                 {status(`{"status":"picked_up"}`), 422, tracking.CodeInvalid, "client_event_id"},
		"an empty client_event_id":           {status(`{"status":"picked_up","client_event_id":""}`), 422, tracking.CodeInvalid, "client_event_id"},
		"a client_event_id of 101":           {status(`{"status":"picked_up","client_event_id":"` + long(101) + `"}`), 422, tracking.CodeInvalid, "client_event_id"},
		"a reason of 501":                    {status(`{"status":"picked_up","client_event_id":"a","reason":"` + long(501) + `"}`), 422, tracking.CodeInvalid, "reason"},
		"a time that is none":                {status(`{"status":"picked_up","client_event_id":"a","at":"soon"}`), 422, tracking.CodeInvalid, "at"},
		"a position without a longitude":     {status(`{"status":"picked_up","client_event_id":"a","position":{"lat":1}}`), 422, tracking.CodeInvalid, "position.lon"},
		"a position that is not on earth":    {status(`{"status":"picked_up","client_event_id":"a","position":{"lat":91,"lon":1}}`), 422, tracking.CodeInvalid, "position.lat"},
		"a proof of 201":                     {status(`{"status":"picked_up","client_event_id":"a","proof":{"left_at":"` + long(201) + `"}}`), 422, tracking.CodeInvalid, "proof.left_at"},
		"a proof with an unknown field":      {status(`{"status":"picked_up","client_event_id":"a","proof":{"photo":"x"}}`), 422, tracking.CodeInvalid, "proof.photo"},
		"a position with an unknown reading": {status(`{"status":"picked_up","client_event_id":"a","position":{"lat":1,"lon":1,"mood":1}}`), 422, tracking.CodeInvalid, "position.mood"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key := s.merchant
			if c.roles[0] == tracking.RoleCourier {
				key = sam.token
			}
			a := s.do(t, c.method, c.path, key, c.body)
			if c.status == 0 {
				if a.status != 400 && a.status != 422 {
					t.Errorf("status %d: %s", a.status, a.body)
				}
				return
			}
			p := a.refused(t, c.status, c.code)
			if c.location != "" {
				at(t, p, c.location)
			}
		})
	}
	t.Run("texts as long as they may be are taken", func(t *testing.T) {
		t.Parallel()
		s.do(t, "POST", "/v1/deliveries", s.merchant, with(draft(), "note", long(2000), "external_id", long(200),
			"dropoff", object{"lat": -90, "lon": 180, "address": long(500), "name": long(200)},
			"recipient", object{"name": long(200), "phone": long(40)})).want(t, 201)
	})
}

// Whatever a text says, it is stored and given back as it was.
func TestServer_texts(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, note := range []string{
		`'; DROP TABLE deliveries; --`, `<script>alert(1)</script>`, `$1 %s {{.}}`, "tab\tline\nfeed", `quote " backslash \ slash /`, "مرحبا 👋🏽 e\u0301",
		"\u202egnp.exe", "\u0001\u001f\u007f", "\ufffd\uffff", " ", `=cmd|' /C calc'!A0`,
	} {
		d := s.do(t, "POST", "/v1/deliveries", s.merchant, with(draft(), "note", note)).want(t, 201)
		if got := s.do(t, "GET", "/v1/deliveries/"+text(d["id"]), s.merchant, nil).want(t, 200); got["note"] != note || d["note"] != note {
			t.Errorf("sent %q, made %q, read %q", note, d["note"], got["note"])
		}
	}
}

func TestServer_contentType(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	sam := s.onDuty(t)
	body := `{"pickup":{"lat":1,"lon":2},"dropoff":{"lat":3,"lon":4}}`
	for _, c := range []string{"application/json", "application/json; charset=utf-8", ""} {
		s.do(t, "POST", "/v1/deliveries", s.merchant, body, "Content-Type: "+c).want(t, 201)
		s.do(t, "POST", "/v1/courier/positions", sam.token, fix(0), "Content-Type: "+c).want(t, 202)
	}
	for _, c := range []string{"application/xml", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"} {
		s.do(t, "POST", "/v1/deliveries", s.merchant, body, "Content-Type: "+c).refused(t, 415, tracking.CodeMalformed)
	}
	for _, accept := range []string{"*/*", "text/html", "application/xml", "application/cbor;q=0.9", "x"} {
		s.do(t, "GET", "/v1/deliveries", s.merchant, nil, "Accept: "+accept).want(t, 200)
		s.do(t, "GET", "/v1/deliveries/7", s.merchant, nil, "Accept: "+accept).refused(t, 404, tracking.CodeNotFound)
	}
}
