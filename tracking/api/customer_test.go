package api_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"hotfoot/tracking"
)

func TestServer_Customer_track(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	sam := s.onDuty(t)
	secretPlace := object{"lat": 12.345678, "lon": 23.456789, "address": "9 Hidden Street"}
	before := s.do(t, "POST", "/v1/deliveries", s.merchant, with(draft(), "courier_id", sam.id, "dropoff", secretPlace,
		"recipient", object{"name": "Somebody Else"})).want(t, 201)
	d := s.deliver(t, sam.id)
	look := func(t *testing.T) object {
		t.Helper()
		a := s.do(t, "GET", "/v1/track/"+text(d["tracking_token"]), "", nil)
		o := a.want(t, 200)
		if a.header.Get("Cache-Control") != "no-store" || a.header.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("Cache-Control %q, Referrer-Policy %q", a.header.Get("Cache-Control"), a.header.Get("Referrer-Policy"))
		}
		for _, hidden := range []string{"12.345678", "23.456789", "9 Hidden Street", "Somebody Else", text(before["id"]), sam.id, "phone"} {
			if strings.Contains(string(a.body), hidden) {
				t.Errorf("the customer is told %q: %s", hidden, a.body)
			}
		}
		return o
	}
	hidden := func(t *testing.T, status, why string) {
		t.Helper()
		if o := look(t); o["status"] != status || o["visible"] != false || o["why"] != why || o["position"] != nil {
			t.Errorf("got %v, want %s and %s without a position", o, status, why)
		}
	}
	s.do(t, "POST", "/v1/courier/positions", sam.token, fix(0)).want(t, 202)
	hidden(t, "assigned", "not_yet")
	s.report(t, sam, d["id"], "picked_up")
	hidden(t, "picked_up", "not_yet")

	s.report(t, sam, d["id"], "en_route")
	o := look(t)
	if o["type"] != "snapshot" || o["visible"] != true || o["why"] != nil || o["ver"] != 4.0 || o["live"] != true || o["stops_before"] != 1.0 {
		t.Errorf("got %v", o)
	}
	if p := o["position"].(object); p["lat"] != 37.7812 || p["lon"] != -122.4112 {
		t.Errorf("position %v", p)
	}
	if o["eta"] == nil || o["courier"].(object)["name"] != "Sam" || len(o["events"].([]any)) != 4 || o["merchant"].(object)["name"] != "Corner Kitchen" {
		t.Errorf("got %v", o)
	}

	s.do(t, "PUT", "/v1/courier/shift", sam.token, object{"on_duty": false}).want(t, 200)
	hidden(t, "en_route", "off")
	s.do(t, "PUT", "/v1/courier/shift", sam.token, object{"on_duty": true}).want(t, 200)
	s.do(t, "POST", "/v1/courier/positions", sam.token, fix(0)).want(t, 202)
	s.report(t, sam, d["id"], "arriving")
	if o := look(t); o["visible"] != true || o["position"] == nil {
		t.Errorf("arriving: got %v", o)
	}
	s.report(t, sam, d["id"], "delivered")
	hidden(t, "delivered", "finished")
}

// A customer sees the courier only when at most two stops come first.
func TestServer_Customer_stopsBefore(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	sam := s.onDuty(t)
	var deliveries []object
	for range 4 {
		d := s.deliver(t, sam.id)
		s.report(t, sam, d["id"], "picked_up", "en_route")
		deliveries = append(deliveries, d)
	}
	s.do(t, "POST", "/v1/courier/positions", sam.token, fix(0)).want(t, 202)
	shown := func(t *testing.T) (out []bool) {
		for _, d := range deliveries {
			o := s.do(t, "GET", "/v1/track/"+text(d["tracking_token"]), "", nil).want(t, 200)
			if (o["position"] != nil) != (o["visible"] == true) {
				t.Errorf("visible %v with position %v", o["visible"], o["position"])
			}
			out = append(out, o["visible"] == true)
		}
		return out
	}
	if got := shown(t); !got[0] || !got[1] || !got[2] || got[3] {
		t.Errorf("shown %v, want the first three", got)
	}
	s.report(t, sam, deliveries[0]["id"], "arriving", "delivered")
	eventually(t, "the last one moves up", func() bool { return shown(t)[3] })
	if got := shown(t); got[0] {
		t.Error("the courier is shown after the end")
	}
}

