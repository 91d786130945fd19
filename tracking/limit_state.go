package tracking

import "time"

// LimitState is all that is kept of one subject under one policy. It is worked out without a store and without a clock: the hot store's scripts do the
// same sums, and a test holds the two against each other. The zero LimitState is that of a subject who was never seen. Times are Unix microseconds.
type LimitState struct {
	// Since is when the window began, in whole milliseconds; of a TokenBucket, when it will be full again, which is all that it keeps.
	Since int64
	// Used is what was taken in the window.
	Used int64
	// Before is what was taken in the one before it; of a SlidingWindow only.
	Before int64
}

// Take takes cost under a policy at a time, and answers the state after that. A refusal takes nothing. Time that goes backwards, as the clocks of two
// masters may, is no time at all.
func (s LimitState) Take(p LimitPolicy, now, cost int64) (LimitState, Decision) {
	take := s.takeToken
	switch p.Kind {
	case FixedWindow:
		take = s.takeFixed
	case SlidingWindow:
		take = s.takeSliding
	}
	after, d := take(p, now, cost)
	if !d.Allowed {
		return s, d
	}
	return after, d
}

// idleFrom is the time from which on a state says no more than the zero one does.
func (s LimitState) idleFrom(p LimitPolicy) int64 {
	switch p.Kind {
	case FixedWindow:
		return s.Since + p.Period.Microseconds()
	case SlidingWindow:
		return s.Since + 2*p.Period.Microseconds()
	default:
		return s.Since
	}
}

func micros(n int64) time.Duration { return time.Duration(n) * time.Microsecond }
