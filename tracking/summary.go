package tracking

import "time"

// Summary is what became of the deliveries that a merchant made on one day.
type Summary struct {
	Created                                int // all of them
	Delivered, Failed, Cancelled, Returned int // how they stand now; a failed one may still be tried again or returned
	InProgress                             int // the rest
	OnTime, Late                           int // delivered by the end of their window, or after it; those without one are neither
	ActiveCouriers                         int // who reported a position on the day, or what happened to one of the deliveries on it
	// Minutes from being made to being delivered: half of the delivered took at most Median, nine tenths at most P90. Nil when none was delivered.
	Median, P90 *float64
	AsOf        time.Time
}

// OnTimeShare is how much of what was delivered with a window came in time, from 0 to 1; ok is false when there is nothing to say it of.
func (s Summary) OnTimeShare() (share float64, ok bool) {
	if s.OnTime+s.Late == 0 {
		return 0, false
	}
	return float64(s.OnTime) / float64(s.OnTime+s.Late), true
}
