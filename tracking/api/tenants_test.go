package api_test

import (
	"bytes"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"
)

// Whatever one merchant asks, no byte of another's comes back: not a name, not an id, not a number that counts them.
func TestServer_tenants(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	sam := s.onDuty(t)
	own := text(s.deliver(t, sam.id)["id"])
	asked := func() map[string][]byte {
		answers := map[string][]byte{}
		for _, path := range []string{
			"/v1/couriers", "/v1/deliveries", "/v1/deliveries?status=assigned,created,en_route", "/v1/deliveries/" + own, "/v1/deliveries/" + own + "/events",
			"/v1/deliveries/" + own + "/track", "/v1/ops/couriers", "/v1/ops/couriers?near=37.7812,-122.4112&radius_m=100000", "/v1/ops/stats", "/v1/keys", "/v1/audit",
		} {
			a := s.do(t, "GET", path, s.merchant, nil)
			if a.status != 200 {
				t.Fatalf("%s: %d %s", path, a.status, a.body)
			}
			answers[path] = a.body
		}
		return answers
	}
	before := asked()

	// The other one has the same things at the same place.
	other := s.newTenant(t, "Secretive kitchen")
	const mark = "zq7secret"
	kim := s.hire(t, other, "Kim "+mark)
	s.do(t, "PUT", "/v1/courier/shift", kim.token, object{"on_duty": true}).want(t, 200)
	body := draft()
	body["external_id"], body["note"], body["courier_id"] = mark, mark, kim.id
	body["recipient"] = object{"name": mark, "phone": "+1 415 555 0123"}
	theirs := s.do(t, "POST", "/v1/deliveries", other.merchant, body).want(t, 201)
	key := s.do(t, "POST", "/v1/keys", other.merchant, object{"role": "ops", "label": mark}).want(t, 201)
	for _, status := range []string{"picked_up", "en_route"} {
		s.do(t, "POST", "/v1/courier/deliveries/"+text(theirs["id"])+"/status", kim.token, object{"status": status, "client_event_id": status}).want(t, 200)
	}
	s.do(t, "POST", "/v1/courier/positions", kim.token, object{"lat": 37.7812, "lon": -122.4112, "recorded_at": time.Now()}).want2xx(t)

	for path, answer := range asked() {
		if !bytes.Equal(answer, before[path]) {
			t.Errorf("%s changes with what another merchant has:\n%s\n%s", path, before[path], answer)
		}
	}
	foreign := []string{mark, kim.id, text(theirs["id"]), text(theirs["tracking_token"]), text(key["id"]), other.id.String()}
	look := func(method, path, key string, body any) {
		t.Helper()
		a := s.do(t, method, path, key, body)
		for _, secret := range foreign {
			if bytes.Contains(a.body, []byte(secret)) && !strings.Contains(fmt.Sprint(path, body), secret) {
				t.Errorf("%s %s: %d says %q: %s", method, path, a.status, secret, a.body)
			}
		}
		route, _, _ := strings.Cut(path, "?") // a cursor is a moment, whosever it is
		if a.status >= 500 || a.status/100 == 2 && strings.Contains(route, text(theirs["id"])) {
			t.Errorf("%s %s: %d %s", method, path, a.status, a.body)
		}
	}
	keys := []string{s.merchant, s.ops, sam.token}
	for _, r := range contract {
		if r.socket || len(r.roles) == 0 {
			continue
		}
		for _, id := range []string{text(theirs["id"]), kim.id, text(key["id"])} {
			for _, key := range keys {
				look(r.method, strings.Replace(r.path, "{id}", id, 1), key, r.body)
			}
		}
	}
	for _, query := range []url.Values{
		{"courier_id": {kim.id}}, {"cursor": {text(theirs["id"])}}, {"cursor": {kim.id}}, {"courier_id": {kim.id}, "status": {"en_route"}},
	} {
		look("GET", "/v1/deliveries?"+query.Encode(), s.merchant, nil)
	}
	look("GET", "/v1/couriers?cursor="+kim.id, s.merchant, nil)
	look("POST", "/v1/deliveries/"+own+"/assign", s.merchant, object{"courier_id": kim.id})
	look("PUT", "/v1/couriers/"+sam.id+"/route", s.merchant, object{"delivery_ids": []string{text(theirs["id"])}})
	look("POST", "/v1/deliveries", s.merchant, with(draft(), "courier_id", kim.id))
	look("POST", "/v1/deliveries", s.merchant, with(draft(), "external_id", mark))
	if still := s.do(t, "GET", "/v1/deliveries/"+text(theirs["id"]), other.merchant, nil).want(t, 200); still["status"] != "en_route" || still["courier_id"] != kim.id {
		t.Errorf("the other's delivery is now %v", still)
	}
}
