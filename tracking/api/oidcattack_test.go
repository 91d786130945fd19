package api_test

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// attack is a way to get in without being let in.
type attack struct {
	provider func(*idp)                                              // before the browser is sent to it
	browser  func(t *testing.T, b *browser, p *idp, back url.Values) // before the browser comes back
	want     string
	quiet    bool // the provider hears nothing of it
}

const elsewhere = "/elsewhere"

func says(change func(object)) attack {
	return attack{provider: func(p *idp) { p.claims = change }, want: "failed"}
}

func signs(sign func(object) string) attack {
	return attack{provider: func(p *idp) { p.sign = sign }, want: "failed"}
}

func answers(path string, serve http.HandlerFunc) attack {
	return attack{provider: func(p *idp) { p.answer["/realm"+path] = serve }, want: "unavailable"}
}

func returns(back func(t *testing.T, b *browser, p *idp, back url.Values)) attack {
	return attack{browser: back, want: "failed", quiet: true}
}

func attacks(redirect http.HandlerFunc) map[string]attack {
	large := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"issuer":"` + strings.Repeat("x", 10<<20) + `"}`))
	}
	broken := func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "out of order", http.StatusBadGateway) }
	refused := func(a attack) attack { a.want = "refused"; return a }
	all := map[string]attack{
		"wrong state":     returns(func(_ *testing.T, _ *browser, _ *idp, back url.Values) { back.Set("state", rand.Text()) }),
		"no state":        returns(func(_ *testing.T, _ *browser, _ *idp, back url.Values) { back.Del("state") }),
		"no code":         returns(func(_ *testing.T, _ *browser, _ *idp, back url.Values) { back.Del("code") }),
		"no cookie":       returns(func(_ *testing.T, b *browser, _ *idp, _ url.Values) { b.setFlow("") }),
		"a made-up error": returns(func(_ *testing.T, _ *browser, _ *idp, back url.Values) { back.Set("error", "<script>") }),
		"cookie of another flow": returns(func(t *testing.T, b *browser, _ *idp, _ url.Values) {
			b.follow(t, signInPage)
		}),
		"state and cookie of another's flow": returns(func(t *testing.T, b *browser, _ *idp, back url.Values) {
			other := b.site.browser(t)
			callback, err := url.Parse(other.signIn(t))
			must(t, err)
			back.Set("state", callback.Query().Get("state"))
		}),
		"cookie older than ten minutes": returns(func(_ *testing.T, b *browser, _ *idp, _ url.Values) {
			b.site.later.Store(int64(10*time.Minute + time.Second))
		}),
		"tampered cookie": returns(func(_ *testing.T, b *browser, _ *idp, _ url.Values) {
			old := b.cookie(flowName)
			changed := byte('A')
			if old[100] == 'A' {
				changed = 'B'
			}
			b.setFlow(old[:100] + string(changed) + old[101:])
		}),
		"a session for a cookie": returns(func(t *testing.T, b *browser, _ *idp, _ url.Values) {
			_, value, _ := strings.Cut(b.site.site.signIn(t, b.site.ops), "=")
			b.setFlow(value)
		}),
		"code of another flow": {want: "failed", browser: func(t *testing.T, b *browser, _ *idp, back url.Values) {
			callback, err := url.Parse(b.site.browser(t).signIn(t))
			must(t, err)
			back.Set("code", callback.Query().Get("code"))
		}},
		"nonce of another flow": says(func(c object) { c["nonce"] = rand.Text() }),
		"no nonce":              says(func(c object) { delete(c, "nonce") }),
		"wrong audience":        says(func(c object) { c["aud"] = "another-client" }),
		"no audience":           says(func(c object) { delete(c, "aud") }),
		"given to another":      says(func(c object) { c["azp"] = "another-client" }),
		"several audiences":     says(func(c object) { c["aud"] = []string{clientID, "another-client"} }),
		"wrong issuer":          says(func(c object) { c["iss"] = "https://login.example" }),
		"expired token":         says(func(c object) { c["exp"] = time.Now().Add(-time.Minute).Unix() }),
		"no expiry":             says(func(c object) { delete(c, "exp") }),
		"nobody":                says(func(c object) { delete(c, "sub") }),
		"claims of other types": says(func(c object) { c["exp"] = object{} }),
		"missing claim":         refused(says(func(c object) { delete(c, "groups") })),
		"claim with another":    refused(says(func(c object) { c["groups"] = []string{"staff", "dispatchers"} })),
		"claim that is longer":  refused(says(func(c object) { c["groups"] = "dispatch, staff" })),
		"claim of another type": refused(says(func(c object) { c["groups"] = object{"dispatch": true} })),
		"claim in a list of it": refused(says(func(c object) { c["groups"] = []any{[]string{"dispatch"}} })),
		"alg none": signs(func(c object) string {
			return byHand(`{"alg":"none"}`, c, func([]byte) []byte { return nil })
		}),
		"HS256 with the public key": signs(func(c object) string {
			der, err := x509.MarshalPKIXPublicKey(signingKey().Public())
			if err != nil {
				panic(err)
			}
			return byHand(`{"alg":"HS256","kid":"one"}`, c, func(text []byte) []byte {
				h := hmac.New(sha256.New, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
				h.Write(text)
				return h.Sum(nil)
			})
		}),
		"HS256 with the client secret": signs(func(c object) string {
			return byHand(`{"alg":"HS256"}`, c, func(text []byte) []byte {
				h := hmac.New(sha256.New, []byte(clientSecret))
				h.Write(text)
				return h.Sum(nil)
			})
		}),
		"signed by another key": signs(func(c object) string { return signed(anotherKey(), c) }),
		"a key that it brings along": signs(func(c object) string {
			return signedWith(jose.SigningKey{Algorithm: jose.RS256, Key: anotherKey()}, &jose.SignerOptions{EmbedJWK: true}, c)
		}),
		"no token": signs(func(object) string { return "" }),
		"code used twice": {want: "failed", browser: func(t *testing.T, b *browser, _ *idp, back url.Values) {
			first := b.site.browser(t)
			first.setFlow(b.cookie(flowName))
			if landed := first.follow(t, signInPage+"/callback?"+back.Encode()); landed != "/ops" {
				t.Fatalf("landed at %s", landed)
			}
		}},
		"access denied": {want: "refused", quiet: true, provider: func(p *idp) {
			p.authorize = func(back, _ url.Values) bool { back.Set("error", "access_denied"); return false }
		}},
		"another error": {want: "failed", quiet: true, provider: func(p *idp) {
			p.authorize = func(back, _ url.Values) bool { back.Set("error", "invalid_scope"); return false }
		}},
		"out of order": {want: "unavailable", quiet: true, provider: func(p *idp) {
			p.authorize = func(back, _ url.Values) bool { back.Set("error", "temporarily_unavailable"); return false }
		}},
		"away from the start": {want: "unavailable", provider: func(p *idp) { p.Close() }},
		"away meanwhile":      {want: "unavailable", browser: func(_ *testing.T, _ *browser, p *idp, _ url.Values) { p.Close() }},
		"another issuer's configuration": answers("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
			answerJSON(w, http.StatusOK, object{"issuer": "https://login.example", "authorization_endpoint": "https://login.example/a"})
		}),
		"no configuration": answers("/.well-known/openid-configuration", http.NotFound),
		"keys that are none": {want: "failed", provider: func(p *idp) {
			p.answer["/realm/keys"] = func(w http.ResponseWriter, _ *http.Request) { answerJSON(w, http.StatusOK, object{"keys": []any{}}) }
		}},
	}
	for _, path := range []string{"/.well-known/openid-configuration", "/token", "/keys"} {
		all["10 MB at "+path] = answers(path, large)
		all["a redirect elsewhere at "+path] = answers(path, redirect)
		all["a fault at "+path] = answers(path, broken)
	}
	for name, address := range map[string]string{"tokens": "token_endpoint", "keys": "jwks_uri", "browsers": "authorization_endpoint"} {
		all["plain http to another host for "+name] = attack{want: "unavailable", provider: func(p *idp) {
			p.answer["/realm/.well-known/openid-configuration"] = func(w http.ResponseWriter, _ *http.Request) {
				said := object{
					"issuer": p.issuer(), "authorization_endpoint": p.issuer() + "/authorize", "token_endpoint": p.issuer() + "/token", "jwks_uri": p.issuer() + "/keys",
				}
				said[address] = "http://login.example/x"
				answerJSON(w, http.StatusOK, said)
			}
		}}
	}
	return all
}

func anotherKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
}

// Whatever is done about it, nobody has a session, nobody has a key, and nothing secret is told.
func TestServer_signIn_attacks(t *testing.T) {
	t.Parallel()
	s := newSignInSite(t, "off")
	for name, a := range attacks(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, strings.Replace("http://"+r.Host, "127.0.0.1", "localhost", 1)+elsewhere, http.StatusTemporaryRedirect)
	}) {
		t.Run(name, func(t *testing.T) {
			p, b := newIDP(t), s.browser(t)
			s.trust(t, p)
			s.later.Store(0)
			reached := false
			p.Config.Handler.(*http.ServeMux).HandleFunc(elsewhere, func(http.ResponseWriter, *http.Request) { reached = true })
			if a.provider != nil {
				a.provider(p)
			}
			counted, logged := s.counted(t, a.want), strings.Count(s.log.String(), "somebody could not sign in")
			held, landed := len(s.keys(t)), b.follow(t, signInPage)
			if !strings.HasPrefix(landed, "/ops") {
				callback, err := url.Parse(b.follow(t, landed))
				must(t, err)
				back := callback.Query()
				if a.browser != nil {
					a.browser(t, b, p, back)
				}
				held = len(s.keys(t))
				landed = b.follow(t, signInPage+"/callback?"+back.Encode())
			}
			if landed != "/ops?signin="+a.want {
				t.Errorf("landed at %s", landed)
			}
			if b.cookie(sessionName) != "" || b.cookie(flowName) != "" || len(s.keys(t)) != held {
				t.Error("somebody got something for it")
			}
			b.get(t, "https://track.example/v1/session").refused(t, 401, "unauthorized")
			if a.quiet && p.requests("/token") > 0 {
				t.Error("the provider was asked")
			}
			if reached {
				t.Error("it led to another host")
			}
			if s.counted(t, a.want) != counted+1 || strings.Count(s.log.String(), "somebody could not sign in") != logged+1 {
				t.Error("it is not counted and logged once")
			}
			s.tellsNothing(t, p, b)
		})
	}
}

func toText(v any) string { return fmt.Sprint(v) }
