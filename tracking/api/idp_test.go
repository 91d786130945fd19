package api_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	clientID     = "hotfoot-ops"
	clientSecret = "a client secret: ü+%&="
)

// signingKey is made once: RSA keys take long.
var signingKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// idp is an OpenID provider with one user, whom it lets in without asking. It does as the standard says, unless it is told to misbehave.
type idp struct {
	*httptest.Server
	// How it misbehaves; set before it is asked.
	claims    func(object)                                        // changes what an ID token says
	sign      func(object) string                                 // makes an ID token in another way
	answer    map[string]http.HandlerFunc                         // answers in place of the standard's, by path
	authorize func(back url.Values, asked url.Values) (give bool) // changes what browsers are sent back with; false for no code

	mu      sync.Mutex
	grants  map[string]url.Values // by code: what was asked for
	asked   map[string]int        // by path
	secrets []string              // all that it gave and was given, and that nobody else may know
}

func newIDP(t *testing.T) *idp {
	p := &idp{grants: map[string]url.Values{}, asked: map[string]int{}, answer: map[string]http.HandlerFunc{}, secrets: []string{clientSecret, url.QueryEscape(clientSecret)}}
	mux := http.NewServeMux()
	for path, serve := range map[string]http.HandlerFunc{
		"/realm/.well-known/openid-configuration": p.serveConfiguration, "/realm/authorize": p.serveAuthorize, "/realm/token": p.serveToken, "/realm/keys": p.serveKeys,
	} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.asked[path]++
			if other, ok := p.answer[path]; ok {
				other(w, r)
				return
			}
			serve(w, r)
		})
	}
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

func (p *idp) issuer() string { return p.URL + "/realm" }

func (p *idp) serveConfiguration(w http.ResponseWriter, _ *http.Request) {
	answerJSON(w, http.StatusOK, object{
		"issuer": p.issuer(), "authorization_endpoint": p.issuer() + "/authorize", "token_endpoint": p.issuer() + "/token", "jwks_uri": p.issuer() + "/keys",
		// That it says so must not make anybody believe what a shared secret signed, or nobody.
		"id_token_signing_alg_values_supported": []string{"RS256", "HS256", "none"},
	})
}

func (p *idp) serveKeys(w http.ResponseWriter, _ *http.Request) {
	answerJSON(w, http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: signingKey().Public(), KeyID: "one", Algorithm: "RS256", Use: "sig"}}})
}

func (p *idp) serveAuthorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Get("response_type") != "code" || q.Get("client_id") != clientID || q.Get("code_challenge_method") != "S256" || q.Get("scope") != "openid profile email" {
		http.Error(w, "not what we agreed on: "+r.URL.RawQuery, http.StatusBadRequest)
		return
	}
	code := rand.Text()
	p.secrets = append(p.secrets, code, q.Get("state"), q.Get("nonce"))
	back := url.Values{"state": {q.Get("state")}}
	if p.authorize == nil || p.authorize(back, q) {
		back.Set("code", code)
		p.grants[code] = q
	}
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+back.Encode(), http.StatusFound)
}

func (p *idp) serveToken(w http.ResponseWriter, r *http.Request) {
	id, secret, _ := r.BasicAuth()
	if id, _ = url.QueryUnescape(id); id != clientID {
		answerJSON(w, http.StatusUnauthorized, object{"error": "invalid_client"})
		return
	}
	if secret, _ = url.QueryUnescape(secret); secret != clientSecret {
		answerJSON(w, http.StatusUnauthorized, object{"error": "invalid_client"})
		return
	}
	verifier, code := r.FormValue("code_verifier"), r.FormValue("code")
	p.secrets = append(p.secrets, verifier)
	grant, ok := p.grants[code]
	delete(p.grants, code)
	proof := sha256.Sum256([]byte(verifier))
	if !ok || r.FormValue("redirect_uri") != grant.Get("redirect_uri") || base64.RawURLEncoding.EncodeToString(proof[:]) != grant.Get("code_challenge") {
		answerJSON(w, http.StatusBadRequest, object{"error": "invalid_grant", "error_description": "the code " + code + " is good for nothing"})
		return
	}
	claims := object{
		"iss": p.issuer(), "aud": clientID, "sub": "248289761001", "nonce": grant.Get("nonce"), "iat": time.Now().Unix(), "exp": time.Now().Add(5 * time.Minute).Unix(),
		"email": "kim@kitchen.example", "email_verified": true, "preferred_username": "kim", "groups": []string{"staff", "dispatch"},
	}
	if p.claims != nil {
		p.claims(claims)
	}
	sign := p.sign
	if sign == nil {
		sign = func(claims object) string { return signed(signingKey(), claims) }
	}
	token, access := sign(claims), rand.Text()
	p.secrets = append(p.secrets, token, access)
	answerJSON(w, http.StatusOK, object{"access_token": access, "token_type": "Bearer", "expires_in": 300, "id_token": token})
}

func (p *idp) requests(path string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked["/realm"+path]
}

// known answers the secrets of all that has happened.
func (p *idp) known() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.secrets...)
}

func answerJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// signed makes a token with a key, which it says is the provider's.
func signed(key *rsa.PrivateKey, claims object) string {
	return signedWith(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: key, KeyID: "one"}}, nil, claims)
}

func signedWith(key jose.SigningKey, options *jose.SignerOptions, claims object) string {
	payload, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	signer, err := jose.NewSigner(key, options)
	if err != nil {
		panic(err)
	}
	token, err := signer.Sign(payload)
	if err != nil {
		panic(err)
	}
	text, err := token.CompactSerialize()
	if err != nil {
		panic(err)
	}
	return text
}

// byHand makes a token whose signature is whatever sign makes of it; a library refuses to.
func byHand(header string, claims object, sign func(text []byte) []byte) string {
	payload, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	text := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString(payload)
	return text + "." + base64.RawURLEncoding.EncodeToString(sign([]byte(text)))
}
