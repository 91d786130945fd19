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

// Ground is what a decision about visibility rests on: what the courier, whom it concerns, is told of it.
type Ground string

// The grounds. Only on the first of them is a courier seen.
const (
	OnTheWay       Ground = "on_the_way"   // to this very door, near enough, on duty
	NotOnTheWay    Ground = "status"       // not on the way to this door, or nobody is
	NotYetArriving Ground = "not_arriving" // this merchant's customers see a courier only once they arrive
	OthersFirst    Ground = "stops_before" // more stops come first than this merchant allows
	OffDuty        Ground = "off_duty"     // on the way, but not on duty
	AllOver        Ground = "finished"     // the delivery has ended
)

// Visibility is the one place that decides whether a customer may see where their courier is: only while the courier is on the way to this very door, as far
// as the merchant wants it, on duty, and at most so many stops away. Never before, never after.
func Visibility(d *Delivery, onDuty bool, m *Merchant) Ground {
	switch {
	case d.Status.Final():
		return AllOver
	case d.CourierID.IsZero() || !d.Status.Underway():
		return NotOnTheWay
	// A word that this release does not know is the strictest.
	case d.Status != Arriving && m.VisibleFrom != EnRoute && m.VisibleFrom != "":
		return NotYetArriving
	case d.StopsBefore > m.VisibleStops:
		return OthersFirst
	case !onDuty:
		return OffDuty
	}
	return OnTheWay
}

// why is the ground as a customer is told: neither how many stops a merchant allows nor from when on it shows its couriers is their business.
func (g Ground) why() Why {
	switch g {
	case OnTheWay:
		return Shown
	case AllOver:
		return WhyFinished
	case OffDuty:
		return WhyOff
	}
	return WhyNotYet
}
