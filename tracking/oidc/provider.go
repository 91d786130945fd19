// Package oidc has an OpenID provider say who a dispatcher is: the authorization code flow of OpenID Connect Core 1.0, with PKCE (RFC 7636).
//
//	Begin  ──> the provider's address to send a browser to, and a flow for the browser to keep
//	Finish <── the flow, and what the provider sent the browser back with
//	       ──> code exchanged ──> ID token verified ──> claim required ──> a name
//
// Guarantees. Nobody is named but by an ID token that the provider signed for us and for this very flow, that has not expired and carries the claim. A provider
// is asked for its configuration when somebody first wants to sign in, so that one that is away keeps no node from starting. Each of its answers takes five
// seconds at most, is read up to 256 kB, and leads to no other host. What comes back without a flow of ours costs it nothing. No error holds a token, a code, a
// verifier or the value of a claim.
//
// Concurrency: a Provider is safe for concurrent use. It has no goroutines but those of its connections, which Close ends; requests that need its configuration
// at once share one question.
package oidc

import (
	"context"
	"crypto/hmac"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"

	"hotfoot/tracking"
)

// Config is what a provider knows us by, and what we ask of it.
type Config struct {
	Issuer       string // its address, spelled as it spells it itself
	ClientID     string
	ClientSecret string // "" for a public client
	Redirect     string // where it sends browsers back to
	Require      Claim
	Secret       []byte // of which the key for flows is derived; at least 32 bytes
}

// Provider is one OpenID provider.
type Provider struct {
	config Config
	flows  *flows
	client *http.Client
	now    func() time.Time

	asking singleflight.Group
	known  atomic.Pointer[endpoints] // nil until it has answered, and after it could not be reached
}

// endpoints is what a provider says of itself.
type endpoints struct {
	oauth oauth2.Config
	keys  oidc.KeySet
}

// New makes a Provider. It does not ask it anything yet.
func New(config Config, now func() time.Time) (*Provider, error) {
	if err := CheckIssuer(config.Issuer); err != nil {
		return nil, err
	}
	flows, err := newFlows(config.Secret)
	if err != nil {
		return nil, err
	}
	return &Provider{config: config, flows: flows, client: newClient(), now: now}, nil
}

// Close ends idle connections. Nothing may be under way.
func (p *Provider) Close() { p.client.CloseIdleConnections() }

// Begin answers where to send a browser that wants to sign in, and the flow that it must bring back within ten minutes. Errors: CodeUnavailable.
func (p *Provider) Begin(ctx context.Context) (address, sealed string, err error) {
	at, err := p.endpoints(ctx)
	if err != nil {
		return "", "", err
	}
	f := newFlow(p.now())
	address = at.oauth.AuthCodeURL(spelled(f.state), oidc.Nonce(spelled(f.nonce)), oauth2.S256ChallengeOption(spelled(f.verifier)))
	return address, p.flows.seal(f), nil
}

// Finish answers the name of whoever came back with a flow and the parameters that the provider gave them. Errors: CodeForbidden for somebody whom the provider
// knows and who is not let in, CodeUnavailable, and CodeUnauthorized for everything else.
func (p *Provider) Finish(ctx context.Context, sealed string, answer url.Values) (name string, err error) {
	f, err := p.flows.open(sealed, p.now())
	if err != nil {
		return "", err
	}
	if !hmac.Equal([]byte(answer.Get("state")), []byte(spelled(f.state))) {
		return "", failed("the state is that of another flow")
	}
	switch answer.Get("error") {
	case "":
	case "access_denied":
		return "", refused("the provider did not let them in")
	case "server_error", "temporarily_unavailable":
		return "", unavailable(errors.New("it says so itself"))
	default:
		return "", failed("the provider answered with an error")
	}
	at, err := p.endpoints(ctx)
	if err != nil {
		return "", err
	}
	claims, err := p.claims(ctx, at, f, answer.Get("code"))
	if tracking.CodeOf(err) == tracking.CodeUnavailable {
		p.known.CompareAndSwap(at, nil) // it may have moved
	}
	if err != nil {
		return "", err
	}
	if !p.config.Require.in(claims) {
		return "", refused("their ID token lacks the claim that is required")
	}
	return nameIn(claims), nil
}

