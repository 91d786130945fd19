package api

import (
	"context"
	"net/http"
	"time"

	"hotfoot/tracking"
)

// How long this process goes on without asking the stores again.
const (
	// wrongFor is how long a key that is not valid stays so. Keys are random, so none becomes valid that once was not; and a phone whose key was revoked
	// and which tries it again and again is guessing nothing.
	wrongFor = 10 * time.Second
	// uncountedFor is how long a client is turned away whose key was not valid while nobody could count it.
	uncountedFor = 2 * time.Second
)

// attempt is a request with a key that this process does not know. What limits it never keeps out a key that is known, so that nobody can lock out those
// who share their address.
type attempt struct {
	limits  *Limits
	request *http.Request
}

// admit says whether the stores may be asked for a key. Errors: CodeUnauthorized, CodeRateLimited.
func (a attempt) admit(hash [32]byte) error {
	r := a.limits.rule(ruleKeys)
	if r == nil {
		return nil
	}
	if _, wrong := a.limits.front.Refused(r.LimitPolicy, wrongKey(r, hash), 1); wrong {
		return errKey
	}
	subject, ok := a.limits.client(r, a.request)
	if !ok || r.local != nil {
		return nil
	}
	if d, refused := a.limits.front.Refused(r.LimitPolicy, subject, 1); refused {
		r.remembered.Inc()
		return tracking.RateLimited(r.LimitPolicy, d)
	}
	return nil
}

// failed counts a key that is not valid, and answers what its holder is told. Errors: err; CodeRateLimited; CodeUnavailable or CodeOverloaded when nobody can
// count it and the rule is closed, and then this client's next one is not looked up.
func (a attempt) failed(ctx context.Context, hash [32]byte, err error) error {
	r := a.limits.rule(ruleKeys)
	if r == nil {
		return err
	}
	a.limits.front.ShutOut(wrongKey(r, hash), wrongFor)
	subject, ok := a.limits.client(r, a.request)
	if !ok {
		return err
	}
	_, limited := a.limits.take(ctx, r, subject)
	switch tracking.CodeOf(limited) {
	case "":
		return err
	case tracking.CodeUnavailable, tracking.CodeOverloaded:
		a.limits.front.ShutOut(subject, uncountedFor)
	}
	return limited
}

func wrongKey(r *limit, hash [32]byte) tracking.LimitSubject {
	return tracking.NewLimitSubject(r.LimitPolicy, "wrong", string(hash[:]))
}

// errKey is what the truth says of a key that is not valid.
var errKey = tracking.Errorf(tracking.CodeUnauthorized, "this key is not valid")
