package tracking

import "time"

// Merchant is a tenant, as far as its customers are concerned: who it is, and what it lets them see of its couriers.
type Merchant struct {
	ID           ID
	Name         string
	VisibleStops int           // a customer sees the courier when at most this many stops come first
	VisibleFrom  Status        // and not before this status: EnRoute, which "" stands for, or Arriving
	RoundingM    int           // before the last stop only the middle of a cell so many metres wide is shown; 0 for the very place
	Delay        time.Duration // a fix is shown once it is this old, in whole seconds
}

// What a merchant may ask for.
const (
	MaxVisibleStops = 50
	MinRoundingM    = 50 // finer than this a phone's own error hides more
	MaxRoundingM    = 5000
	MaxDelay        = 5 * time.Minute
)

// Validate checks the rules that need no store. The error is CodeInvalid and names the field.
func (m Merchant) Validate() error {
	switch {
	case m.VisibleStops < 0 || m.VisibleStops > MaxVisibleStops:
		return Invalid("visible_stops", "must be between 0 and %d", MaxVisibleStops)
	case m.VisibleFrom != EnRoute && m.VisibleFrom != Arriving:
		return Invalid("visible_from", "must be en_route or arriving")
	case m.RoundingM != 0 && (m.RoundingM < MinRoundingM || m.RoundingM > MaxRoundingM):
		return Invalid("rounding_m", "must be 0 for exact positions, or between %d and %d metres", MinRoundingM, MaxRoundingM)
	case m.Delay < 0 || m.Delay > MaxDelay || m.Delay%time.Second != 0:
		return Invalid("delay_s", "must be between 0 and %d seconds", int(MaxDelay.Seconds()))
	}
	return nil
}