// claims exchanges a code for an ID token, and answers what that says once it is known to be true.
func (p *Provider) claims(ctx context.Context, at *endpoints, f flow, code string) (map[string]any, error) {
	if code == "" {
		return nil, failed("the browser brought back no code")
	}
	token, err := at.oauth.Exchange(oidc.ClientContext(ctx, p.client), code, oauth2.VerifierOption(spelled(f.verifier)))
	if err != nil {
		return nil, exchangeError(err)
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return nil, failed("the provider gave no ID token for the code")
	}
	keys := &watchedKeys{KeySet: at.keys}
	// The library goes on fetching keys when nobody waits for them any more; the client's patience bounds how long this waits.
	ctx = context.WithoutCancel(ctx)
	id, err := oidc.NewVerifier(p.config.Issuer, keys, &oidc.Config{ClientID: p.config.ClientID, SupportedSigningAlgs: algorithms, Now: p.now}).Verify(ctx, raw)
	var expired *oidc.TokenExpiredError
	switch away := unreached(keys.err); {
	case away != nil:
		return nil, unavailable(away)
	case keys.err != nil:
		return nil, failed("the ID token is not signed by the provider")
	case errors.As(err, &expired):
		return nil, failed("the ID token has expired")
	case err != nil:
		return nil, failed("the ID token is malformed, not for us, not from this issuer, or signed in a way that proves nothing")
	}
	var claims map[string]any
	if err := id.Claims(&claims); err != nil {
		return nil, failed("the ID token's claims cannot be read")
	}
	azp, there := claims["azp"]
	switch {
	case !hmac.Equal([]byte(id.Nonce), []byte(spelled(f.nonce))):
		return nil, failed("the ID token's nonce is that of another flow")
	case there && azp != p.config.ClientID, !there && len(id.Audience) > 1:
		return nil, failed("the ID token was given to somebody else")
	case id.Subject == "":
		return nil, failed("the ID token names nobody")
	}
	return claims, nil
}

// algorithms are those that only the provider can sign with, whatever it says that it takes: a shared secret, or none, would prove nothing.
var algorithms = []string{
	oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA,
}

// watchedKeys remembers why a signature was not verified, which the library tells as a text alone.
type watchedKeys struct {
	oidc.KeySet
	err error
}

// VerifySignature implements oidc.KeySet.
func (k *watchedKeys) VerifySignature(ctx context.Context, jwt string) (payload []byte, err error) {
	payload, err = k.KeySet.VerifySignature(ctx, jwt)
	k.err = err
	return payload, err
}

// endpoints answers what the provider says of itself, which it is asked once. Errors: CodeUnavailable.
func (p *Provider) endpoints(ctx context.Context) (*endpoints, error) {
	if at := p.known.Load(); at != nil {
		return at, nil
	}
	// Whoever asked first may leave; the others still wait for the answer.
	ctx = oidc.ClientContext(context.WithoutCancel(ctx), p.client)
	found, err, _ := p.asking.Do("", func() (any, error) {
		at, err := p.discover(ctx)
		if err == nil {
			p.known.Store(at)
		}
		return at, err
	})
	if err != nil {
		return nil, err
	}
	return found.(*endpoints), nil
}

func (p *Provider) discover(ctx context.Context) (*endpoints, error) {
	provider, err := oidc.NewProvider(ctx, p.config.Issuer)
	var other *oidc.IssuerMismatchError
	if away := unreached(err); away != nil {
		return nil, unavailable(away)
	} else if errors.As(err, &other) {
		return nil, unavailable(fmt.Errorf("it calls itself %.200q", other.Discovered))
	} else if err != nil {
		return nil, unavailable(errors.New("its /.well-known/openid-configuration cannot be read"))
	}
	var says struct {
		Keys    string   `json:"jwks_uri"`
		Methods []string `json:"token_endpoint_auth_methods_supported"`
	}
	if err := provider.Claims(&says); err != nil {
		return nil, unavailable(errors.New("its configuration has fields of other types"))
	}
	endpoint := provider.Endpoint()
	for _, address := range []string{endpoint.AuthURL, endpoint.TokenURL, says.Keys} {
		if err := checkAddress(address); err != nil {
			return nil, unavailable(err)
		}
	}
	// A provider that says nothing takes the header (OpenID Connect Discovery 1.0 section 3). To try both would spend the code on the first.
	endpoint.AuthStyle = oauth2.AuthStyleInHeader
	if p.config.ClientSecret == "" || len(says.Methods) > 0 && !slices.Contains(says.Methods, "client_secret_basic") {
		endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	return &endpoints{
		oauth: oauth2.Config{
			ClientID: p.config.ClientID, ClientSecret: p.config.ClientSecret, Endpoint: endpoint, RedirectURL: p.config.Redirect,
			Scopes: []string{oidc.ScopeOpenID, "profile", "email"},
		},
		keys: oidc.NewRemoteKeySet(ctx, says.Keys),
	}, nil
}
