package api_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"hotfoot/tracking"
)

func TestServer_Merchant(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	other := s.newTenant(t, "Another kitchen")
	standard := object{"name": "Corner Kitchen", "visible_stops": 2.0, "visible_from": "en_route", "rounding_m": 0.0, "delay_s": 0.0}
	same := func(t *testing.T, got, want object) {
		t.Helper()
		for key, value := range want {
			if got[key] != value {
				t.Errorf("%s is %v, want %v", key, got[key], value)
			}
		}
	}
	same(t, s.do(t, "GET", "/v1/merchant", s.merchant, nil).want(t, 200), with(standard, "id", s.id.String()))
	changed := object{"visible_stops": 0, "visible_from": "arriving", "rounding_m": 300, "delay_s": 60}
	for key, value := range changed {
		got := s.do(t, "PATCH", "/v1/merchant", s.merchant, object{key: value}).want(t, 200)
		if fmt.Sprint(got[key]) != fmt.Sprint(value) {
			t.Errorf("%s became %v, want %v", key, got[key], value)
		}
		standard[key] = got[key]
		same(t, got, standard)
	}
	same(t, s.do(t, "PATCH", "/v1/merchant", s.merchant, object{}).want(t, 200), standard)
	for field, values := range map[string][]any{
		"visible_stops": {-1, 51, 1.5, "2"}, "visible_from": {"picked_up", "", 1}, "rounding_m": {-1, 49, 5001}, "delay_s": {-1, 301, 0.5}, "name": {"Mine"}, "id": {other.id.String()},
	} {
		for _, value := range values {
			a := s.do(t, "PATCH", "/v1/merchant", s.merchant, map[string]any{field: value})
			at(t, a.refused(t, 422, tracking.CodeInvalid), field)
		}
	}
	same(t, s.do(t, "GET", "/v1/merchant", s.merchant, nil).want(t, 200), standard)
	same(t, s.do(t, "GET", "/v1/merchant", other.merchant, nil).want(t, 200), object{"name": "Another kitchen", "visible_stops": 2.0, "rounding_m": 0.0, "delay_s": 0.0})
}

// What a customer's page polls follows the settings, however they came to be what they are.
func TestServer_Customer_settings(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	sam := s.onDuty(t)
	s.deliver(t, sam.id)
	d := s.deliver(t, sam.id)
	s.report(t, sam, d["id"], "picked_up", "en_route")
	s.do(t, "POST", "/v1/courier/positions", sam.token, fix(20*time.Second, "heading_deg", 90, "speed_mps", 5, "accuracy_m", 4)).want(t, 202)
	look := func() object { return s.do(t, "GET", "/v1/track/"+text(d["tracking_token"]), "", nil).want(t, 200) }
	becomes := func(t *testing.T, what string, holds func(o object, p object) bool) {
		t.Helper()
		eventually(t, what, func() bool {
			o := look()
			p, _ := o["position"].(object)
			return holds(o, p)
		})
	}
	set := func(settings object) { s.do(t, "PATCH", "/v1/merchant", s.merchant, settings).want(t, 200) }
	exact := func(_, p object) bool {
		return p["lat"] == 37.7812 && p["heading_deg"] == 90.0 && p["rounded_m"] == nil
	}
	zones := func(list ...object) {
		if list == nil {
			list = []object{}
		}
		c := s.do(t, "PATCH", "/v1/couriers/"+sam.id, s.ops, object{"hidden_zones": list}).want(t, 200)
		if fmt.Sprint(c["hidden_zones"]) != fmt.Sprint(s.do(t, "GET", "/v1/couriers/"+sam.id, s.ops, nil).want(t, 200)["hidden_zones"]) || len(c["hidden_zones"].([]any)) != len(list) {
			t.Errorf("the zones are %v", c["hidden_zones"])
		}
	}
	becomes(t, "shown as they are", exact)

	set(object{"rounding_m": 500})
	becomes(t, "rounded", func(o, p object) bool {
		return p["rounded_m"] == 500.0 && p["lat"] != 37.7812 && p["heading_deg"] == nil && p["speed_mps"] == nil && p["accuracy_m"] == nil && o["eta"] != nil
	})
	set(object{"rounding_m": 0, "visible_stops": 0})
	becomes(t, "too many stops", func(o, p object) bool { return o["visible"] == false && o["why"] == "not_yet" && p == nil })
	set(object{"visible_stops": 2, "visible_from": "arriving"})
	becomes(t, "not arriving", func(o, p object) bool { return o["visible"] == false && o["why"] == "not_yet" && p == nil })
	set(object{"visible_from": "en_route", "delay_s": 300})
	becomes(t, "too young", func(o, p object) bool { return o["visible"] == true && p == nil && o["eta"] != nil })
	set(object{"delay_s": 10})
	becomes(t, "old enough", exact)

	zones(object{"lat": 37.7812, "lon": -122.4112, "radius_m": 50})
	becomes(t, "in a hidden zone", func(o, p object) bool { return o["visible"] == true && o["why"] == nil && p == nil && o["eta"] == nil })
	for _, page := range items(t, s.do(t, "GET", "/v1/couriers", s.ops, nil).want(t, 200)) {
		if _, there := page["hidden_zones"]; there {
			t.Error("a list tells where somebody lives")
		}
	}
	if fleet := items(t, s.do(t, "GET", "/v1/ops/couriers", s.ops, nil).want(t, 200)); fleet[0]["position"].(object)["lat"] != 37.7812 {
		t.Errorf("a dispatcher sees %v", fleet[0]["position"])
	}
	zones()
	becomes(t, "no zone any more", exact)
	for field, bad := range map[string]any{
		"hidden_zones":             slices.Repeat([]object{{"lat": 1, "lon": 1, "radius_m": 50}}, 6),
		"hidden_zones[0].lat":      []object{{"lat": 91, "lon": 1, "radius_m": 50}},
		"hidden_zones[0].radius_m": []object{{"lat": 1, "lon": 1, "radius_m": 49}},
		"hidden_zones[0].lon":      []object{{"lat": 1, "radius_m": 49}},
	} {
		at(t, s.do(t, "PATCH", "/v1/couriers/"+sam.id, s.ops, object{"hidden_zones": bad}).refused(t, 422, tracking.CodeInvalid), field)
	}
}
