package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"hotfoot/tracking"
)

func TestServer_Ops_couriers(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	near, far, silent := s.onDuty(t), s.onDuty(t), s.onDuty(t)
	off := s.onDuty(t)
	other := s.newTenant(t, "Another kitchen")
	stranger := s.hire(t, other, "Kim")
	s.do(t, "PUT", "/v1/courier/shift", stranger.token, object{"on_duty": true}).want(t, 200)
	for p, lat := range map[phone]float64{near: 37.7813, far: 37.8, off: 37.7812, stranger: 37.7812} {
		s.do(t, "POST", "/v1/courier/positions", p.token, fix(0, "lat", lat, "battery", 0.5)).want(t, 202)
	}
	s.do(t, "PUT", "/v1/courier/shift", off.token, object{"on_duty": false}).want(t, 200)
	d := s.deliver(t, near.id)
	get := func(t *testing.T, query string) (ids []string, found map[string]object) {
		t.Helper()
		found = map[string]object{}
		for _, c := range items(t, s.do(t, "GET", "/v1/ops/couriers"+query, s.ops, nil).want(t, 200)) {
			ids = append(ids, text(c["id"]))
			found[text(c["id"])] = c
		}
		return ids, found
	}
	t.Run("lists those on duty, with what they carry and where they are", func(t *testing.T) {
		t.Parallel()
		ids, found := get(t, "")
		if len(ids) != 3 || found[near.id] == nil || found[far.id] == nil || found[silent.id] == nil {
			t.Fatalf("got %v, want %v", ids, []string{near.id, far.id, silent.id})
		}
		c := found[near.id]
		if c["stops"] != 1.0 || fmt.Sprint(c["delivery_ids"]) != fmt.Sprint([]string{text(d["id"])}) || c["on_duty"] != true {
			t.Errorf("got %v", c)
		}
		if p := c["position"].(object); p["lat"] != 37.7813 || p["battery"] != 0.5 || p["recorded_at"] == nil {
			t.Errorf("position %v", p)
		}
		if c := found[silent.id]; c["position"] != nil || c["stops"] != 0.0 || fmt.Sprint(c["delivery_ids"]) != "[]" {
			t.Errorf("got %v", c)
		}
		if _, there := c["distance_m"]; there {
			t.Error("a distance without a place")
		}
	})
	t.Run("near sorts by distance and leaves out who is too far", func(t *testing.T) {
		t.Parallel()
		ids, found := get(t, "?near=37.7812,-122.4112&radius_m=5000")
		if len(ids) != 2 || ids[0] != near.id || ids[1] != far.id {
			t.Fatalf("got %v, want %v then %v", ids, near.id, far.id)
		}
		if m := found[near.id]["distance_m"].(float64); m < 8 || m > 15 {
			t.Errorf("%v m, want about 11", m)
		}
		if m := found[far.id]["distance_m"].(float64); m < 2000 || m > 2200 {
			t.Errorf("%v m, want about 2090", m)
		}
		if ids, _ := get(t, "?near=37.7812,-122.4112&radius_m=100"); len(ids) != 1 || ids[0] != near.id {
			t.Errorf("within 100 m: %v", ids)
		}
		if ids, _ := get(t, "?near=37.7812,-122.4112&limit=1"); len(ids) != 1 || ids[0] != near.id {
			t.Errorf("the nearest one: %v", ids)
		}
		if ids, _ := get(t, "?near=0,0"); len(ids) != 0 {
			t.Errorf("near 0,0: %v", ids)
		}
	})
	for query, location := range map[string]string{
		"?near=here": "query.near", "?near=1": "query.near", "?near=91,0": "query.near", "?near=NaN,0": "query.near", "?near=1,2,3": "query.near",
		"?near=,": "query.near", "?near=Inf,0": "query.near", "?near=1,2&radius_m=0": "query.radius_m", "?near=1,2&radius_m=1e9": "query.radius_m",
		"?near=1,2&radius_m=NaN": "query.radius_m", "?limit=0": "query.limit", "?limit=5001": "query.limit", "?nearby=1,2": "query.nearby",
	} {
		t.Run("refuses "+query, func(t *testing.T) {
			t.Parallel()
			at(t, s.do(t, "GET", "/v1/ops/couriers"+query, s.ops, nil).refused(t, 422, tracking.CodeInvalid), location)
		})
	}
}

