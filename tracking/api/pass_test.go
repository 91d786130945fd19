package api_test

import (
	"net/http"
	"strings"
	"testing"

	"hotfoot/tracking"
)

// signIn answers the cookie that a browser sends back, as a header.
func (s *site) signIn(t *testing.T, key string) string {
	t.Helper()
	a := s.do(t, "POST", "/v1/session", key, nil)
	a.want(t, 200)
	set := a.header.Get("Set-Cookie")
	for _, attribute := range []string{"; HttpOnly", "; Secure", "; SameSite=Strict", "; Path=/", "; Max-Age=43"} {
		if !strings.Contains(set, attribute) || !strings.HasPrefix(set, "__Host-") {
			t.Errorf("the cookie lacks %q: %s", attribute, set)
		}
	}
	if strings.Contains(set, key) {
		t.Error("the cookie holds the key")
	}
	cookie, _, _ := strings.Cut(set, ";")
	return "Cookie: " + cookie
}

func TestServer_session(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	cookie := s.signIn(t, s.ops)
	ours := []string{cookie, "Sec-Fetch-Site: same-origin"}
	t.Run("is who its key is", func(t *testing.T) {
		if body := s.do(t, "GET", "/v1/session", "", nil, cookie).want(t, 200); body["role"] != "ops" || body["expires_at"] == nil {
			t.Errorf("%v", body)
		}
		s.do(t, "GET", "/v1/keys", "", nil, cookie).refused(t, 403, tracking.CodeForbidden)
		s.do(t, "GET", "/v1/courier/deliveries", "", nil, cookie).refused(t, 403, tracking.CodeForbidden)
		s.do(t, "GET", "/v1/ops/stats", "", nil, cookie).want(t, 200)
		s.do(t, "POST", "/v1/couriers", "", object{"name": "Sam", "vehicle": "bike"}, ours...).want(t, 201)
	})
	t.Run("changes nothing, and opens no socket, for a page that is not ours", func(t *testing.T) {
		for name, headers := range map[string][]string{
			"nobody":          {},
			"another site":    {"Sec-Fetch-Site: cross-site"},
			"a neighbour":     {"Sec-Fetch-Site: same-site", "Origin: https://track.example"},
			"typed":           {"Sec-Fetch-Site: none"},
			"two that differ": {"Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: cross-site"},
			"another origin":  {"Origin: https://evil.example"},
			"a subdomain":     {"Origin: https://x.track.example"},
			"a longer name":   {"Origin: https://track.example.evil.example"},
			"plain http":      {"Origin: http://track.example"},
			"a port":          {"Origin: https://track.example:8443"},
			"null":            {"Origin: null"},
			"two origins":     {"Origin: https://track.example", "Origin: https://evil.example"},
			"a path":          {"Origin: https://track.example/"},
			"with somebody":   {"Origin: https://a@track.example"},
		} {
			headers = append([]string{cookie}, headers...)
			if a := s.do(t, "POST", "/v1/couriers", "", object{"name": "Sam", "vehicle": "bike"}, headers...); a.status != 403 {
				t.Errorf("%s: %d %s", name, a.status, a.body)
			}
			if a := s.do(t, "GET", "/v1/ops/live", "", nil, append(headers, "Upgrade: websocket")...); a.status != 403 {
				t.Errorf("%s: %d %s", name, a.status, a.body)
			}
		}
		for _, header := range []string{"Origin: https://track.example", "Sec-Fetch-Site: same-origin"} {
			s.do(t, "GET", "/v1/ops/live", "", nil, cookie, header, "Upgrade: websocket").want2xx(t)
		}
	})
	t.Run("that is forged opens nothing", func(t *testing.T) {
		name, value, _ := strings.Cut(cookie, "=")
		for _, forged := range []string{"", "x", value[1:], value + "A", strings.Repeat("A", 96), value[:95] + string('A'+(value[95]-'A'+1)%26)} {
			s.do(t, "GET", "/v1/session", "", nil, name+"="+forged).refused(t, 401, tracking.CodeUnauthorized)
		}
		s.do(t, "GET", "/v1/session", "", nil, strings.Replace(cookie, "__Host-", "", 1)).refused(t, 401, tracking.CodeUnauthorized)
	})
	t.Run("is not made for a courier, nor longer by itself", func(t *testing.T) {
		s.do(t, "POST", "/v1/session", s.hire(t, s.tenant, "Kim").token, nil).refused(t, 403, tracking.CodeForbidden)
		first := s.do(t, "GET", "/v1/session", "", nil, cookie).want(t, 200)
		again := s.do(t, "POST", "/v1/session", "", nil, ours...).want(t, 200)
		if first["expires_at"] != again["expires_at"] {
			t.Errorf("it ended at %v, and now at %v", first["expires_at"], again["expires_at"])
		}
	})
	t.Run("ends when its holder signs out", func(t *testing.T) {
		a := s.do(t, "DELETE", "/v1/session", "", nil)
		if set := a.header.Get("Set-Cookie"); a.status != http.StatusNoContent || !strings.Contains(set, "Max-Age=0") || !strings.HasPrefix(set, "__Host-hotfoot_session=;") {
			t.Errorf("%d, %q", a.status, set)
		}
		// The key was not cut for the session: it is whose it was, and goes on.
		s.do(t, "DELETE", "/v1/session", "", nil, ours...)
		s.do(t, "GET", "/v1/ops/stats", s.ops, nil).want2xx(t)
	})
	t.Run("ends with its key", func(t *testing.T) {
		key := s.do(t, "POST", "/v1/keys", s.merchant, object{"role": "ops"}).want(t, 201)
		cookie := s.signIn(t, text(key["secret"]))
		s.do(t, "GET", "/v1/session", "", nil, cookie).want(t, 200)
		s.do(t, "DELETE", "/v1/keys/"+text(key["id"]), s.merchant, nil)
		eventually(t, "the session to end", func() bool { return s.do(t, "GET", "/v1/session", "", nil, cookie).status == 401 })
	})
}
