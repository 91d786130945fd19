package api_test

import (
	"strings"
	"sync"
	"testing"

	"hotfoot/tracking"
)

func TestServer_Courier_shift(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	sam := s.hire(t, s.tenant, "Sam")
	for _, on := range []bool{true, true, false, false, true} {
		if got := s.do(t, "PUT", "/v1/courier/shift", sam.token, object{"on_duty": on}).want(t, 200); got["on_duty"] != on {
			t.Errorf("on_duty %v, want %v", got["on_duty"], on)
		}
		if c := s.do(t, "GET", "/v1/couriers/"+sam.id, s.merchant, nil).want(t, 200); c["on_duty"] != on {
			t.Errorf("the courier's on_duty is %v, want %v", c["on_duty"], on)
		}
	}
	for _, body := range []string{`{}`, `{"on_duty":null}`, `{"on_duty":"true"}`, `{"on_duty":1}`} {
		at(t, s.do(t, "PUT", "/v1/courier/shift", sam.token, body).refused(t, 422, tracking.CodeInvalid), "on_duty")
	}
}

func TestServer_Courier_route(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	sam := s.onDuty(t)
	first, second, third := s.deliver(t, sam.id), s.deliver(t, sam.id), s.deliver(t, sam.id)
	s.deliver(t, "")
	mine := func(t *testing.T) (ids []string) {
		t.Helper()
		for i, d := range items(t, s.do(t, "GET", "/v1/courier/deliveries", sam.token, nil).want(t, 200)) {
			if d["stops_before"] != float64(i) {
				t.Errorf("stop %d has stops_before %v", i, d["stops_before"])
			}
			if _, there := d["tracking_token"]; there {
				t.Error("the courier sees the customer's link")
			}
			ids = append(ids, text(d["id"]))
		}
		return ids
	}
	order := func(deliveries ...object) []string {
		var ids []string
		for _, d := range deliveries {
			ids = append(ids, text(d["id"]))
		}
		return ids
	}
	put := func(t *testing.T, ids []string) answer {
		return s.do(t, "PUT", "/v1/couriers/"+sam.id+"/route", s.ops, object{"delivery_ids": ids})
	}
	same := func(t *testing.T, got, want []string) {
		t.Helper()
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("order %v, want %v", got, want)
		}
	}
	same(t, mine(t), order(first, second, third))

	var answered []string
	for _, d := range items(t, put(t, order(third, first, second)).want(t, 200)) {
		answered = append(answered, text(d["id"]))
	}
	same(t, answered, order(third, first, second))
	same(t, mine(t), order(third, first, second))
	put(t, order(second)).want(t, 200)
	same(t, mine(t), order(second, third, first))
	put(t, []string{}).want(t, 200)
	same(t, mine(t), order(second, third, first))

	at(t, put(t, order(first, first)).refused(t, 422, tracking.CodeInvalid), "delivery_ids[1]")
	at(t, put(t, append(order(first), "7")).refused(t, 422, tracking.CodeInvalid), "delivery_ids[1]")
	at(t, put(t, append(order(first), tracking.NewID().String())).refused(t, 422, tracking.CodeInvalid), "delivery_ids[1]")
	at(t, s.do(t, "PUT", "/v1/couriers/"+sam.id+"/route", s.ops, `{"delivery_ids":null}`).refused(t, 422, tracking.CodeInvalid), "delivery_ids")
	same(t, mine(t), order(second, third, first))

	other := s.newTenant(t, "Another kitchen")
	s.do(t, "PUT", "/v1/couriers/"+sam.id+"/route", other.ops, object{"delivery_ids": []string{}}).refused(t, 404, tracking.CodeNotFound)
}

