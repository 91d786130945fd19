package tracking

// Suspicion is why a fix cannot be true. Such a fix is kept, with the reason, and shown to nobody as the courier's place.
type Suspicion uint8

// The reasons. Their numbers are stored, so none is ever given to another.
const (
	Believed          Suspicion = iota
	SuspectTeleport             // too far from where the courier was for the time between
	SuspectSpeed                // by its own word faster than any courier
	SuspectAccuracy             // by its own word too vague to be a place
	SuspectMock                 // by its own word made up by an app
	SuspectNullIsland           // exactly 0, 0 without an accuracy: what is sent for want of a fix
)

// Suspicions lists every reason, so that each can be counted from zero.
var Suspicions = []Suspicion{SuspectTeleport, SuspectSpeed, SuspectAccuracy, SuspectMock, SuspectNullIsland}

var suspicionNames = [...]string{
	SuspectTeleport: "teleport", SuspectSpeed: "speed", SuspectAccuracy: "accuracy", SuspectMock: "mock", SuspectNullIsland: "null_island",
}

// Known reports whether this version knows the reason: another may have written it.
func (s Suspicion) Known() bool { return int(s) < len(suspicionNames) }

// String is what receipts and tracks call it; "" for Believed.
func (s Suspicion) String() string {
	if !s.Known() {
		return "unknown"
	}
	return suspicionNames[s]
}
