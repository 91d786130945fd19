package api_test

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"hotfoot/tracking"
	"hotfoot/tracking/api"
	"hotfoot/tracking/oidc"
)

// signInSite is a site whose dispatchers are known to a provider.
type signInSite struct {
	*site
	dispatchers *tenant
	provider    atomic.Pointer[oidc.Provider]
	later       atomic.Int64 // how far the clock of sign-ins is ahead, in nanoseconds
}

func newSignInSite(t *testing.T, limits string) *signInSite {
	t.Helper()
	made := &signInSite{}
	made.site = newSiteWith(t, limits, func(s *site, d *api.Deps) {
		made.dispatchers = s.newTenant(t, "Night Kitchen")
		d.SignIn = &api.SignIn{Provider: made, Merchant: made.dispatchers.id}
	})
	return made
}

// trust has the site know no provider but this one, as a node does that has just started.
func (s *signInSite) trust(t *testing.T, p *idp) {
	t.Helper()
	provider, err := oidc.New(oidc.Config{
		Issuer: p.issuer(), ClientID: clientID, ClientSecret: clientSecret, Redirect: "https://track.example" + api.SignInCallback,
		Require: oidc.Claim{Name: "groups", Value: "dispatch"}, Secret: []byte(secret),
	}, func() time.Time { return time.Now().Add(time.Duration(s.later.Load())) })
	must(t, err)
	t.Cleanup(provider.Close)
	s.provider.Store(provider)
}

// Begin and Finish implement api.Provider.
func (s *signInSite) Begin(ctx context.Context) (address, flow string, err error) {
	return s.provider.Load().Begin(ctx)
}

func (s *signInSite) Finish(ctx context.Context, flow string, answer url.Values) (string, error) {
	return s.provider.Load().Finish(ctx, flow, answer)
}

// keys are those of the dispatchers' merchant, the newest first.
func (s *signInSite) keys(t *testing.T) []any {
	t.Helper()
	return s.do(t, "GET", "/v1/keys", s.dispatchers.merchant, nil).object(t)["items"].([]any)
}

// browser is somebody's, for whom the site is https://track.example as behind a balancer that speaks TLS.
type browser struct {
	http.Client
	site    *signInSite
	cookies []*http.Cookie // all that it was given
}

func (s *signInSite) browser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	must(t, err)
	b := &browser{site: s}
	b.Client = http.Client{Jar: jar, Transport: b, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return b
}

// RoundTrip implements http.RoundTripper.
func (b *browser) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host == "track.example" {
		r = r.Clone(r.Context())
		r.URL.Scheme, r.URL.Host = "http", strings.TrimPrefix(b.site.url, "http://")
	}
	response, err := b.site.client.Transport.RoundTrip(r)
	if err == nil {
		b.cookies = append(b.cookies, response.Cookies()...)
	}
	return response, err
}

