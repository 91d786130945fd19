package tracking

// takeFixed counts in windows that begin with the first request after the last one ended. Were they the clock's own, everybody who was refused would be back
// in the same instant.
func (s LimitState) takeFixed(p LimitPolicy, now, cost int64) (LimitState, Decision) {
	period := p.Period.Microseconds()
	if s.Since == 0 || s.Since+period <= now {
		s = LimitState{Since: now - now%1000}
	}
	allowed := s.Used+cost <= p.Limit
	if allowed {
		s.Used += cost
	}
	left := s.Since + period - max(now, s.Since)
	d := Decision{Allowed: allowed, Limit: p.Limit, Remaining: p.Limit - s.Used, Reset: micros(left)}
	if !allowed {
		d.RetryAfter = d.Reset
	}
	return s, d
}
