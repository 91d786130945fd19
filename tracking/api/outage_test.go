package api_test

import (
	"testing"
	"time"

	"hotfoot/tracking"
)

// promptly bounds a refusal. It is "well under a second" with room for a busy machine and the race detector.
const promptly = 5 * time.Second

func (a answer) unavailable(t *testing.T) {
	t.Helper()
	a.refused(t, 503, tracking.CodeUnavailable)
	if a.header.Get("Retry-After") != "2" {
		t.Errorf("Retry-After %q, want 2", a.header.Get("Retry-After"))
	}
}

func TestServer_withoutPostgres(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	sam := s.onDuty(t)
	d := s.deliver(t, sam.id)
	s.report(t, sam, d["id"], "picked_up", "en_route")
	s.do(t, "POST", "/v1/courier/positions", sam.token, fix(time.Minute)).want(t, 202)
	s.do(t, "GET", "/v1/deliveries/"+text(d["id"]), s.ops, nil).want(t, 200)
	s.node.Close()

	began := time.Now()
	s.do(t, "POST", "/v1/courier/deliveries/"+text(d["id"])+"/status", sam.token, object{"status": "arriving", "client_event_id": "x"}).unavailable(t)
	s.do(t, "POST", "/v1/deliveries", s.merchant, draft()).unavailable(t)
	s.do(t, "GET", "/v1/deliveries", s.merchant, nil).unavailable(t)
	s.do(t, "GET", "/v1/ops/stats", s.ops, nil).unavailable(t)
	s.do(t, "PUT", "/v1/courier/shift", sam.token, object{"on_duty": true}).unavailable(t)
	s.do(t, "GET", "/v1/deliveries", neverMade(), nil).unavailable(t) // nobody can tell whether it is a key
	if took := time.Since(began); took > promptly {
		t.Errorf("six refusals took %s", took)
	}

	if o := s.do(t, "POST", "/v1/courier/positions", sam.token, object{"session": "a", "positions": []object{fix(0, "seq", 1)}}).want(t, 202); receipts(t, o) != "live" {
		t.Errorf("got %v", o)
	}
	if o := s.do(t, "POST", "/v1/courier/positions", sam.token, fix(0, "seq", 2), "Prefer: wait=1").want(t, 202); o["durable_seq"] != 0.0 {
		t.Errorf("waiting for what cannot be: %v", o)
	}
	if o := s.do(t, "GET", "/v1/track/"+text(d["tracking_token"]), "", nil).want(t, 200); o["position"] == nil || o["live"] != true {
		t.Errorf("the customer sees %v", o)
	}
	if o := s.do(t, "GET", "/v1/deliveries/"+text(d["id"]), s.ops, nil).want(t, 200); o["status"] != "en_route" {
		t.Errorf("got %v", o)
	}
}

func TestServer_withoutRedis(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	sam, off := s.onDuty(t), s.hire(t, s.tenant, "Max")
	d := s.deliver(t, sam.id)
	s.report(t, sam, d["id"], "picked_up", "en_route")
	s.killRedis()

	if o := s.do(t, "POST", "/v1/courier/deliveries/"+text(d["id"])+"/status", sam.token, object{"status": "arriving", "client_event_id": "x"}).want(t, 200); o["ver"] != 5.0 {
		t.Errorf("got %v", o)
	}
	o := s.do(t, "POST", "/v1/courier/positions", sam.token, object{"session": "a", "positions": []object{fix(0, "seq", 1), fix(0, "seq", 2)}}).want(t, 200)
	if o["durable_seq"] != 2.0 || receipts(t, o) != "late late" {
		t.Errorf("got %v", o)
	}
	if got := s.stored(t, sam.id); got != 2 {
		t.Errorf("%d rows, want 2", got)
	}
	s.do(t, "POST", "/v1/courier/positions", off.token, fix(0)).refused(t, 403, tracking.CodeOffShift)
	if o := s.do(t, "GET", "/v1/track/"+text(d["tracking_token"]), "", nil).want(t, 200); o["status"] != "arriving" || o["live"] != false || o["position"] == nil {
		t.Errorf("the customer sees %v", o)
	}
	if o := s.do(t, "GET", "/v1/deliveries/"+text(d["id"]), s.ops, nil).want(t, 200); o["status"] != "arriving" {
		t.Errorf("got %v", o)
	}
	s.do(t, "PUT", "/v1/courier/shift", sam.token, object{"on_duty": false}).want(t, 200)
	s.do(t, "POST", "/v1/courier/positions", sam.token, fix(0)).refused(t, 403, tracking.CodeOffShift)

	s.node.Close()
	began := time.Now()
	s.do(t, "POST", "/v1/courier/positions", sam.token, fix(0)).unavailable(t)
	s.do(t, "GET", "/v1/track/"+text(d["tracking_token"]), "", nil).unavailable(t)
	s.do(t, "GET", "/v1/deliveries/"+text(d["id"]), s.ops, nil).unavailable(t)
	if took := time.Since(began); took > promptly {
		t.Errorf("three refusals took %s", took)
	}
}