func TestServer_Courier_status(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	sam := s.onDuty(t)
	report := func(t *testing.T, p phone, d object, body any) answer {
		t.Helper()
		return s.do(t, "POST", "/v1/courier/deliveries/"+text(d["id"])+"/status", p.token, body)
	}
	t.Run("a whole delivery, with what was left at the door", func(t *testing.T) {
		t.Parallel()
		d := s.deliver(t, sam.id)
		s.report(t, sam, d["id"], "picked_up", "en_route", "arriving", "en_route", "arriving")
		got := report(t, sam, d, object{
			"status": "delivered", "client_event_id": "door", "at": "2026-03-04T18:18:04Z", "proof": object{"left_at": "front desk", "name": "N. Haddad"},
			"position": object{"lat": 0, "lon": 0, "accuracy_m": 5, "recorded_at": "2026-03-04T18:18:04Z"},
		}).want(t, 200)
		if got["status"] != "delivered" || got["ver"] != 8.0 || got["epoch"] != 1.0 || got["delivery_id"] != d["id"] || got["at"] == nil {
			t.Errorf("got %v", got)
		}
		events := items(t, s.do(t, "GET", "/v1/deliveries/"+text(d["id"])+"/events", s.merchant, nil).want(t, 200))
		last := events[len(events)-1]
		if last["device_at"] != "2026-03-04T18:18:04.000Z" || last["proof"].(object)["left_at"] != "front desk" || last["actor"].(object)["id"] != sam.id {
			t.Errorf("event %v", last)
		}
	})
	t.Run("the same client_event_id and body is answered the same, also when the delivery has gone on", func(t *testing.T) {
		t.Parallel()
		d := s.deliver(t, sam.id)
		body := object{"status": "picked_up", "client_event_id": "p", "at": "2026-03-04T18:18:04.123Z", "position": object{"lat": 1.5, "lon": 2.5}}
		first := report(t, sam, d, body)
		first.want(t, 200)
		s.report(t, sam, d["id"], "en_route")
		again := report(t, sam, d, body)
		again.want(t, 200)
		if string(first.body) != string(again.body) {
			t.Errorf("first %s, again %s", first.body, again.body)
		}
		if now := s.do(t, "GET", "/v1/deliveries/"+text(d["id"]), s.merchant, nil).want(t, 200); now["ver"] != 4.0 {
			t.Errorf("ver %v, want 4", now["ver"])
		}
	})
	t.Run("the same client_event_id with anything else is refused", func(t *testing.T) {
		t.Parallel()
		d := s.deliver(t, sam.id)
		body := object{"status": "picked_up", "client_event_id": "p", "reason": "r"}
		report(t, sam, d, body).want(t, 200)
		for _, other := range []object{
			with(body, "status", "en_route"), with(body, "reason", nil), with(body, "at", "2026-03-04T18:18:04Z"),
			with(body, "proof", object{"name": "x"}), with(body, "position", object{"lat": 1, "lon": 1}),
		} {
			report(t, sam, d, other).refused(t, 409, tracking.CodeEventReused)
		}
	})
	t.Run("reports that race with one client_event_id make one event", func(t *testing.T) {
		t.Parallel()
		d := s.deliver(t, sam.id)
		var wait sync.WaitGroup
		for range 8 {
			wait.Go(func() {
				a := report(t, sam, d, object{"status": "picked_up", "client_event_id": "race"})
				if a.status != 200 || a.object(t)["ver"] != 3.0 {
					t.Errorf("%d %s", a.status, a.body)
				}
			})
		}
		wait.Wait()
	})
	t.Run("an illegal move names what a courier may do now", func(t *testing.T) {
		t.Parallel()
		d := s.deliver(t, sam.id)
		for status, allowed := range map[string]string{"delivered": "picked_up", "en_route": "picked_up"} {
			p := report(t, sam, d, object{"status": status, "client_event_id": status}).refused(t, 409, tracking.CodeIllegalMove)
			if !strings.HasSuffix(text(p["detail"]), "allowed now: "+allowed) {
				t.Errorf("detail %v", p["detail"])
			}
		}
		s.report(t, sam, d["id"], "picked_up", "failed", "returned")
		p := report(t, sam, d, object{"status": "en_route", "client_event_id": "late"}).refused(t, 409, tracking.CodeIllegalMove)
		if !strings.Contains(text(p["detail"]), "returned is final") {
			t.Errorf("detail %v", p["detail"])
		}
	})
	t.Run("a delivery that is not theirs does not exist, whoever has it", func(t *testing.T) {
		t.Parallel()
		max := s.hire(t, s.tenant, "Max")
		stranger := s.hire(t, s.newTenant(t, "Another kitchen"), "Kim")
		body := object{"status": "picked_up", "client_event_id": "x"}
		var answers []string
		for _, a := range []answer{
			report(t, max, s.deliver(t, sam.id), body), report(t, max, s.deliver(t, ""), body), report(t, stranger, s.deliver(t, sam.id), body),
			report(t, max, object{"id": tracking.NewID().String()}, body), report(t, max, object{"id": "7"}, body),
		} {
			a.refused(t, 404, tracking.CodeNotFound)
			answers = append(answers, string(a.body))
		}
		for _, a := range answers {
			if a != answers[0] {
				t.Errorf("told apart: %s and %s", answers[0], a)
			}
		}
	})
	t.Run("a delivery that was taken from them does not exist any more", func(t *testing.T) {
		t.Parallel()
		d := s.deliver(t, sam.id)
		max := s.hire(t, s.tenant, "Max")
		s.do(t, "POST", "/v1/deliveries/"+text(d["id"])+"/assign", s.ops, object{"courier_id": max.id}).want(t, 200)
		report(t, sam, d, object{"status": "picked_up", "client_event_id": "x"}).refused(t, 404, tracking.CodeNotFound)
	})
}
