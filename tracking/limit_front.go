package tracking

import (
	"context"
	"sync"
	"time"
)

// Bounds of a LimitFront.
const (
	// askLimit is how long a decision may take. A hundred times longer than usual is a server that is stuck, and a request is not held up for its limit.
	askLimit = 250 * time.Millisecond
	// refusalsKnown is how many refusals are remembered; about 8 MB of them.
	refusalsKnown = 65_536
	// askRate is how many decisions a process asks for in a second; beyond it the counts would be a load on the server of their own.
	askRate = 10_000
)

// LimitFront stands between requests and the counts that all nodes share. A refusal is remembered until it would no longer be one, so that whoever goes on
// knocking costs no round trip; and a process asks for so many decisions a second and no more, so that neither do those who come under ever new names.
//
// What is remembered stays true: time alone gives back, and whatever others take meanwhile only puts it off.
type LimitFront struct {
	limiter Limiter
	now     func() time.Time
	refused subjects[refusal]

	mu    sync.Mutex
	asked LimitState
}

// refusal is what a subject was told, with times of this process' clock in Unix microseconds.
type refusal struct {
	cost, remaining int64
	retry, reset    int64
}

var _ Limiter = (*LimitFront)(nil)

// NewLimitFront puts a front before a limiter.
func NewLimitFront(limiter Limiter, now func() time.Time) *LimitFront {
	f := &LimitFront{limiter: limiter, now: now}
	f.refused.size = refusalsKnown
	f.refused.until = func(r refusal) int64 { return r.retry }
	return f
}

// Take implements Limiter. Errors also: CodeOverloaded when too many decisions were asked for.
func (f *LimitFront) Take(ctx context.Context, policy LimitPolicy, subject LimitSubject, cost int64) (Decision, error) {
	if d, refused := f.Refused(policy, subject, cost); refused {
		return d, nil
	}
	if wait, full := f.full(); full {
		return Decision{}, &Error{Code: CodeOverloaded, Message: "too many requests are being counted; try again", RetryAfter: wait}
	}
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	d, err := f.limiter.Take(ctx, policy, subject, cost)
	if err == nil && !d.Allowed {
		f.remember(subject, cost, d)
	}
	return d, err
}

// Refused answers what a subject was told last, if it must still be told that, without asking anybody.
func (f *LimitFront) Refused(policy LimitPolicy, subject LimitSubject, cost int64) (Decision, bool) {
	r, known := f.refused.get(subject)
	now := f.now().UnixMicro()
	if !known || r.retry <= now || cost < r.cost {
		return Decision{}, false
	}
	return Decision{
		Limit: policy.Quota(), Remaining: r.remaining, Reset: micros(max(r.reset, r.retry) - now), RetryAfter: micros(r.retry - now), Remembered: true,
	}, true
}

// ShutOut has a subject refused by this process for a while: for who was turned away while nobody could count.
func (f *LimitFront) ShutOut(subject LimitSubject, d time.Duration) {
	f.remember(subject, 1, Decision{RetryAfter: d, Reset: d})
}

func (f *LimitFront) remember(subject LimitSubject, cost int64, d Decision) {
	now := f.now().UnixMicro()
	told := refusal{cost: cost, remaining: d.Remaining, retry: now + d.RetryAfter.Microseconds(), reset: now + d.Reset.Microseconds()}
	f.refused.change(subject, now, func(refusal) refusal { return told })
}

var askPolicy = LimitPolicy{Kind: TokenBucket, Limit: askRate, Period: time.Second}

func (f *LimitFront) full() (retry time.Duration, full bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var d Decision
	f.asked, d = f.asked.Take(askPolicy, f.now().UnixMicro(), 1)
	return d.RetryAfter, !d.Allowed
}
