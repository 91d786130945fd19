package api_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"hotfoot/tracking"
)

// route is one operation of the contract. body is a request that its holder may make.
type route struct {
	method, path string
	roles        []tracking.Role // none: no key is needed
	body         any
	socket       bool // served by another package
}

var (
	office = []tracking.Role{tracking.RoleMerchant, tracking.RoleOps}
	owner  = []tracking.Role{tracking.RoleMerchant}
	street = []tracking.Role{tracking.RoleCourier}
)

// contract is every route that the API documents.
var contract = []route{
	{"GET", "/v1/merchant", owner, nil, false},
	{"PATCH", "/v1/merchant", owner, object{"visible_stops": 2}, false},
	{"POST", "/v1/couriers", office, object{"name": "Sam", "vehicle": "bike"}, false},
	{"GET", "/v1/couriers", office, nil, false},
	{"GET", "/v1/couriers/{id}", office, nil, false},
	{"PATCH", "/v1/couriers/{id}", office, object{"name": "Sam"}, false},
	{"POST", "/v1/couriers/{id}/token", office, nil, false},
	{"POST", "/v1/session", office, nil, false},
	{"GET", "/v1/session", office, nil, false},
	{"DELETE", "/v1/session", nil, nil, false},
	{"POST", "/v1/keys", owner, object{"role": "ops"}, false},
	{"GET", "/v1/keys", owner, nil, false},
	{"GET", "/v1/audit", owner, nil, false},
	{"POST", "/v1/keys/{id}/rotate", owner, object{"overlap_s": 60}, false},
	{"DELETE", "/v1/keys/{id}", owner, nil, false},
	{"PUT", "/v1/couriers/{id}/route", office, object{"delivery_ids": []string{}}, false},
	{"POST", "/v1/deliveries", office, draft(), false},
	{"GET", "/v1/deliveries", office, nil, false},
	{"GET", "/v1/deliveries/{id}", office, nil, false},
	{"GET", "/v1/deliveries/{id}/events", office, nil, false},
	{"GET", "/v1/deliveries/{id}/track", office, nil, false},
	{"POST", "/v1/deliveries/{id}/assign", office, object{"courier_id": tracking.NewID().String()}, false},
	{"POST", "/v1/deliveries/{id}/unassign", office, nil, false},
	{"POST", "/v1/deliveries/{id}/cancel", office, object{"reason": "x"}, false},
	{"POST", "/v1/deliveries/{id}/link/revoke", office, nil, false},
	{"GET", "/v1/deliveries/{id}/link/qr", office, nil, false},
	{"GET", "/v1/ops/couriers", office, nil, false},
	{"GET", "/v1/ops/stats", office, nil, false},
	{"GET", "/v1/ops/summary", office, nil, false},
	{"GET", "/v1/ops/leaderboard", office, nil, false},
	{"GET", "/v1/ops/eta", office, nil, false},
	{"GET", "/v1/ops/live", office, nil, true},
	{"POST", "/v1/limits/check", owner, object{"policy": object{"kind": "fixed_window", "limit": 1, "period_s": 1}, "key": "x"}, false},
	{"GET", "/v1/limits/decisions?from=2026-03-04T18:00:00Z&to=2026-03-04T19:00:00Z", owner, nil, false},
	{"POST", "/v1/courier/positions", street, object{"lat": 1, "lon": 2, "recorded_at": "2026-03-04T18:10:00Z"}, false},
	{"GET", "/v1/courier/deliveries", street, nil, false},
	{"GET", "/v1/courier/viewers", street, nil, false},
	{"PUT", "/v1/courier/shift", street, object{"on_duty": true}, false},
	{"POST", "/v1/courier/deliveries/{id}/status", street, object{"status": "picked_up", "client_event_id": "x"}, false},
	{"GET", "/v1/courier/live", street, nil, true},
	{"GET", "/v1/track/{token}", nil, nil, false},
	{"GET", "/v1/track/{token}/live", nil, nil, true},
	{"GET", "/v1/track/{token}/events", nil, nil, true},
}

func (r route) String() string {
	path, _, _ := strings.Cut(r.path, "?")
	return r.method + " " + path
}

