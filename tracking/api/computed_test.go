package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"hotfoot/tracking"
)

// from is where an answer says that it was found.
func from(a answer) string { return strings.TrimPrefix(a.header.Get("Cache-Status"), "hotfoot; ") }

func TestServer_Ops_summary(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	sam := s.onDuty(t)
	past, future := stamp(time.Now().Add(-time.Hour)), stamp(time.Now().Add(time.Hour))
	for _, to := range []string{past, future, future, future} {
		d := s.do(t, "POST", "/v1/deliveries", s.merchant, with(draft(), "window", object{"to": to}, "courier_id", sam.id)).want(t, 201)
		s.report(t, sam, d["id"], "picked_up", "en_route", "arriving", "delivered")
	}
	d := s.deliver(t, "")
	s.do(t, "POST", "/v1/deliveries/"+text(d["id"])+"/cancel", s.merchant, object{"reason": "x"}).want(t, 200)
	s.deliver(t, sam.id)
	other := s.newTenant(t, "Another kitchen")
	s.do(t, "POST", "/v1/deliveries", other.merchant, draft()).want(t, 201)
	get := func(t *testing.T, query string, headers ...string) (answer, object) {
		t.Helper()
		a := s.do(t, "GET", "/v1/ops/summary"+query, s.ops, nil, headers...)
		return a, a.want(t, 200)
	}
	a, first := get(t, "")
	if from(a) != "fwd=miss" || a.header.Get("Age") != "0" {
		t.Errorf("found by %q, %s s old", from(a), a.header.Get("Age"))
	}
	for field, want := range map[string]any{
		"day": time.Now().UTC().Format(time.DateOnly), "created": 6.0, "delivered": 4.0, "failed": 0.0, "cancelled": 1.0, "returned": 0.0, "in_progress": 1.0,
		"on_time": 3.0, "late": 1.0, "on_time_share": 0.75, "active_couriers": 1.0,
	} {
		if first[field] != want {
			t.Errorf("%s is %v, want %v", field, first[field], want)
		}
	}
	if m, ok := first["median_minutes"].(float64); !ok || m < 0 || m > 10 {
		t.Errorf("half took %v minutes", first["median_minutes"])
	}
	t.Run("a change shows when it is computed again, and at once to who asks for that", func(t *testing.T) {
		s.deliver(t, "")
		a, again := get(t, "?day="+text(first["day"]))
		if !strings.HasPrefix(from(a), "hit") || again["created"] != 6.0 || again["as_of"] != first["as_of"] {
			t.Errorf("found by %q: %v", from(a), again)
		}
		a, again = get(t, "", "Cache-Control: max-age=0, No-Cache")
		if from(a) != "fwd=request" || again["created"] != 7.0 {
			t.Errorf("found by %q: %v", from(a), again)
		}
	})
	t.Run("a day on which nothing was is empty", func(t *testing.T) {
		t.Parallel()
		_, got := get(t, "?day=2020-02-29")
		for field, want := range map[string]any{"day": "2020-02-29", "created": 0.0, "on_time_share": nil, "median_minutes": nil, "p90_minutes": nil, "active_couriers": 0.0} {
			if v, there := got[field]; !there || v != want {
				t.Errorf("%s is %v, want %v", field, v, want)
			}
		}
	})
	for _, day := range []string{"today", "2026-02-30", "2026-2-3", "20260203", "1999-12-31", "9999-01-01", "2026-02-03T00:00:00Z", "2026-02-03%20", "{p0}"} {
		t.Run("refuses "+day, func(t *testing.T) {
			t.Parallel()
			at(t, s.do(t, "GET", "/v1/ops/summary?day="+day, s.ops, nil).refused(t, 422, tracking.CodeInvalid), "query.day")
		})
	}
}

