package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hotfoot/tracking"
)

// A courier's socket gets the same answers as the requests do.
func TestServer_Report(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	sam, off := s.onDuty(t), s.hire(t, s.tenant, "Max")
	actor := func(p phone) tracking.Actor {
		id, err := tracking.ParseID(p.id)
		must(t, err)
		return tracking.Actor{Role: tracking.RoleCourier, MerchantID: s.id, CourierID: id}
	}
	report := func(p phone, body object) object {
		message, err := json.Marshal(with(body, "type", "positions", "id", 7))
		must(t, err)
		receipt, err := s.server.Report(t.Context(), actor(p), message)
		must(t, err)
		if !strings.HasPrefix(string(receipt), `{"type":"receipt","id":7,`) {
			t.Errorf("%s: answered %s", message, receipt)
		}
		return answer{body: receipt}.object(t)
	}
	if o := report(sam, object{"session": "a", "positions": []object{fix(0, "seq", 1), fix(0, "lat", 100)}}); receipts(t, o) != "live rejected/coordinate" || o["accepted_seq"] != 1.0 {
		t.Errorf("got %v", o)
	}
	if o := report(off, fix(0)); o["code"] != "off_shift" || o["status"] != 403.0 {
		t.Errorf("off shift: %v", o)
	}
	if o := report(sam, object{"device": "x"}); o["code"] != "invalid" {
		t.Errorf("nonsense: %v", o)
	}
	for _, message := range []string{``, `"x"`, `[]`, `null`, `{}`, `{"positions":[]}`, `{"type":"position"}`, `{"type":7}`} {
		if receipt, err := s.server.Report(t.Context(), actor(sam), []byte(message)); tracking.CodeOf(err) != tracking.CodeMalformed {
			t.Errorf("%s: answered %s, %v; want malformed", message, receipt, err)
		}
	}
	plain := strings.TrimPrefix(string(mustJSON(t, fix(0))), "{")
	for id, want := range map[string]string{`"id":"a",`: `"a"`, `"id":0,`: "0", ``: "null", `"id":null,`: "null", `"id":{"a":[1.5]},`: `{"a":[1.5]}`, `"id":"\u0061",`: `"\u0061"`} {
		receipt, err := s.server.Report(t.Context(), actor(sam), []byte(`{"type":"positions",`+id+plain))
		if prefix := `{"type":"receipt","id":` + want + `,"accepted_seq":0,`; err != nil || !strings.HasPrefix(string(receipt), prefix) {
			t.Errorf("%s: answered %s, %v", id, receipt, err)
		}
	}
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	must(t, err)
	return b
}

func TestServer_Deliveries(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	sam := s.onDuty(t)
	s.deliver(t, sam.id)
	s.deliver(t, sam.id)
	id, err := tracking.ParseID(sam.id)
	must(t, err)
	route, err := s.server.Route(t.Context(), id)
	must(t, err)
	var got []any
	must(t, json.Unmarshal(s.server.Deliveries(route), &got))
	want := s.do(t, "GET", "/v1/courier/deliveries", sam.token, nil).want(t, 200)["items"]
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if empty := s.server.Deliveries(nil); string(empty) != "[]" {
		t.Errorf("no stops: %s", empty)
	}
}

func TestServer_RefuseHTTP(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	w := httptest.NewRecorder()
	s.server.RefuseHTTP(w, &tracking.Error{Code: tracking.CodeTooMany, Message: "slowly", RetryAfter: 1200 * time.Millisecond})
	a := answer{status: w.Code, header: w.Header(), body: w.Body.Bytes()}
	a.refused(t, http.StatusTooManyRequests, tracking.CodeTooMany)
	if a.header.Get("Retry-After") != "2" {
		t.Errorf("Retry-After %q, want whole seconds, rounded up: 2", a.header.Get("Retry-After"))
	}
}

func TestNewEngine(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	t.Run("a path that nobody serves is a problem", func(t *testing.T) {
		for _, path := range []string{"/", "/v1", "/v1/nothing", "/v1/deliveries/", "/v2/deliveries", "/debug/pprof/", "/metrics", "/.env", "/v1/deliveries/../../etc/passwd"} {
			if a := s.do(t, "GET", path, s.merchant, nil); a.status/100 != 3 {
				a.refused(t, 404, tracking.CodeNotFound)
			}
		}
	})
	t.Run("a method that a path does not take is a problem that names those it does", func(t *testing.T) {
		for path, allow := range map[string]string{"/v1/deliveries": "GET", "/v1/couriers": "POST", "/v1/courier/shift": "PUT"} {
			a := s.do(t, "DELETE", path, s.merchant, nil)
			a.refused(t, http.StatusMethodNotAllowed, tracking.CodeNotFound)
			if !strings.Contains(a.header.Get("Allow"), allow) {
				t.Errorf("%s: Allow %q", path, a.header.Get("Allow"))
			}
		}
	})
	t.Run("counts by route and never by path, which may hold a token", func(t *testing.T) {
		token := text(s.deliver(t, "")["tracking_token"])
		s.do(t, "GET", "/v1/track/"+token, "", nil).want(t, 200)
		s.do(t, "GET", "/nothing/"+token, "", nil)
		families, err := s.registry.Gather()
		must(t, err)
		all := fmt.Sprint(families)
		if strings.Contains(all, token) {
			t.Error("a token stands in the metrics")
		}
		for _, want := range []string{"/v1/track/:token", "/v1/deliveries", "none"} {
			if !strings.Contains(all, `value:"`+want+`"`) {
				t.Errorf("no count for route %s", want)
			}
		}
	})
}

// Every reason stands at zero from the start, so that an alert on its rate works the first time it happens.
func TestServer_metrics(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	count := func(name string) int {
		families, err := s.registry.Gather()
		must(t, err)
		for _, f := range families {
			if f.GetName() == name {
				return len(f.GetMetric())
			}
		}
		return 0
	}
	if got := count("hotfoot_http_refused_total"); got != len(tracking.Codes) {
		t.Errorf("%d refusals, want one for each of %d codes", got, len(tracking.Codes))
	}
	if got, want := count("hotfoot_positions_total"), 3+len(tracking.Rejects); got != want {
		t.Errorf("%d results, want %d", got, want)
	}
	sam := s.onDuty(t)
	body, want := badPoints()
	s.do(t, "POST", "/v1/courier/positions", sam.token, body).want(t, 202)
	s.do(t, "POST", "/v1/courier/positions", "", body).refused(t, 401, tracking.CodeUnauthorized)
	s.do(t, "POST", "/v1/deliveries", s.merchant, "{").refused(t, 400, tracking.CodeMalformed)
	if got := counter(t, s.registry, "hotfoot_positions_total", "coordinate"); got != float64(strings.Count(want, "rejected/coordinate")) {
		t.Errorf("%v points with a bad coordinate counted, want %d", got, strings.Count(want, "rejected/coordinate"))
	}
	if got := counter(t, s.registry, "hotfoot_http_refused_total", "unauthorized"); got != 1 {
		t.Errorf("%v refused for their key, want 1", got)
	}
	if got := counter(t, s.registry, "hotfoot_http_refused_total", "malformed"); got != 1 {
		t.Errorf("%v refused as malformed, want 1", got)
	}
}

// counter adds up the series of a metric that carry this label value.
func counter(t *testing.T, registry *prometheus.Registry, name, label string) (sum float64) {
	t.Helper()
	families, err := registry.Gather()
	must(t, err)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if f.GetName() == name && l.GetValue() == label {
					sum += m.GetCounter().GetValue()
				}
			}
		}
	}
	return sum
}
