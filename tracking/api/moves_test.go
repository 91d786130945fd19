package api_test

import (
	"net/http"
	"strings"
	"testing"

	"hotfoot/tracking"
)

func TestServer_Deliveries_assign(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	sam, max := s.hire(t, s.tenant, "Sam"), s.hire(t, s.tenant, "Max")
	assign := func(t *testing.T, d object, body any) answer {
		t.Helper()
		return s.do(t, "POST", "/v1/deliveries/"+text(d["id"])+"/assign", s.ops, body)
	}
	t.Run("gives a delivery to a courier, and the same again changes nothing", func(t *testing.T) {
		t.Parallel()
		d := s.deliver(t, "")
		got := assign(t, d, object{"courier_id": sam.id}).want(t, 200)
		if got["status"] != "assigned" || got["ver"] != 2.0 || got["courier_id"] != sam.id {
			t.Errorf("got %v", got)
		}
		if again := assign(t, d, object{"courier_id": sam.id}).want(t, 200); again["ver"] != 2.0 {
			t.Errorf("again: ver %v, want 2", again["ver"])
		}
	})
	t.Run("gives it to another courier through created, both events told", func(t *testing.T) {
		t.Parallel()
		d := s.deliver(t, sam.id)
		got := assign(t, d, object{"courier_id": max.id}).want(t, 200)
		if got["status"] != "assigned" || got["ver"] != 4.0 || got["courier_id"] != max.id {
			t.Errorf("got %v", got)
		}
		events := items(t, s.do(t, "GET", "/v1/deliveries/"+text(d["id"])+"/events", s.ops, nil).want(t, 200))
		if len(events) != 4 || events[2]["status"] != "created" || events[2]["courier_id"] != sam.id || events[3]["courier_id"] != max.id {
			t.Errorf("events %v", events)
		}
	})
	t.Run("refuses what cannot be", func(t *testing.T) {
		t.Parallel()
		d := s.deliver(t, "")
		at(t, assign(t, d, object{"courier_id": ""}).refused(t, 422, tracking.CodeInvalid), "courier_id")
		at(t, assign(t, d, object{"courier_id": "7"}).refused(t, 422, tracking.CodeInvalid), "courier_id")
		at(t, assign(t, d, object{}).refused(t, 422, tracking.CodeInvalid), "courier_id")
		at(t, assign(t, d, object{"courier_id": sam.id, "position": -1}).refused(t, 422, tracking.CodeInvalid), "position")
		at(t, assign(t, d, object{"courier_id": sam.id, "position": 1.5}).refused(t, 422, tracking.CodeInvalid), "position")
		at(t, assign(t, d, object{"courier_id": tracking.NewID().String()}).refused(t, 422, tracking.CodeInvalid), "courier_id")
	})
	t.Run("takes a place in the route", func(t *testing.T) {
		t.Parallel()
		kim := s.hire(t, s.tenant, "Kim")
		first := s.deliver(t, kim.id)
		second := s.deliver(t, "")
		if got := assign(t, second, object{"courier_id": kim.id, "position": 0}).want(t, 200); got["stops_before"] != 0.0 {
			t.Errorf("stops_before %v, want 0", got["stops_before"])
		}
		if got := s.do(t, "GET", "/v1/deliveries/"+text(first["id"]), s.ops, nil).want(t, 200); got["stops_before"] != 1.0 {
			t.Errorf("the other's stops_before %v, want 1", got["stops_before"])
		}
		if got := assign(t, second, object{"courier_id": kim.id, "position": 99}).want(t, 200); got["stops_before"] != 1.0 {
			t.Errorf("beyond the end: stops_before %v, want 1", got["stops_before"])
		}
	})
}

func TestServer_Deliveries_moves(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	post := func(t *testing.T, d object, what string, body any) answer {
		t.Helper()
		return s.do(t, "POST", "/v1/deliveries/"+text(d["id"])+"/"+what, s.merchant, body)
	}
	t.Run("unassign takes it back", func(t *testing.T) {
		t.Parallel()
		d := s.deliver(t, s.hire(t, s.tenant, "Sam").id)
		for _, body := range []any{nil, object{}} {
			got := post(t, d, "unassign", body)
			if body == nil {
				if o := got.want(t, 200); o["status"] != "created" || o["ver"] != 3.0 || o["courier_id"] != nil || o["stops_before"] != nil {
					t.Errorf("got %v", o)
				}
				continue
			}
			p := got.refused(t, 409, tracking.CodeIllegalMove)
			if !strings.Contains(text(p["detail"]), "allowed now: assigned, cancelled") {
				t.Errorf("detail %v", p["detail"])
			}
		}
	})
	t.Run("cancel ends it with its reason, once", func(t *testing.T) {
		t.Parallel()
		d := s.deliver(t, "")
		got := post(t, d, "cancel", object{"reason": "changed my mind"}).want(t, 200)
		if got["status"] != "cancelled" || got["finished_at"] == nil {
			t.Errorf("got %v", got)
		}
		events := items(t, s.do(t, "GET", "/v1/deliveries/"+text(d["id"])+"/events", s.merchant, nil).want(t, 200))
		if events[1]["reason"] != "changed my mind" {
			t.Errorf("event %v", events[1])
		}
		p := post(t, d, "cancel", object{"reason": "again"}).refused(t, 409, tracking.CodeIllegalMove)
		if !strings.Contains(text(p["detail"]), "cancelled is final") {
			t.Errorf("detail %v", p["detail"])
		}
	})
	t.Run("cancel wants a reason", func(t *testing.T) {
		t.Parallel()
		d := s.deliver(t, "")
		at(t, post(t, d, "cancel", object{}).refused(t, 422, tracking.CodeInvalid), "reason")
		at(t, post(t, d, "cancel", object{"reason": strings.Repeat("x", 501)}).refused(t, 422, tracking.CodeInvalid), "reason")
		post(t, d, "cancel", nil).refused(t, 400, tracking.CodeMalformed)
	})
	t.Run("link/revoke ends every link given out before and answers a new one", func(t *testing.T) {
		t.Parallel()
		d := s.deliver(t, "")
		before := text(d["tracking_token"])
		s.do(t, "GET", "/v1/track/"+before, "", nil).want(t, 200)
		got := post(t, d, "link/revoke", object{}).want(t, 200)
		after := text(got["tracking_token"])
		if after == before || got["ver"] != d["ver"] {
			t.Errorf("token %s after %s, ver %v after %v", after, before, got["ver"], d["ver"])
		}
		s.do(t, "GET", "/v1/track/"+before, "", nil).refused(t, 404, tracking.CodeNotFound)
		s.do(t, "GET", "/v1/track/"+after, "", nil).want(t, 200)
	})
	t.Run("somebody else's delivery does not exist", func(t *testing.T) {
		t.Parallel()
		other := s.newTenant(t, "Another kitchen")
		kim := s.hire(t, other, "Kim")
		d := s.deliver(t, "")
		for what, body := range map[string]any{
			"assign": object{"courier_id": kim.id}, "unassign": nil, "cancel": object{"reason": "x"}, "link/revoke": nil,
		} {
			s.do(t, http.MethodPost, "/v1/deliveries/"+text(d["id"])+"/"+what, other.merchant, body).refused(t, 404, tracking.CodeNotFound)
		}
		if now := s.do(t, "GET", "/v1/deliveries/"+text(d["id"]), s.merchant, nil).want(t, 200); now["ver"] != 1.0 || now["tracking_token"] != d["tracking_token"] {
			t.Errorf("it changed: %v", now)
		}
	})
}
