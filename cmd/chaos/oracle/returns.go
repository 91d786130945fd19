package oracle

import "time"

// Returns are how long the viewers who were connected to a node at a time took until they were greeted by any node again; away are the names of
// those who never were. Who stayed connected all along has not returned, nor has one who was told that all is over. Restless
// viewers are away now and then whatever happens.
func Returns(facts Facts, node string, at time.Time) (back []time.Duration, away []string) {
	for i := range facts.Viewers {
		v := &facts.Viewers[i]
		switch left, greeted := v.absence(node, at); {
		case left.IsZero():
		case greeted.IsZero():
			if !v.Restless {
				away = append(away, v.Name)
			}
		default:
			back = append(back, greeted.Sub(at))
		}
	}
	return back, away
}

// closeSlow is the one of the product's own close codes after which a viewer comes back.
const closeSlow = 4008

// absence is when the connection ended that a viewer had to a node at a time, and when they were greeted on another one.
func (v *Viewer) absence(node string, at time.Time) (left, greeted time.Time) {
	there := false
	for _, f := range v.Frames {
		switch {
		case f.At.Before(at):
			switch f.Type {
			case "open":
				there = f.Node == node
			case "close":
				there = false
			}
		case !there:
			return left, greeted
		case left.IsZero():
			switch {
			case f.Type != "close":
			case f.Left, f.Code/1000 == 4 && f.Code != closeSlow:
				return left, greeted
			default:
				left = f.At
			}
		case f.Type == "snapshot":
			return left, f.At
		}
	}
	return left, greeted
}

// Farewell is how the connection ended that a viewer had to a node at a time: with which last words, if any, and with which end; nil when it did
// not, or when the viewer went of their own accord.
func (v *Viewer) Farewell(node string, at time.Time) (bye, end *Frame, stream bool) {
	there := false
	for i := range v.Frames {
		f := &v.Frames[i]
		switch {
		case f.Type == "open" && f.At.Before(at):
			there, stream = f.Node == node, f.Stream
		case f.Type == "close" && f.At.Before(at):
			there = false
		case !there || f.At.Before(at):
		case f.Type == "bye":
			bye = f
		case f.Type == "close" && f.Left:
			return nil, nil, stream
		case f.Type == "close":
			return bye, f, stream
		case f.Type == "open":
			return nil, nil, stream
		}
	}
	return nil, nil, stream
}
