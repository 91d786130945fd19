package api

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/maypok86/otter/v2"

	"hotfoot/tracking"
)

// Actors says whose key a secret is, by its hash. Errors: CodeUnauthorized, CodeUnavailable.
type Actors interface {
	Actor(ctx context.Context, hash [32]byte) (tracking.Actor, error)
}

// Auth tells callers apart. Keys that were seen lately are known without asking the truth, so that neither a courier's next position nor
// a Postgres that is away costs them their entry.
//
// A revoked key is forgotten as soon as the node hears of it, and at the latest after refresh.
type Auth struct {
	actors Actors
	known  cache
}

// cache is an otter.Cache. Were it one by its type, every package that knows an Auth would compile all of the library once more.
type cache interface {
	Get(ctx context.Context, hash [32]byte, loader otter.Loader[[32]byte, tracking.Actor]) (tracking.Actor, error)
	Invalidate(hash [32]byte) (tracking.Actor, bool)
	InvalidateAll()
	StopAllGoroutines() bool
}

const (
	authKnown   = 200_000
	authRefresh = 30 * time.Second
	authKeep    = 15 * time.Minute
)

// NewAuth makes an Auth.
func NewAuth(actors Actors) *Auth {
	return &Auth{actors: actors, known: otter.Must(&otter.Options[[32]byte, tracking.Actor]{
		MaximumSize:       authKnown,
		ExpiryCalculator:  otter.ExpiryWriting[[32]byte, tracking.Actor](authKeep),
		RefreshCalculator: otter.RefreshWriting[[32]byte, tracking.Actor](authRefresh),
		Logger:            &otter.NoopLogger{},
	})}
}

// Actor is who holds a secret. Errors: CodeUnauthorized, CodeUnavailable, and those of the attempt.
func (a *Auth) Actor(ctx context.Context, secret string, try attempt) (tracking.Actor, error) {
	if !tracking.LooksLikeSecret(secret) {
		return tracking.Actor{}, errNoKey
	}
	return a.Holder(ctx, tracking.HashSecret(secret), try)
}

var errNoKey = tracking.Errorf(tracking.CodeUnauthorized, "this needs a key: send it as Authorization: Bearer <key>")

// Holder is who holds the key with a hash. Errors: CodeUnauthorized, CodeUnavailable, and those of the attempt.
func (a *Auth) Holder(ctx context.Context, hash [32]byte, try attempt) (tracking.Actor, error) {
	actor, err := a.known.Get(ctx, hash, lookup{a, try})
	if err == nil && !actor.Until.IsZero() && !time.Now().Before(actor.Until) {
		return tracking.Actor{}, tracking.Errorf(tracking.CodeUnauthorized, "this key has expired")
	}
	return actor, err
}

// lookup is how a key that is not known is found, and one that is looked after.
type lookup struct {
	auth *Auth
	try  attempt
}

// Load implements otter.Loader.
func (l lookup) Load(ctx context.Context, hash [32]byte) (tracking.Actor, error) {
	if err := l.try.admit(hash); err != nil {
		return tracking.Actor{}, err
	}
	actor, err := l.auth.actors.Actor(ctx, hash)
	if tracking.CodeOf(err) == tracking.CodeUnauthorized {
		err = l.try.failed(ctx, hash, err)
	}
	return actor, err
}

// Reload implements otter.Loader. It runs beside requests, so that the one which it came from may be over.
func (l lookup) Reload(ctx context.Context, hash [32]byte, _ tracking.Actor) (tracking.Actor, error) {
	actor, err := l.auth.actors.Actor(ctx, hash)
	if tracking.CodeOf(err) == tracking.CodeUnauthorized {
		// What finds the key revoked must not leave the old answer standing.
		l.auth.known.Invalidate(hash)
	}
	return actor, err
}

// Forget makes a revoked key unknown at once.
func (a *Auth) Forget(hash [32]byte) { a.known.Invalidate(hash) }

// Close ends what the cache does in the background. No request may be under way.
func (a *Auth) Close() { a.known.StopAllGoroutines() }

// ForgetAll is for when a revocation may have been missed.
func (a *Auth) ForgetAll() { a.known.InvalidateAll() }

// secretOf finds the key in a request. Browsers cannot set headers on a WebSocket, so it may also come as a subprotocol "bearer.<key>".
func secretOf(header http.Header) string {
	if secret := bearer(header); secret != "" {
		return secret
	}
	for _, line := range header.Values("Sec-WebSocket-Protocol") {
		for protocol := range strings.SplitSeq(line, ",") {
			if secret, ok := strings.CutPrefix(strings.TrimSpace(protocol), "bearer."); ok {
				return secret
			}
		}
	}
	return ""
}

func bearer(header http.Header) string {
	if scheme, secret, ok := strings.Cut(header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "bearer") {
		return strings.TrimSpace(secret)
	}
	return ""
}

// authenticate says who sent a request, by the key that it came with or else by its session, if it is one of the roles. Errors: CodeUnauthorized, CodeForbidden, CodeRateLimited, CodeUnavailable.
func (s *Server) authenticate(r *http.Request, secret string, roles ...tracking.Role) (tracking.Actor, error) {
	var actor tracking.Actor
	var err error
	if secret == "" {
		actor, err = s.signedIn(r)
	} else {
		actor, err = s.auth.Actor(r.Context(), secret, attempt{s.Limits, r})
	}
	if err == nil && !slices.Contains(roles, actor.Role) {
		err = tracking.Errorf(tracking.CodeForbidden, "a %s key may not do this", actor.Role)
	}
	return actor, err
}

type actorKey struct{}

// actorOf is who called; only handlers behind roles may ask.
func actorOf(ctx context.Context) tracking.Actor { return ctx.Value(actorKey{}).(tracking.Actor) }

// roles is huma middleware that lets only these roles through, and each of them as often as the operation's rule says.
func (s *Server) roles(roles ...tracking.Role) huma.Middlewares {
	return huma.Middlewares{func(ctx huma.Context, next func(huma.Context)) {
		c := humagin.Unwrap(ctx)
		// What a key opens has names, places and links in it: no cache on the way keeps it.
		c.Writer.Header()["Cache-Control"] = storePolicy
		actor, err := s.authenticate(c.Request, bearer(c.Request.Header), roles...)
		if err == nil {
			err = s.Limits.ofActor(ctx.Context(), c.Writer.Header(), ctx.Operation().OperationID, ctx.Method(), actor)
		}
		if err != nil {
			p := s.fail(err).(*Problem)
			for name, values := range p.GetHeaders() {
				ctx.SetHeader(name, values[0])
			}
			ctx.SetHeader("Content-Type", p.ContentType(""))
			ctx.SetStatus(p.Status)
			_ = s.huma.Marshal(ctx.BodyWriter(), "application/json", p)
			return
		}
		next(huma.WithValue(ctx, actorKey{}, actor))
	}}
}
