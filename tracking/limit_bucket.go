package tracking

// Interval is the time between two tokens of a TokenBucket, in microseconds, rounded up: the rate is never above the limit.
func (p LimitPolicy) Interval() int64 {
	return (p.Period.Microseconds() + p.Limit - 1) / p.Limit
}

// takeToken is the generic cell rate algorithm: a bucket is the time at which it will be full again, and a token moves it on by the interval. So there is
// nothing that must be refilled, and one number to keep.
func (s LimitState) takeToken(p LimitPolicy, now, cost int64) (LimitState, Decision) {
	interval, quota := p.Interval(), p.Quota()
	full := max(s.Since, now)
	after := full + cost*interval
	allowed := after <= now+quota*interval
	d := Decision{Allowed: allowed, Limit: quota}
	if allowed {
		full = after
		s.Since = full
	} else {
		d.RetryAfter = micros(after - quota*interval - now)
	}
	d.Remaining = max(0, (now+quota*interval-full)/interval)
	d.Reset = micros(full - now)
	return s, d
}
