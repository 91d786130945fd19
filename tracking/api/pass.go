package api

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"hotfoot/tracking"
	"hotfoot/tracking/frame"
)

// What a browser calls a session. The prefix has it keep the cookie to this host and to TLS, whatever a page of a neighbouring host says (RFC 6265bis
// section 4.1.3); without TLS there is none that it could keep to.
const (
	sessionCookie       = "hotfoot_session"
	sessionCookieSecure = "__Host-" + sessionCookie
)

type (
	sessionBody struct {
		Role      string     `json:"role"`
		ExpiresAt frame.Time `json:"expires_at"`
	}
	sessionOut struct {
		SetCookie http.Cookie `header:"Set-Cookie"`
		Body      sessionBody
	}
	sessionGone struct {
		SetCookie http.Cookie `header:"Set-Cookie"`
	}
)

func (s *Server) mountSession() {
	merchant, ops := tracking.RoleMerchant, tracking.RoleOps
	end := s.operation("Session", "end-session", http.MethodDelete, "/v1/session", "Sign out")
	end.DefaultStatus, end.Middlewares, end.Security = http.StatusNoContent, huma.Middlewares{s.ownSession}, nil
	register(s, s.operation("Session", "begin-session", http.MethodPost, "/v1/session", "Sign a browser in: the key is answered with a cookie that scripts cannot read", merchant, ops), s.beginSession)
	register(s, s.operation("Session", "get-session", http.MethodGet, "/v1/session", "Who is signed in", merchant, ops), s.getSession)
	register(s, end, s.endSession)
}

func (s *Server) beginSession(ctx context.Context, _ *struct{}) (*sessionOut, error) {
	actor, now := actorOf(ctx), s.Now()
	until := now.Add(tracking.PassLife).Truncate(time.Second)
	if !actor.Until.IsZero() && actor.Until.Before(until) {
		until = actor.Until
	}
	return &sessionOut{
		SetCookie: s.cookie(s.Passes.Seal(tracking.Pass{KeyHash: actor.KeyHash, Until: until, Own: actor.OwnKey}), int(until.Sub(now).Seconds())),
		Body:      sessionBody{Role: string(actor.Role), ExpiresAt: frame.Time(until)},
	}, nil
}

func (s *Server) getSession(ctx context.Context, _ *struct{}) (*out[sessionBody], error) {
	actor := actorOf(ctx)
	return &out[sessionBody]{sessionBody{Role: string(actor.Role), ExpiresAt: frame.Time(actor.Until)}}, nil
}

// endSession takes the cookie away, and ends the key that was cut for the session, if one was: then nobody who has copied the cookie has anything. It needs no
// session: whoever has none is signed out already.
func (s *Server) endSession(ctx context.Context, _ *struct{}) (*sessionGone, error) {
	if actor, ok := ctx.Value(actorKey{}).(tracking.Actor); ok && actor.OwnKey {
		// The browser forgets its session whatever becomes of the key.
		if err := s.Locksmith.Revoke(ctx, actor, actor.KeyID); err != nil {
			s.log.Warn("the key of somebody who signed out could not be ended, and expires by itself", "key", actor.KeyID, "until", actor.Until, "cause", err)
		}
	}
	return &sessionGone{SetCookie: s.cookie("", -1)}, nil
}

// ownSession is huma middleware that says whose session it is, if it is anybody's and our own page asks.
func (s *Server) ownSession(ctx huma.Context, next func(huma.Context)) {
	if actor, err := s.signedIn(humagin.Unwrap(ctx).Request); err == nil {
		ctx = huma.WithValue(ctx, actorKey{}, actor)
	}
	next(ctx)
}

func (s *Server) cookie(value string, age int) http.Cookie {
	c := http.Cookie{Name: s.cookieName(), Value: value, Path: "/", MaxAge: age, HttpOnly: true, SameSite: http.SameSiteStrictMode}
	c.Secure = c.Name == sessionCookieSecure
	return c
}

func (s *Server) cookieName() string {
	if strings.HasPrefix(s.config.PublicURL, "https://") {
		return sessionCookieSecure
	}
	return sessionCookie
}

// signedIn is who sent a request without a key, by its session. A browser sends the cookie along whoever made it ask, so a request that changes something, or
// opens a socket, must come from our own page. Errors: CodeUnauthorized, CodeForbidden, CodeUnavailable.
func (s *Server) signedIn(r *http.Request) (tracking.Actor, error) {
	cookie, err := r.Cookie(s.cookieName())
	if err != nil {
		return tracking.Actor{}, errNoKey
	}
	if !harmless(r) && !s.fromOwnPage(r) {
		return tracking.Actor{}, tracking.Errorf(tracking.CodeForbidden, "a session is good for our own pages alone; use a key")
	}
	pass, err := s.Passes.Open(cookie.Value, s.Now())
	if err != nil {
		return tracking.Actor{}, err
	}
	actor, err := s.auth.Holder(r.Context(), pass.KeyHash, attempt{s.Limits, r})
	if actor.Until.IsZero() || pass.Until.Before(actor.Until) {
		actor.Until = pass.Until
	}
	actor.OwnKey = pass.Own
	return actor, err
}

func harmless(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && r.Header.Get("Upgrade") == ""
}

// fromOwnPage goes by what browsers say of themselves and no page can change: Sec-Fetch-Site (W3C Fetch Metadata) where it is said, and else Origin.
func (s *Server) fromOwnPage(r *http.Request) bool {
	if sites := r.Header.Values("Sec-Fetch-Site"); len(sites) > 0 {
		return len(sites) == 1 && sites[0] == "same-origin"
	}
	origins := r.Header.Values("Origin")
	if len(origins) != 1 {
		return false
	}
	if origins[0] == s.config.PublicURL {
		return true
	}
	u, err := url.Parse(origins[0])
	return err == nil && u.Host == r.Host && u.Host != "" && u.Scheme == schemeOf(r) && u.Path == ""
}

func schemeOf(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}
