package tracking

// Why says why a customer does not see the courier; "" means that they do.
type Why string

// The reasons, as the customer's page words them.
const (
	Shown       Why = ""
	WhyNotYet   Why = "not_yet"  // not on the way to this door, or too many stops come first
	WhyFinished Why = "finished" // the delivery has ended
	WhyOff      Why = "off"      // the courier is not on duty
)

// Visibility is the one place that decides whether a customer may see where their courier is: only while the courier is on the way
// to this very door, on duty, and at most visibleStops stops away. Never before, never after.
func Visibility(d *Delivery, onDuty bool, visibleStops int) Why {
	switch {
	case d.Status.Final():
		return WhyFinished
	case d.CourierID.IsZero() || !d.Status.Underway() || d.StopsBefore > visibleStops:
		return WhyNotYet
	case !onDuty:
		return WhyOff
	}
	return Shown
}
