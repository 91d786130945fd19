package main

import (
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"hotfoot/tracking"
)

func TestOIDCFlags(t *testing.T) {
	t.Parallel()
	valid := func() nodeFlags {
		f := validFlags()
		f.PublicURL = "https://track.example"
		f.oidcFlags = oidcFlags{OIDCIssuer: "https://login.example/realms/kitchen", OIDCClientID: "hotfoot", OIDCMerchant: tracking.NewID().String(), OIDCRequire: "groups=dispatch"}
		return f
	}
	must(t, valid().validate())
	for _, change := range []func(*nodeFlags){
		func(f *nodeFlags) { f.OIDCRequire = "*" },
		func(f *nodeFlags) { f.OIDCClientSecret, f.OIDCName = "x", "Kitchen" },
		func(f *nodeFlags) { f.OIDCIssuer = "http://127.0.0.1:5556/dex" },
		func(f *nodeFlags) { f.oidcFlags, f.PublicURL = oidcFlags{}, "" },
	} {
		f := valid()
		change(&f)
		must(t, f.validate())
	}
	for name, spoils := range map[string][]func(*nodeFlags){
		"HOTFOOT_OIDC_ISSUER": {
			func(f *nodeFlags) { f.OIDCIssuer = "" }, func(f *nodeFlags) { f.OIDCIssuer = "login.example" },
			func(f *nodeFlags) { f.OIDCIssuer = "http://login.example" }, func(f *nodeFlags) { f.OIDCIssuer = "https://login.example?x" },
			func(f *nodeFlags) { f.oidcFlags = oidcFlags{OIDCName: "Kitchen"} }, func(f *nodeFlags) { f.oidcFlags = oidcFlags{OIDCClientSecret: "x"} },
		},
		"HOTFOOT_OIDC_CLIENT_ID": {func(f *nodeFlags) { f.OIDCClientID = "" }},
		"HOTFOOT_OIDC_MERCHANT": {
			func(f *nodeFlags) { f.OIDCMerchant = "" }, func(f *nodeFlags) { f.OIDCMerchant = "Corner Kitchen" },
			func(f *nodeFlags) { f.OIDCMerchant = tracking.ID{}.String() },
		},
		"HOTFOOT_OIDC_REQUIRE": {func(f *nodeFlags) { f.OIDCRequire = "" }, func(f *nodeFlags) { f.OIDCRequire = "dispatch" }, func(f *nodeFlags) { f.OIDCRequire = "groups=" }},
		"HOTFOOT_PUBLIC_URL":   {func(f *nodeFlags) { f.PublicURL = "" }},
	} {
		for i, spoil := range spoils {
			f := valid()
			if spoil(&f); f.validate() == nil || !strings.HasPrefix(f.validate().Error(), name) {
				t.Errorf("%s, %d: %v", name, i, f.validate())
			}
		}
	}
}

func TestOIDCFlags_signInName(t *testing.T) {
	t.Parallel()
	for want, f := range map[string]oidcFlags{
		"": {}, "login.example:8443": {OIDCIssuer: "https://login.example:8443/realms/kitchen"}, "Kitchen": {OIDCIssuer: "https://login.example", OIDCName: "Kitchen"},
	} {
		if got := f.signInName(); got != want {
			t.Errorf("%v: %q", f, got)
		}
	}
}

// A provider that is away keeps no node from starting, nor a page from being shown.
func TestServe_provider_away(t *testing.T) {
	t.Parallel()
	away := httptest.NewServer(nil)
	away.Close()
	d := newDeployment(t)
	var merchant struct{ ID string }
	call(t, "GET", d.start("api").url+"/v1/merchant", d.merchantKey, nil, &merchant, 200)
	d.env = append(d.env, "HOTFOOT_PUBLIC_URL=https://track.example", "HOTFOOT_OIDC_ISSUER="+away.URL, "HOTFOOT_OIDC_CLIENT_ID=hotfoot", "HOTFOOT_OIDC_MERCHANT="+merchant.ID,
		"HOTFOOT_OIDC_REQUIRE=groups=dispatch", `HOTFOOT_OIDC_NAME=Kim's "Kitchen"`)
	node := d.start("api")
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	get := func(path string) (landed, body string) {
		response, err := client.Get(node.url + path)
		must(t, err)
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		must(t, err)
		return response.Header.Get("Location"), string(text)
	}
	if _, page := get("/ops"); !strings.Contains(html.UnescapeString(page), `<meta name="sign-in" content="Kim's "Kitchen"`) {
		t.Errorf("the page does not name the provider: %s", page)
	}
	for path, want := range map[string]string{"/v1/session/oidc": "/ops?signin=unavailable", "/v1/session/oidc/callback?state=x&code=y": "/ops?signin=failed"} {
		if landed, body := get(path); landed != want {
			t.Errorf("%s: landed at %q: %s", path, landed, body)
		}
	}
}