func (b *browser) get(t *testing.T, address string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	must(t, err)
	response, err := b.Do(request)
	must(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	must(t, err)
	return answer{status: response.StatusCode, header: response.Header, body: body}
}

// follow answers where a page sends the browser.
func (b *browser) follow(t *testing.T, address string) string {
	t.Helper()
	a := b.get(t, address)
	if a.status != http.StatusSeeOther && a.status != http.StatusFound {
		t.Fatalf("%s: status %d: %s", address, a.status, a.body)
	}
	return a.header.Get("Location")
}

const signInPage = "https://track.example/v1/session/oidc"

// signIn goes to the provider and says where that sends the browser.
func (b *browser) signIn(t *testing.T) (callback string) {
	t.Helper()
	return b.follow(t, b.follow(t, signInPage))
}

// cookie is what it would send to the callback under a name, "" for nothing.
func (b *browser) cookie(name string) string {
	u, _ := url.Parse(signInPage + "/callback")
	for _, c := range b.Jar.Cookies(u) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

func (b *browser) setFlow(value string) {
	u, _ := url.Parse(signInPage)
	b.Jar.SetCookies(u, []*http.Cookie{{Name: flowName, Value: value, Path: "/v1/session/oidc", Secure: true}})
}

const (
	flowName    = "__Secure-hotfoot_signin"
	sessionName = "__Host-hotfoot_session"
)

func (s *signInSite) counted(t *testing.T, result string) (n float64) {
	t.Helper()
	families, err := s.registry.Gather()
	must(t, err)
	for _, family := range families {
		if family.GetName() != "hotfoot_oidc_signins_total" {
			continue
		}
		for _, m := range family.GetMetric() {
			if m.GetLabel()[0].GetValue() == result {
				return m.GetCounter().GetValue()
			}
		}
	}
	t.Fatalf("%s is not counted", result)
	return 0
}

func TestServer_signIn(t *testing.T) {
	t.Parallel()
	s, p := newSignInSite(t, ""), newIDP(t)
	s.trust(t, p)
	if n := testutil.CollectAndCount(s.registry, "hotfoot_oidc_signins_total"); n != 4 {
		t.Errorf("%d results stand at zero", n)
	}
	b := s.browser(t)
	before := time.Now()
	if landed := b.follow(t, b.signIn(t)); landed != "/ops" {
		t.Fatalf("landed at %s", landed)
	}
	t.Run("leaves a session, and nothing else", func(t *testing.T) {
		if b.cookie(flowName) != "" || b.cookie(sessionName) == "" {
			t.Errorf("the browser holds %v", b.cookies)
		}
		for _, c := range b.cookies {
			want := http.SameSiteLaxMode
			if c.Name == sessionName {
				want = http.SameSiteStrictMode
			}
			if !c.HttpOnly || !c.Secure || c.SameSite != want || c.Domain != "" || c.Name == flowName && c.Path != "/v1/session/oidc" {
				t.Errorf("it was given %s", c)
			}
		}
	})
	t.Run("is a dispatcher", func(t *testing.T) {
		who := b.get(t, "https://track.example/v1/session").want(t, 200)
		until, err := time.Parse(time.RFC3339Nano, text(who["expires_at"]))
		if err != nil || who["role"] != "ops" || until.Before(before.Add(tracking.PassLife-2*time.Second)) || until.After(time.Now().Add(tracking.PassLife)) {
			t.Errorf("%v, %v", who, err)
		}
		b.get(t, "https://track.example/v1/ops/stats").want(t, 200)
		b.get(t, "https://track.example/v1/keys").refused(t, 403, tracking.CodeForbidden)
	})
	t.Run("is seen among the merchant's keys, and ends with its key", func(t *testing.T) {
		key := s.keys(t)[0].(object)
		until, err := time.Parse(time.RFC3339Nano, text(key["expires_at"]))
		if err != nil || key["label"] != "kim@kitchen.example" || key["role"] != "ops" || until.Before(before.Add(tracking.PassLife-2*time.Second)) || until.After(time.Now().Add(tracking.PassLife)) {
			t.Errorf("%v, %v", key, err)
		}
		entries := s.do(t, "GET", "/v1/audit?subject_id="+text(key["id"]), s.dispatchers.merchant, nil).object(t)["items"].([]any)
		if len(entries) != 1 || !strings.Contains(toText(entries[0]), "system") {
			t.Errorf("the audit log says %v", entries)
		}
		if a := s.do(t, "DELETE", "/v1/keys/"+text(key["id"]), s.dispatchers.merchant, nil); a.status != http.StatusNoContent {
			t.Fatalf("%d %s", a.status, a.body)
		}
		eventually(t, "the session to end", func() bool { return b.get(t, "https://track.example/v1/session").status == 401 })
	})
	t.Run("ends with its key when they sign out, and when no other site says so", func(t *testing.T) {
		if landed := b.follow(t, b.signIn(t)); landed != "/ops" {
			t.Fatalf("landed at %s", landed)
		}
		ours := []string{"Cookie: " + sessionName + "=" + b.cookie(sessionName), "Sec-Fetch-Site: same-origin"}
		// It stays what it was when it is made anew.
		again := s.do(t, "POST", "/v1/session", "", nil, ours...)
		again.want(t, 200)
		cookie, _, _ := strings.Cut(again.header.Get("Set-Cookie"), ";")
		s.do(t, "DELETE", "/v1/session", "", nil, "Cookie: "+cookie, "Sec-Fetch-Site: cross-site")
		if key := s.keys(t)[0].(object); key["revoked_at"] != nil {
			t.Errorf("another site signed them out: %v", key)
		}
		s.do(t, "DELETE", "/v1/session", "", nil, "Cookie: "+cookie, "Sec-Fetch-Site: same-origin")
		if key := s.keys(t)[0].(object); key["revoked_at"] == nil {
			t.Errorf("signed out, and the key goes on: %v", key)
		}
		for _, copied := range []string{ours[0], "Cookie: " + cookie} {
			eventually(t, "a copy of the session to end", func() bool { return s.do(t, "GET", "/v1/session", "", nil, copied).status == 401 })
		}
	})
	t.Run("asks for the provider's configuration and keys once", func(t *testing.T) {
		if landed := b.follow(t, b.signIn(t)); landed != "/ops" {
			t.Fatalf("landed at %s", landed)
		}
		if asked, keys := p.requests("/.well-known/openid-configuration"), p.requests("/keys"); asked != 1 || keys != 1 {
			t.Errorf("asked %d and %d times", asked, keys)
		}
		if n := s.counted(t, "signed_in"); n != 3 {
			t.Errorf("counted %v", n)
		}
	})
	t.Run("is refused while Postgres is away", func(t *testing.T) {
		callback := b.signIn(t)
		s.node.Close()
		if landed := b.follow(t, callback); landed != "/ops?signin=unavailable" {
			t.Errorf("landed at %s", landed)
		}
	})
	if looked := s.tellsNothing(t, p, b); looked < 20 {
		t.Errorf("looked for %d secrets only", looked)
	}
}

// tellsNothing looks for everything secret in the log and the metrics, and answers for how much it looked.
func (s *signInSite) tellsNothing(t *testing.T, p *idp, b *browser) (looked int) {
	t.Helper()
	families, err := s.registry.Gather()
	must(t, err)
	told := s.log.String()
	for _, family := range families {
		told += family.String()
	}
	secrets := p.known()
	for _, c := range b.cookies {
		secrets = append(secrets, c.Value)
	}
	for _, secret := range append(secrets, "kim@kitchen.example", "248289761001") {
		if secret == "" {
			continue
		}
		looked++
		if strings.Contains(told, secret) {
			t.Errorf("%s is told", secret)
		}
	}
	return looked
}

func TestServer_signIn_off(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, path := range []string{"/v1/session/oidc", "/v1/session/oidc/callback"} {
		s.do(t, "GET", path, "", nil).refused(t, 404, tracking.CodeNotFound)
	}
}

func TestServer_signIn_limits(t *testing.T) {
	t.Parallel()
	s, p := newSignInSite(t, "misses=fixed_window:3/1h:local"), newIDP(t)
	s.trust(t, p)
	b := s.browser(t)
	for range 2 {
		b.follow(t, signInPage)
	}
	b.follow(t, signInPage+"/callback")
	asked, logged := p.requests("/.well-known/openid-configuration"), s.log.String()
	for _, address := range []string{signInPage, signInPage + "/callback"} {
		if landed := b.follow(t, address); landed != "/ops?signin=failed" {
			t.Errorf("%s: landed at %s", address, landed)
		}
	}
	if p.requests("/.well-known/openid-configuration") != asked || s.log.String() != logged {
		t.Error("who is held to the limit has the provider asked, or fills the log")
	}
}
