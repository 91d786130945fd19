package api_test

import (
	"fmt"
	"testing"
	"time"

	"hotfoot/tracking"
)

func TestServer_Leaderboard(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	sam, kim := s.onDuty(t), s.hire(t, s.tenant, "Kim")
	s.do(t, "PUT", "/v1/courier/shift", kim.token, object{"on_duty": true}).want(t, 200)
	finish := func(p phone, window any) {
		d := s.do(t, "POST", "/v1/deliveries", s.merchant, with(draft(), "courier_id", p.id, "window", window)).want(t, 201)
		s.report(t, p, d["id"], "picked_up", "en_route", "arriving", "delivered")
	}
	soon, ago := object{"to": stamp(time.Now().Add(time.Hour))}, object{"to": stamp(time.Now().Add(-time.Hour))}
	board := func() object { return s.do(t, "GET", "/v1/ops/leaderboard", s.ops, nil).want(t, 200) }
	hot := func() bool {
		best, err := s.store.Standings(t.Context(), s.tenant.id, tracking.DayOf(time.Now()), 1)
		must(t, err)
		kept, err := s.boards.Board(t.Context(), s.tenant.id, tracking.DayOf(time.Now()), 1)
		return err == nil && kept[0].Delivered == best[0].Delivered
	}
	if o := board(); len(o["items"].([]any)) != 0 || o["day"] != tracking.DayOf(time.Now()).String() {
		t.Errorf("before the first delivery: %v", o)
	}
	finish(sam, soon)
	finish(kim, nil)
	finish(kim, soon)
	board()
	eventually(t, "the board is hot", hot)
	finish(kim, ago)
	want := []object{
		{"rank": 1.0, "courier_id": kim.id, "name": "Kim", "delivered": 3.0, "promised": 2.0, "on_time": 1.0, "on_time_share": 0.5},
		{"rank": 2.0, "courier_id": sam.id, "name": "Sam", "delivered": 1.0, "promised": 1.0, "on_time": 1.0, "on_time_share": 1.0},
	}
	check := func(t *testing.T) {
		t.Helper()
		items := board()["items"].([]any)
		for i, item := range items {
			if fmt.Sprint(item) != fmt.Sprint(want[i]) {
				t.Errorf("%d is %v, want %v", i, item, want[i])
			}
		}
		if len(items) != len(want) {
			t.Errorf("%d are on the board", len(items))
		}
	}
	check(t)
	if o := s.do(t, "GET", "/v1/ops/leaderboard?limit=1&day="+tracking.DayOf(time.Now()).String(), s.merchant, nil).want(t, 200); len(o["items"].([]any)) != 1 {
		t.Errorf("the best one is %v", o)
	}
	if o := s.do(t, "GET", "/v1/ops/leaderboard?day=2026-01-01", s.merchant, nil).want(t, 200); len(o["items"].([]any)) != 0 || o["day"] != "2026-01-01" {
		t.Errorf("a day without deliveries: %v", o)
	}
	other := s.newTenant(t, "Another kitchen")
	if o := s.do(t, "GET", "/v1/ops/leaderboard", other.ops, nil).want(t, 200); len(o["items"].([]any)) != 0 {
		t.Errorf("another merchant sees %v", o)
	}
	for query, location := range map[string]string{
		"?day=yesterday": "query.day", "?day=2026-02-30": "query.day", "?day=" + tracking.DayOf(time.Now().Add(24*time.Hour)).String(): "query.day",
		"?limit=0": "query.limit", "?limit=101": "query.limit", "?merchant=x": "query.merchant",
	} {
		at(t, s.do(t, "GET", "/v1/ops/leaderboard"+query, s.ops, nil).refused(t, 422, tracking.CodeInvalid), location)
	}
	s.killRedis()
	check(t)
}