// Whatever is wrong with a token, the answer is the same, byte for byte: nobody learns whether a delivery exists.
func TestServer_Customer_tokens(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	d := s.deliver(t, "")
	good := text(d["tracking_token"])
	id, err := tracking.ParseID(text(d["id"]))
	must(t, err)
	other, err := tracking.NewLinker([]byte("another secret of at least 32 bytes"))
	must(t, err)

	revoked := text(s.deliver(t, "")["tracking_token"])
	for _, page := range items(t, s.do(t, "GET", "/v1/deliveries?limit=1", s.merchant, nil).want(t, 200)) {
		s.do(t, "POST", "/v1/deliveries/"+text(page["id"])+"/link/revoke", s.merchant, nil).want(t, 200)
	}
	ended := s.deliver(t, "")
	s.do(t, "POST", "/v1/deliveries/"+text(ended["id"])+"/cancel", s.merchant, object{"reason": "x"}).want(t, 200)
	s.do(t, "GET", "/v1/track/"+text(ended["tracking_token"]), "", nil).want(t, 200)
	_, err = s.pool.Exec(t.Context(), "UPDATE deliveries SET finished_at = $2 WHERE id = $1", text(ended["id"]), time.Now().Add(-tracking.LinkLife))
	must(t, err)
	must(t, s.hot.FlushDB(t.Context()).Err())

	tokens := map[string]string{
		"unknown":               s.linker.Token(tracking.NewID(), 0),
		"of another secret":     other.Token(id, 0),
		"of a later link":       s.linker.Token(id, 1),
		"revoked":               revoked,
		"expired":               text(ended["tracking_token"]),
		"the delivery's id":     id.String(),
		"cut short":             good[:len(good)-1],
		"too long":              good + "A",
		"padded":                good + "=",
		"in upper case":         strings.ToUpper(good),
		"of one letter":         "x",
		"of a megabyte":         strings.Repeat("A", 8<<10),
		"with another alphabet": strings.Repeat("+", len(good)),
		"in base64 of zeros":    base64.RawURLEncoding.EncodeToString(make([]byte, 33)),
		"with NUL":              "%00" + good[3:],
		"with a line feed":      good[:20] + "%0A" + good[21:],
		"with SQL":              "'%20OR%20'1'='1",
		"with a glob":           "*",
	}
	for _, prefix := range []string{"/v1/track/", "/t/"} {
		var first answer
		for name, token := range tokens {
			a := s.do(t, "GET", prefix+token, "", nil)
			if a.status != 404 {
				t.Errorf("%s %s: status %d: %.200s", prefix, name, a.status, a.body)
				continue
			}
			if first.status == 0 {
				first = a
			}
			if string(a.body) != string(first.body) {
				t.Errorf("%s %s is told apart:\n%s\n%s", prefix, name, a.body, first.body)
			}
			for header := range a.header {
				if a.header.Get(header) != first.header.Get(header) && header != "Date" {
					t.Errorf("%s %s: %s is %q, elsewhere %q", prefix, name, header, a.header.Get(header), first.header.Get(header))
				}
			}
		}
		if prefix == "/v1/track/" {
			first.refused(t, 404, tracking.CodeNotFound)
		}
	}
	s.do(t, "GET", "/v1/track/"+good, "", nil).want(t, 200)
}

func TestServer_Customer_page(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	d := s.deliver(t, "")
	a := s.do(t, "GET", "/t/"+text(d["tracking_token"]), "", nil)
	if a.status != 200 || !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
		t.Errorf("%d %s", a.status, a.header.Get("Content-Type"))
	}
	if a.header.Get("Referrer-Policy") != "no-referrer" || a.header.Get("Content-Security-Policy") == "" {
		t.Errorf("headers %v", a.header)
	}
	for _, path := range []string{"/ops", "/docs"} {
		if a := s.do(t, "GET", path, "", nil); a.status != 200 || !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
			t.Errorf("%s: %d %s", path, a.status, a.header.Get("Content-Type"))
		}
	}
}
