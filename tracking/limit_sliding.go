package tracking

// takeSliding counts in two windows, and takes what came in the one before for spread evenly: of it counts the part that a window which ends now would
// still cover. A log of every request would be exact, but costs an entry for each, up to MaxLimit of them, where this costs two numbers; and where requests
// come unevenly it errs by less than what came in one window. Both sides of a comparison are multiplied by the period, so that nothing is rounded.
func (s LimitState) takeSliding(p LimitPolicy, now, cost int64) (LimitState, Decision) {
	period := p.Period.Milliseconds()
	ms := max(now/1000, s.Since/1000)
	switch passed := ms - s.Since/1000; {
	case s.Since == 0 || passed >= 2*period:
		s = LimitState{Since: ms * 1000}
	case passed >= period:
		s = LimitState{Since: s.Since + period*1000, Before: s.Used}
	}
	left := period - (ms - s.Since/1000) // of this window
	room := p.Limit*period - s.Before*left
	allowed := (s.Used+cost)*period <= room
	if allowed {
		s.Used += cost
	}
	d := Decision{Allowed: allowed, Limit: p.Limit, Remaining: max(0, room/period-s.Used)}
	switch {
	case s.Used > 0:
		d.Reset = micros(1000 * (left + period))
	case s.Before > 0:
		d.Reset = micros(1000 * left)
	}
	if allowed {
		return s, d
	}
	// The wait is until so little of the window before is left that cost fits beside it: in this window if it ever does, or else in the next one.
	wait := int64(0)
	if free := p.Limit - s.Used - cost; free >= 0 {
		wait = left - free*period/s.Before
	} else {
		wait = left + max(0, period-(p.Limit-cost)*period/s.Used)
	}
	d.RetryAfter = micros(1000 * wait)
	return s, d
}
