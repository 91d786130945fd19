package tracking

import (
	"context"
	"crypto/sha256"
	"time"
)

// MaxLimitKey bounds the key of a decision that is asked for, in bytes.
const MaxLimitKey = 512

// LimitChecks decides for other services of a merchant: how many parcels may this driver claim, how often may that customer call.
type LimitChecks struct {
	limiter Limiter
	log     *LimitLog
	now     func() time.Time
}

// NewLimitChecks ties the use case to its ports.
func NewLimitChecks(limiter Limiter, log *LimitLog, now func() time.Time) *LimitChecks {
	return &LimitChecks{limiter: limiter, log: log, now: now}
}

// Check takes cost of what a policy allows a key of a merchant's. Keys may be any text; those of one merchant are never those of another, or ours. Errors:
// CodeInvalid naming the field, CodeUnavailable, CodeOverloaded.
func (c *LimitChecks) Check(ctx context.Context, merchant ID, policy LimitPolicy, key string, cost int64) (Decision, error) {
	// Whatever it is called: a name would make a rule of ours of it.
	policy.Name = ""
	if err := policy.Validate("policy."); err != nil {
		return Decision{}, err
	}
	if key == "" || len(key) > MaxLimitKey {
		return Decision{}, Invalid("key", "must have 1 to %d bytes", MaxLimitKey)
	}
	if err := policy.CheckCost(cost); err != nil {
		return Decision{}, err
	}
	subject := NewLimitSubject(policy, "check", string(merchant[:]), key)
	d, err := c.limiter.Take(ctx, policy, subject, cost)
	if err == nil {
		c.log.note(merchant, policy, subject, HashLimitKey(key), c.now(), d.Allowed)
	}
	return d, err
}

// HashLimitKey is what is kept of a key for analytics: keys may name people, and whoever has one can find its counts.
func HashLimitKey(key string) (hash [16]byte) {
	sum := sha256.Sum256([]byte(key))
	return [16]byte(sum[:16])
}