// For every route and every kind of key: the right one is let in, every other is told why not, and what is somebody else's does not exist.
func TestAuth_roles(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	sam := s.onDuty(t)
	other := s.newTenant(t, "Another kitchen")
	stranger := s.hire(t, other, "Kim")
	revoked := s.revokedKey(t)
	keys := map[tracking.Role]string{tracking.RoleMerchant: s.merchant, tracking.RoleOps: s.ops, tracking.RoleCourier: sam.token}
	for _, r := range contract {
		if len(r.roles) == 0 {
			continue
		}
		delivery := s.deliver(t, sam.id)
		path := strings.Replace(r.path, "{id}", text(delivery["id"]), 1)
		if strings.HasPrefix(r.path, "/v1/couriers/") {
			// Not Sam, whose key the other cases need.
			path = strings.Replace(r.path, "{id}", s.hire(t, s.tenant, "Max").id, 1)
		}
		if strings.HasPrefix(r.path, "/v1/keys/") {
			path = strings.Replace(r.path, "{id}", text(s.do(t, "POST", "/v1/keys", s.merchant, object{"role": "ops"}).object(t)["id"]), 1)
		}
		t.Run(r.String(), func(t *testing.T) {
			for name, secret := range map[string]string{
				"none": "", "nonsense": "x", "never made": neverMade(), "revoked": revoked, "a role of ours": strings.Replace(neverMade(), "merchant", "system", 1),
				"cut short": s.merchant[:len(s.merchant)-1], "a database's hash": fmt.Sprintf("%x", tracking.HashSecret(s.merchant)),
			} {
				a := s.do(t, r.method, path, secret, r.body)
				a.refused(t, 401, tracking.CodeUnauthorized)
				if a.header.Get("WWW-Authenticate") == "" {
					t.Errorf("%s: no WWW-Authenticate", name)
				}
				if secret != "" && secret != "x" && strings.Contains(string(a.body), secret) {
					t.Errorf("%s: the key is echoed: %s", name, a.body)
				}
			}
			if strings.Contains(r.path, "{id}") {
				for role, key := range map[tracking.Role]string{tracking.RoleMerchant: other.merchant, tracking.RoleOps: other.ops, tracking.RoleCourier: stranger.token} {
					if slices.Contains(r.roles, role) {
						s.do(t, r.method, path, key, r.body).refused(t, 404, tracking.CodeNotFound)
					}
				}
			}
			for role, key := range keys {
				a := s.do(t, r.method, path, key, r.body)
				if !slices.Contains(r.roles, role) {
					a.refused(t, 403, tracking.CodeForbidden)
				} else if a.status == 401 || a.status == 403 || a.status == 404 || a.status >= 500 {
					t.Errorf("a %s key: %d %s", role, a.status, a.body)
				}
				if kept := a.header.Get("Cache-Control"); r.method == "GET" && !r.socket && kept != "no-store" {
					t.Errorf("a %s key: a cache may keep it: %q", role, kept)
				}
			}
		})
	}
}

// The key is looked at before the body, so that a stranger cannot make us read one.
func TestAuth_beforeBody(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, body := range []string{"", "{", strings.Repeat("x", 1<<20)} {
		s.do(t, "POST", "/v1/deliveries", "", body).refused(t, 401, tracking.CodeUnauthorized)
	}
}

func TestAuth_Admit(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	sam := s.hire(t, s.tenant, "Sam")
	t.Run("a browser's key may come as a subprotocol", func(t *testing.T) {
		t.Parallel()
		for _, protocols := range []string{"hotfoot.v1, bearer." + s.ops, "bearer." + s.ops + ",hotfoot.v1"} {
			s.do(t, "GET", "/v1/ops/live", "", nil, "Sec-WebSocket-Protocol: "+protocols).want2xx(t)
		}
	})
	t.Run("the scheme is read in either case, and no other scheme is", func(t *testing.T) {
		t.Parallel()
		s.do(t, "GET", "/v1/courier/live", "", nil, "Authorization: bEARER "+sam.token).want2xx(t)
		for _, header := range []string{"Authorization: Basic " + sam.token, "Authorization: " + sam.token, "X-Api-Key: " + sam.token, "Sec-WebSocket-Protocol: " + sam.token} {
			s.do(t, "GET", "/v1/courier/live", "", nil, header).refused(t, 401, tracking.CodeUnauthorized)
		}
	})
	t.Run("a key in the query is none: it would stand in logs", func(t *testing.T) {
		t.Parallel()
		s.do(t, "GET", "/v1/ops/live?key="+s.ops+"&token="+s.ops+"&access_token="+s.ops, "", nil).refused(t, 401, tracking.CodeUnauthorized)
	})
}

func (a answer) want2xx(t *testing.T) {
	t.Helper()
	if a.status/100 != 2 {
		t.Errorf("status %d: %s", a.status, a.body)
	}
}

func neverMade() string {
	_, secret := tracking.NewKey(tracking.NewID(), tracking.RoleMerchant, tracking.ID{}, "")
	return secret
}

func (s *site) revokedKey(t *testing.T) string {
	t.Helper()
	key, secret := tracking.NewKey(s.id, tracking.RoleMerchant, tracking.ID{}, "")
	must(t, s.store.CreateKey(t.Context(), key, time.Now()))
	_, err := s.store.RevokeKey(t.Context(), tracking.ID{}, key.ID, time.Now())
	must(t, err)
	return secret
}

// No secret and no link may stand in a log.
func TestServer_logsNoSecrets(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	sam := s.onDuty(t)
	token := text(s.deliver(t, sam.id)["tracking_token"])
	s.node.Close()
	for range 2 {
		s.do(t, "POST", "/v1/deliveries", s.merchant, draft()).refused(t, 503, tracking.CodeUnavailable)
		s.do(t, "GET", "/v1/courier/deliveries", sam.token, nil).refused(t, 503, tracking.CodeUnavailable)
		s.do(t, "GET", "/v1/track/"+token, "", nil)
		s.do(t, "GET", "/v1/track/"+token+"x", "", nil)
	}
	log := s.log.String()
	if !strings.Contains(log, "request refused") {
		t.Fatalf("failures are not logged: %s", log)
	}
	for _, secret := range []string{s.merchant, s.ops, sam.token, token} {
		if strings.Contains(log, secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}