func TestServer_Ops_stats(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	other := s.newTenant(t, "Another kitchen")
	s.do(t, "POST", "/v1/deliveries", other.merchant, draft()).want(t, 201)
	sam, max := s.onDuty(t), s.onDuty(t)
	s.hire(t, s.tenant, "Off")
	s.deliver(t, "")
	past := stamp(time.Now().Add(-time.Hour))
	s.do(t, "POST", "/v1/deliveries", s.merchant, with(draft(), "window", object{"to": past}, "courier_id", sam.id)).want(t, 201)
	done := s.do(t, "POST", "/v1/deliveries", s.merchant, with(draft(), "window", object{"to": past}, "courier_id", max.id)).want(t, 201)
	s.report(t, max, done["id"], "picked_up", "en_route", "arriving", "delivered")
	s.deliver(t, max.id)
	s.do(t, "POST", "/v1/courier/positions", max.token, fix(0)).want(t, 202)
	got := s.do(t, "GET", "/v1/ops/stats", s.ops, nil).want(t, 200)
	want := object{"couriers_on_duty": 2.0, "active": 3.0, "late": 1.0, "silent": 1.0, "unassigned": 1.0, "delivered_today": 1.0}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestServer_Deliveries_track(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	sam := s.onDuty(t)
	send := func(t *testing.T, metres float64) object {
		t.Helper()
		// The phone's clock counts milliseconds: the next fix is of another one.
		began := time.Now().Truncate(time.Millisecond)
		eventually(t, "a millisecond passes", func() bool { return time.Now().Truncate(time.Millisecond).After(began) })
		return s.do(t, "POST", "/v1/courier/positions", sam.token, fix(0, "lat", 37+metres/1e5), "Prefer: wait=10").want(t, 200)
	}
	track := func(t *testing.T, d object, query ...string) (object, object) {
		t.Helper()
		f := s.do(t, "GET", "/v1/deliveries/"+text(d["id"])+"/track"+strings.Join(query, ""), s.merchant, nil).want(t, 200)
		if f["type"] != "Feature" {
			t.Errorf("type %v", f["type"])
		}
		return f, f["properties"].(object)
	}
	send(t, 1)
	d := s.deliver(t, sam.id)
	f, p := track(t, d)
	if g, there := f["geometry"]; !there || g != nil || p["delivery_id"] != d["id"] || p["courier_id"] != sam.id {
		t.Errorf("before the first fix: %v", f)
	}
	send(t, 2)
	if f, p := track(t, d); f["geometry"] != nil || len(p["times"].([]any)) > 1 {
		t.Errorf("a line needs two points: %v", f)
	}
	send(t, 3)
	if got := receipts(t, send(t, 99_999)); got != "late?teleport" {
		t.Errorf("a jump of a hundred kilometres: %s", got)
	}
	send(t, 4)
	s.report(t, sam, d["id"], "picked_up", "en_route", "arriving", "delivered")
	send(t, 5)
	f, p = track(t, d)
	g := f["geometry"].(object)
	if g["type"] != "LineString" || fmt.Sprint(g["coordinates"]) != "[[-122.4112 37.00002] [-122.4112 37.00003] [-122.4112 37.00004]]" {
		t.Errorf("geometry %v: want longitude first, and only what was recorded while the courier had it", g)
	}
	if times := p["times"].([]any); len(times) != 3 || !strings.HasSuffix(text(times[0]), "Z") {
		t.Errorf("times %v", times)
	}
	if _, there := p["suspects"]; there {
		t.Errorf("suspects, which nobody asked for: %v", p)
	}
	f, p = track(t, d, "?suspect=true")
	if g := f["geometry"].(object); len(g["coordinates"].([]any)) != 4 || fmt.Sprint(p["suspects"]) != "[<nil> <nil> teleport <nil>]" || len(p["times"].([]any)) != 4 {
		t.Errorf("with suspects: %v", f)
	}
	unassigned := s.deliver(t, "")
	if f, p := track(t, unassigned); f["geometry"] != nil || p["courier_id"] != nil || len(p["times"].([]any)) != 0 {
		t.Errorf("without a courier: %v", f)
	}
}
