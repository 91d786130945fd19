package api_test

import (
	"fmt"
	"testing"
	"time"

	"hotfoot/tracking"
)

// A courier is told exactly of those customers that they are visible who are shown them, and why.
func TestServer_viewers(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	sam, max := s.onDuty(t), s.onDuty(t)
	var deliveries []object
	for range 5 {
		deliveries = append(deliveries, s.deliver(t, sam.id))
	}
	s.deliver(t, max.id)
	began := time.Now().Add(-time.Second)
	for _, i := range []int{0, 1, 3, 4} {
		s.report(t, sam, deliveries[i]["id"], "picked_up", "en_route")
	}
	s.do(t, "POST", "/v1/courier/positions", sam.token, fix(0)).want(t, 202)
	told := func(t *testing.T) (whys []string, dispatchers object) {
		t.Helper()
		o := s.do(t, "GET", "/v1/courier/viewers", sam.token, nil).want(t, 200)
		for i, item := range items(t, o) {
			d := deliveries[i]
			if item["delivery_id"] != d["id"] || item["viewers"] != nil || item["visible"] != (item["why"] == "on_the_way") {
				t.Errorf("item %d is %v", i, item)
			}
			since, err := time.Parse(time.RFC3339, text(item["since"]))
			if underway := item["status"] == "en_route" || item["status"] == "arriving"; underway != (err == nil) || underway && since.Before(began) {
				t.Errorf("%s since %v", item["status"], item["since"])
			}
			eventually(t, fmt.Sprintf("the customer %d sees what the courier is told: %v", i, item), func() bool {
				shown := s.do(t, "GET", "/v1/track/"+text(d["tracking_token"]), "", nil).want(t, 200)
				return shown["visible"] == item["visible"] && (shown["position"] != nil) == item["visible"]
			})
			whys = append(whys, text(item["why"]))
		}
		return whys, o["dispatchers"].(object)
	}
	same := func(t *testing.T, duty string, want ...string) {
		t.Helper()
		got, dispatchers := told(t)
		if fmt.Sprint(got) != fmt.Sprint(want) || dispatchers["visible"] != (duty == "on_duty") || dispatchers["why"] != duty {
			t.Errorf("told %v and %v, want %v and %s", got, dispatchers, want, duty)
		}
	}
	set := func(settings object) { s.do(t, "PATCH", "/v1/merchant", s.merchant, settings).want(t, 200) }
	same(t, "on_duty", "on_the_way", "on_the_way", "status", "stops_before", "stops_before")
	set(object{"visible_from": "arriving"})
	s.report(t, sam, deliveries[0]["id"], "arriving")
	same(t, "on_duty", "on_the_way", "not_arriving", "status", "not_arriving", "not_arriving")
	set(object{"visible_from": "en_route", "rounding_m": 200, "delay_s": 0, "visible_stops": 3})
	same(t, "on_duty", "on_the_way", "on_the_way", "status", "on_the_way", "stops_before")
	for i, item := range items(t, s.do(t, "GET", "/v1/courier/viewers", sam.token, nil).want(t, 200)) {
		if want := map[bool]any{true: 200.0, false: nil}[i > 0]; item["rounded_m"] != want {
			t.Errorf("stop %d is rounded to %v, want %v", i, item["rounded_m"], want)
		}
	}
	s.do(t, "PATCH", "/v1/couriers/"+sam.id, s.merchant, object{"hidden_zones": []object{{"lat": 1, "lon": 2, "radius_m": 100}}}).want(t, 200)
	if o := s.do(t, "GET", "/v1/courier/viewers", sam.token, nil).want(t, 200); o["hidden_zones"] != 1.0 {
		t.Errorf("hidden zones: %v", o["hidden_zones"])
	}
	s.do(t, "PUT", "/v1/courier/shift", sam.token, object{"on_duty": false}).want(t, 200)
	same(t, "off_duty", "off_duty", "off_duty", "status", "off_duty", "stops_before")
	if got := items(t, s.do(t, "GET", "/v1/courier/viewers", max.token, nil).want(t, 200)); len(got) != 1 || got[0]["why"] != string(tracking.NotOnTheWay) {
		t.Errorf("another courier is told %v", got)
	}
}
