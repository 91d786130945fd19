package api_test

import (
	"encoding/json"
	"net/url"
	"os"
	"strings"
	"testing"

	"hotfoot/tracking"
)

// payloads are texts that would be script on a page, or a statement in Postgres, if anybody took them for more than texts.
func payloads(t *testing.T) []string {
	t.Helper()
	content, err := os.ReadFile("../../web/test/payloads.json")
	must(t, err)
	var kinds struct{ Script, SQL []string }
	must(t, json.Unmarshal(content, &kinds))
	if len(kinds.Script) < 200 || len(kinds.SQL) < 20 {
		t.Fatalf("%d and %d payloads", len(kinds.Script), len(kinds.SQL))
	}
	return append(kinds.Script, kinds.SQL...)
}

// Every text that anybody may send is stored and read back byte for byte, and no fault of ours comes of it.
func TestServer_payloads(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	same := func(what string, got any, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: sent %q, read %q", what, want, got)
		}
	}
	for _, p := range payloads(t) {
		short := string([]rune(p)[:min(len([]rune(p)), 40)])
		courier := s.do(t, "POST", "/v1/couriers", s.merchant, object{"name": p, "vehicle": "bike", "phone": short}).want(t, 201)
		courier = s.do(t, "GET", "/v1/couriers/"+text(courier["id"]), s.merchant, nil).want(t, 200)
		same("courier.name", courier["name"], p)
		same("courier.phone", courier["phone"], short)
		d := s.do(t, "POST", "/v1/deliveries", s.merchant, object{
			"pickup": object{"lat": 1, "lon": 2, "name": p, "address": p}, "dropoff": object{"lat": 1, "lon": 2, "name": p, "address": p},
			"recipient": object{"name": p, "phone": short}, "note": p, "external_id": p,
		}, "Idempotency-Key: "+tracking.NewID().String()).want(t, 201)
		id := text(d["id"])
		d = s.do(t, "GET", "/v1/deliveries/"+id, s.merchant, nil).want(t, 200)
		for _, place := range []string{"pickup", "dropoff"} {
			same(place+".name", d[place].(object)["name"], p)
			same(place+".address", d[place].(object)["address"], p)
		}
		same("recipient.name", d["recipient"].(object)["name"], p)
		same("recipient.phone", d["recipient"].(object)["phone"], short)
		same("note", d["note"], p)
		same("external_id", d["external_id"], p)
		s.do(t, "POST", "/v1/deliveries/"+id+"/cancel", s.merchant, object{"reason": p}).want(t, 200)
		events := items(t, s.do(t, "GET", "/v1/deliveries/"+id+"/events", s.merchant, nil).want(t, 200))
		same("reason", events[len(events)-1]["reason"], p)
		key := s.do(t, "POST", "/v1/keys", s.merchant, object{"role": "ops", "label": short}).object(t)
		same("label", key["label"], short)
	}
	if n := s.count(t, "deliveries"); n != len(payloads(t)) {
		t.Errorf("%d deliveries are there", n)
	}
}

// The same texts as parameters are refused, and break nothing.
func TestServer_payloads_parameters(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, p := range payloads(t) {
		q := url.QueryEscape(p)
		for _, path := range []string{
			"/v1/deliveries?status=", "/v1/deliveries?courier_id=", "/v1/deliveries?cursor=", "/v1/deliveries?limit=", "/v1/couriers?on_duty=", "/v1/couriers?cursor=", "/v1/ops/couriers?near=",
			"/v1/ops/leaderboard?day=", "/v1/ops/leaderboard?limit=", "/v1/ops/eta?from=", "/v1/limits/decisions?from=2026-03-04T18:00:00Z&to=", "/v1/nothing?",
		} {
			if a := s.do(t, "GET", path+q, s.merchant, nil); a.status < 400 || a.status > 499 {
				t.Errorf("%s%q: %d %s", path, p, a.status, a.body)
			}
		}
	}
	if strings.Contains(s.log.String(), "level=ERROR") {
		t.Errorf("errors were logged:\n%.2000s", s.log)
	}
}

func (s *site) count(t *testing.T, table string) (n int) {
	t.Helper()
	must(t, s.pool.QueryRow(t.Context(), "SELECT count(*) FROM "+table).Scan(&n))
	return n
}
