package tracking

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"
)

// LimitKind is how a limit counts.
type LimitKind string

// The kinds of limits. Each is worked out in a file of its own, and again in the hot store's script of the same name.
const (
	FixedWindow   LimitKind = "fixed_window"   // so many in each window; cheap to explain, but twice as many may come around a window's end
	SlidingWindow LimitKind = "sliding_window" // so many in any window's length, nearly: smooth, and still two counts a key
	TokenBucket   LimitKind = "token_bucket"   // so many at once, and then one after the other at the rate
)

// LimitKinds lists every kind.
var LimitKinds = []LimitKind{FixedWindow, SlidingWindow, TokenBucket}

// Bounds of a limit. Within them all arithmetic fits the integers that a double holds exactly, which is what scripts in Redis count with.
const (
	MaxLimit       = 1_000_000
	MaxLimitPeriod = 31 * 24 * time.Hour
	// minInterval is between two tokens of a bucket. It is a whole number of microseconds, rounded up, so that here it is wrong by a hundredth at most.
	minInterval = 100 * time.Microsecond
	maxRefill   = 366 * 24 * time.Hour
	// maxPolicyName is in bytes.
	maxPolicyName = 64
)

// LimitPolicy says how much is allowed.
type LimitPolicy struct {
	Name   string
	Kind   LimitKind
	Limit  int64         // per Period: 1 to MaxLimit
	Period time.Duration // in whole milliseconds, up to MaxLimitPeriod
	Burst  int64         // of a TokenBucket: how much it holds, 0 for Limit; 0 for the others
}

// Validate checks a policy against the bounds. The error is CodeInvalid and names the field below path, as in "policy.limit".
func (p LimitPolicy) Validate(path string) error {
	invalid := func(field, format string, args ...any) error { return Invalid(path+field, format, args...) }
	switch {
	case len(p.Name) > maxPolicyName:
		return invalid("name", "must have at most %d bytes", maxPolicyName)
	case p.Kind != FixedWindow && p.Kind != SlidingWindow && p.Kind != TokenBucket:
		return invalid("kind", "must be one of %s, %s and %s", FixedWindow, SlidingWindow, TokenBucket)
	case p.Limit < 1 || p.Limit > MaxLimit:
		return invalid("limit", "must be from 1 to %d", MaxLimit)
	case p.Period < time.Millisecond || p.Period > MaxLimitPeriod || p.Period%time.Millisecond != 0:
		return invalid("period", "must be whole milliseconds, up to %d days", MaxLimitPeriod/(24*time.Hour))
	case p.Burst < 0 || p.Burst > MaxLimit:
		return invalid("burst", "must be from 1 to %d", MaxLimit)
	case p.Burst != 0 && p.Kind != TokenBucket:
		return invalid("burst", "only a %s has one", TokenBucket)
	case p.Kind == TokenBucket && p.Period < time.Duration(p.Limit)*minInterval:
		return invalid("limit", "must be at most %d a second", time.Second/minInterval)
	case p.Kind == TokenBucket && p.Interval() > int64(maxRefill/time.Microsecond)/p.Quota():
		return invalid("burst", "would take longer than a year to come back")
	}
	return nil
}

// Quota is the most that can be had at once.
func (p LimitPolicy) Quota() int64 {
	if p.Kind == TokenBucket && p.Burst > 0 {
		return p.Burst
	}
	return p.Limit
}

// Window is the time in which the quota comes back when all of it was used.
func (p LimitPolicy) Window() time.Duration {
	if p.Kind == TokenBucket {
		return time.Duration(p.Quota()*p.Interval()) * time.Microsecond
	}
	return p.Period
}

// CheckCost refuses what could never be allowed, so that nobody waits for it. The error is CodeInvalid.
func (p LimitPolicy) CheckCost(cost int64) error {
	if cost < 1 || cost > p.Quota() {
		return Invalid("cost", "must be from 1 to %d, which is all that the policy ever allows at once", p.Quota())
	}
	return nil
}

// Decision is what became of one request for a part of a limit.
type Decision struct {
	Allowed    bool
	Limit      int64         // the policy's quota
	Remaining  int64         // what could be had now
	Reset      time.Duration // until the whole quota is there again, if nobody takes of it
	RetryAfter time.Duration // until what was refused could be had, if nobody takes of it meanwhile; 0 when it was allowed
	Remembered bool          // it was told before, and nobody was asked again
}

// Limiter keeps the counts. Errors: CodeUnavailable; CodeInvalid for a cost that could never be allowed.
type Limiter interface {
	// Take takes cost of what a policy, which must be valid, allows a subject, or nothing when less than that is left.
	Take(ctx context.Context, policy LimitPolicy, subject LimitSubject, cost int64) (Decision, error)
}

// LimitSubject is whose count it is: a digest, so that no text of others ever becomes part of a name, and all of them take the same room.
type LimitSubject [16]byte

// NewLimitSubject digests what tells one count from all others: the policy, since another one counts anew, and parts such as a merchant and their key.
// Parts have their length in front, so that no two lists of them are written alike.
func NewLimitSubject(p LimitPolicy, parts ...string) LimitSubject {
	b := make([]byte, 0, 160)
	for _, part := range [...]string{p.Name, string(p.Kind)} {
		b = append(binary.AppendUvarint(b, uint64(len(part))), part...)
	}
	b = binary.AppendVarint(b, p.Limit)
	b = binary.AppendVarint(b, int64(p.Period))
	b = binary.AppendVarint(b, p.Quota())
	for _, part := range parts {
		b = append(binary.AppendUvarint(b, uint64(len(part))), part...)
	}
	sum := sha256.Sum256(b)
	return LimitSubject(sum[:16])
}

// RateLimited makes the Error of a request that a policy refused.
func RateLimited(p LimitPolicy, d Decision) *Error {
	return &Error{
		Code: CodeRateLimited, Message: fmt.Sprintf("more requests than %s allows; try again later", p.Name), RetryAfter: max(d.RetryAfter, time.Millisecond),
		Err: &LimitRefusal{Policy: p, Decision: d},
	}
}

// LimitRefusal is the cause of a CodeRateLimited: whoever answers can say which policy it was, and what is left of it.
type LimitRefusal struct {
	Policy   LimitPolicy
	Decision Decision
}

// Error implements error.
func (r *LimitRefusal) Error() string { return "refused by the policy " + r.Policy.Name }
