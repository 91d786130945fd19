package oracle

import "time"

// Delays are how long statuses that were acknowledged between two times took to the viewers who were connected then, to one node or with "" to
// any: 0 for a status that was shown before its rider heard of it. Whoever leaves before they are shown it has not waited for it, and one who
// stays and is never shown it has waited until the end of the log.
func Delays(facts Facts, from, to time.Time, node string) []time.Duration {
	acks := map[string][]Ack{}
	for _, a := range facts.Acks {
		if !a.At.Before(from) && a.At.Before(to) {
			acks[a.Delivery] = append(acks[a.Delivery], a)
		}
	}
	var delays []time.Duration
	for i := range facts.Viewers {
		v := &facts.Viewers[i]
		for _, a := range acks[v.Delivery] {
			if d, ok := v.delay(a, node); ok {
				delays = append(delays, d)
			}
		}
	}
	return delays
}

// delay is how long a viewer waited for a status; not ok when they were elsewhere.
func (v *Viewer) delay(a Ack, node string) (d time.Duration, ok bool) {
	here, greeted, known := false, false, time.Time{}
	for _, f := range v.Frames {
		// The newest connection that had its snapshot before the status was acknowledged is the one that must show it.
		if f.At.After(a.At) && !(here && greeted) {
			return 0, false
		}
		switch f.Type {
		case "open":
			here, greeted, known = node == "" || f.Node == node, false, time.Time{}
		case "close":
			if f.At.After(a.At) {
				return 0, false
			}
			here = false
		case "snapshot", "status":
			greeted = true
			if f.Ver >= a.Ver && known.IsZero() {
				known = f.At
			}
		}
		if f.At.After(a.At) && !known.IsZero() {
			return max(0, known.Sub(a.At)), true
		}
	}
	if !here || !greeted {
		return 0, false
	}
	if known.IsZero() {
		known = v.Frames[len(v.Frames)-1].At
	}
	return max(0, known.Sub(a.At)), true
}
