package api

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	"hotfoot/tracking"
)

// SignInCallback is the path to which a provider sends browsers back.
const SignInCallback = signInPath + "/callback"

const (
	signInPath = "/v1/session/oidc"
	// A cookie that is bound to a path cannot have the prefix of the session's; this one has a browser keep it to TLS at least (RFC 6265bis section 4.1.3).
	flowCookie       = "hotfoot_signin"
	flowCookieSecure = "__Secure-" + flowCookie
	// flowLife is how long a browser keeps it. When it opens nothing any more is for the provider to say.
	flowLife = 10 * time.Minute
)

// SignIn lets dispatchers of a merchant in whom somebody else knows.
type SignIn struct {
	Provider Provider
	Merchant tracking.ID
}

// Provider says who somebody is, in a conversation with their browser.
type Provider interface {
	// Begin answers where to send the browser, and a secret that it must bring back. Errors: CodeUnavailable. It may wait for the provider.
	Begin(ctx context.Context) (address, flow string, err error)
	// Finish answers the name of whoever came back. Errors: CodeForbidden for somebody who is not let in, CodeUnavailable, and CodeUnauthorized when nothing is proven. None
	// holds a secret. It may wait for the provider.
	Finish(ctx context.Context, flow string, answer url.Values) (name string, err error)
}

// What became of a sign-in. But for the first, the ops page is told, which says what to do.
const (
	signedInResult = "signed_in"
	refusedResult  = "refused"     // the provider knows them, and they are none of those who are let in
	failedResult   = "failed"      // whatever they can only try again
	awayResult     = "unavailable" // the provider, or a store
)

func (s *Server) mountSignIn(engine *gin.Engine) {
	s.signIns = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "hotfoot_oidc_signins_total", Help: "Sign-ins with the OpenID provider, by what became of them.",
	}, []string{"result"})
	s.Metrics.MustRegister(s.signIns)
	for _, result := range []string{signedInResult, refusedResult, failedResult, awayResult} {
		s.signIns.WithLabelValues(result)
	}
	if s.SignIn == nil {
		return
	}
	engine.GET(signInPath, s.Discreet, s.beginSignIn)
	engine.GET(SignInCallback, s.Discreet, s.finishSignIn)
}

func (s *Server) beginSignIn(c *gin.Context) {
	if err := s.Limits.ofAddress(c.Request, ruleMisses); err != nil {
		s.turnAway(c, err)
		return
	}
	address, flow, err := s.SignIn.Provider.Begin(c.Request.Context())
	if err != nil {
		s.turnAway(c, err)
		return
	}
	http.SetCookie(c.Writer, s.flowCookie(flow, flowLife))
	c.Redirect(http.StatusSeeOther, address)
}

func (s *Server) finishSignIn(c *gin.Context) {
	http.SetCookie(c.Writer, s.flowCookie("", -time.Second))
	session, err := s.signInWithFlow(c.Request)
	if err != nil {
		s.turnAway(c, err)
		return
	}
	s.signIns.WithLabelValues(signedInResult).Inc()
	http.SetCookie(c.Writer, &session)
	c.Redirect(http.StatusSeeOther, "/ops")
}

// signInWithFlow answers the session of whoever comes back from the provider. It stands on a key of its own, whose secret nobody ever has: so a merchant sees
// it among their keys and can end it at once, on open sockets too.
func (s *Server) signInWithFlow(r *http.Request) (session http.Cookie, err error) {
	if err := s.Limits.ofAddress(r, ruleMisses); err != nil {
		return session, err
	}
	var flow string
	if held, err := r.Cookie(s.flowCookie("", 0).Name); err == nil {
		flow = held.Value
	}
	ctx := r.Context()
	name, err := s.SignIn.Provider.Finish(ctx, flow, r.URL.Query())
	if err != nil {
		return session, err
	}
	now := s.Now()
	until := now.Add(tracking.PassLife).Truncate(time.Second)
	key, _, err := s.Locksmith.Cut(ctx, tracking.Actor{Role: tracking.RoleSystem, MerchantID: s.SignIn.Merchant}, tracking.RoleOps, name, until)
	if err != nil {
		return session, err
	}
	return s.cookie(s.Passes.Seal(tracking.Pass{KeyHash: key.Hash, Until: until, Own: true}), int(until.Sub(now).Seconds())), nil
}

// turnAway sends a browser back to the page that it came from, which says what to do.
func (s *Server) turnAway(c *gin.Context, err error) {
	result := failedResult
	switch tracking.CodeOf(err) {
	case tracking.CodeForbidden:
		result = refusedResult
	case tracking.CodeUnavailable, tracking.CodeOverloaded:
		result = awayResult
	}
	s.signIns.WithLabelValues(result).Inc()
	// Who is held to a rate would fill the log, and is counted by its rule.
	if tracking.CodeOf(err) != tracking.CodeRateLimited {
		s.log.Warn("somebody could not sign in", "result", result, "cause", err)
	}
	c.Redirect(http.StatusSeeOther, "/ops?signin="+result)
}

// flowCookie is sent along when the provider sends the browser back, which is another site: so it is Lax, where the session's is Strict.
func (s *Server) flowCookie(value string, life time.Duration) *http.Cookie {
	c := &http.Cookie{Name: flowCookie, Value: value, Path: signInPath, MaxAge: int(life.Seconds()), HttpOnly: true, SameSite: http.SameSiteLaxMode}
	if s.cookieName() == sessionCookieSecure {
		c.Name, c.Secure = flowCookieSecure, true
	}
	return c
}