// Who has changed something finds it changed, whatever was kept.
func TestServer_lists_are_as_new_as_ones_own_changes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	sam := s.onDuty(t)
	route := func() (answer, []object) {
		a := s.do(t, "GET", "/v1/courier/deliveries", sam.token, nil)
		return a, items(t, a.want(t, 200))
	}
	active := func() (answer, []object) {
		a := s.do(t, "GET", "/v1/deliveries?status=created,assigned,picked_up,assigned", s.merchant, nil)
		return a, items(t, a.want(t, 200))
	}
	for round := range 3 {
		d := s.deliver(t, sam.id)
		_, stops := route()
		if len(stops) != round+1 || stops[round]["status"] != "assigned" {
			t.Fatalf("after it was assigned the route is %v", stops)
		}
		a, again := route()
		if from(a) != "hit" || fmt.Sprint(again) != fmt.Sprint(stops) {
			t.Errorf("found by %q\n%v, want\n%v", from(a), again, stops)
		}
		s.report(t, sam, d["id"], "picked_up")
		if _, stops = route(); stops[round]["status"] != "picked_up" {
			t.Errorf("after the courier has it the route is %v", stops)
		}
		_, listed := active()
		if len(listed) != round+1 || listed[0]["id"] != d["id"] || listed[0]["status"] != "picked_up" {
			t.Errorf("what is under way is %v", listed)
		}
		a, again = active()
		if from(a) != "hit" || fmt.Sprint(again) != fmt.Sprint(listed) || listed[0]["tracking_url"] == nil {
			t.Errorf("found by %q\n%v, want\n%v", from(a), again, listed)
		}
	}
	first := s.do(t, "GET", "/v1/deliveries?status=picked_up&limit=2", s.merchant, nil)
	cursor := first.want(t, 200)["next_cursor"]
	next := s.do(t, "GET", "/v1/deliveries?status=picked_up&limit=2&cursor="+text(cursor), s.merchant, nil)
	if n := len(items(t, next.want(t, 200))); n != 1 || from(next) != "" {
		t.Errorf("the second page has %d, and was found by %q", n, from(next))
	}
	if a := s.do(t, "GET", "/v1/deliveries?status=created,picked_up,assigned", s.merchant, nil); from(a) != "hit" {
		t.Errorf("the same question, asked in another order, is found by %q", from(a))
	}
}

// Where couriers are is never a kept thing.
func TestServer_Ops_couriers_are_where_they_are(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	sam := s.onDuty(t)
	for i := range 5 {
		lat := 30 + float64(i)/1000 // near enough to be believed
		// The phone's clock counts milliseconds: the next fix is of another one.
		began := time.Now().Truncate(time.Millisecond)
		eventually(t, "a millisecond passes", func() bool { return time.Now().Truncate(time.Millisecond).After(began) })
		s.do(t, "POST", "/v1/courier/positions", sam.token, fix(0, "lat", lat)).want(t, 202)
		a := s.do(t, "GET", "/v1/ops/couriers", s.ops, nil)
		listed := items(t, a.want(t, 200))
		if len(listed) != 1 || listed[0]["position"].(object)["lat"] != lat {
			t.Errorf("found by %q: %v, want a latitude of %v", from(a), listed, lat)
		}
		if i > 0 && !strings.HasPrefix(from(a), "hit") {
			t.Errorf("found by %q", from(a))
		}
	}
}

func TestServer_computed_without_Redis(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	sam := s.onDuty(t)
	d := s.deliver(t, sam.id)
	s.killRedis()
	a := s.do(t, "GET", "/v1/courier/deliveries", sam.token, nil)
	if listed := items(t, a.want(t, 200)); len(listed) != 1 || listed[0]["id"] != d["id"] || from(a) != "fwd=miss; detail=uncached" {
		t.Errorf("found by %q: %v", from(a), listed)
	}
	sum := s.do(t, "GET", "/v1/ops/summary", s.ops, nil)
	if sum.want(t, 200)["created"] != 1.0 {
		t.Errorf("%s", sum.body)
	}
}
