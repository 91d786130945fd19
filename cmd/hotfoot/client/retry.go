package client

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"
)

const (
	firstDelay = 200 * time.Millisecond
	maxDelay   = 10 * time.Second
)

// unreachable marks an attempt that brought no answer: the server may or may not have acted on it.
type unreachable struct{ cause error }

func (e *unreachable) Error() string { return e.cause.Error() }
func (e *unreachable) Unwrap() error { return e.cause }

func repeatable(err error, harmless bool) bool {
	var p *Problem
	if errors.As(err, &p) {
		switch p.Status {
		case http.StatusTooManyRequests:
			return true
		case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			return harmless
		}
		return false
	}
	var u *unreachable
	return harmless && errors.As(err, &u)
}

func retryAfter(err error) time.Duration {
	var p *Problem
	if errors.As(err, &p) {
		return p.RetryAfter
	}
	return 0
}

// delay draws the wait before the next attempt: full jitter below a doubling ceiling, on top of what the server asked
// for. The jitter is added, not replaced, because a thousand phones told the same Retry-After would come back as one.
func delay(attempt int, after time.Duration) time.Duration {
	ceiling := maxDelay
	if attempt < 6 {
		ceiling = min(firstDelay<<attempt, maxDelay)
	}
	return after + rand.N(ceiling)
}

// pause waits for d. A wait that would outlast the deadline fails at once: nothing could be sent after it.
func pause(ctx context.Context, d time.Duration) error {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < d {
		return context.DeadlineExceeded
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
