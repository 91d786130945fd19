package oracle

import "time"

// CheckCalm judges what is promised while nothing fails: every acknowledged status reaches every viewer who is connected within so long, and no
// node is behind another.
func CheckCalm(facts Facts, within time.Duration) []Violation {
	c := &court{facts: facts}
	acks := map[string][]Ack{}
	for _, a := range facts.Acks {
		acks[a.Delivery] = append(acks[a.Delivery], a)
	}
	for i := range facts.Viewers {
		v := &facts.Viewers[i]
		for _, a := range acks[v.Delivery] {
			if from, connected := v.connected(a.At, a.At.Add(within)); connected && !v.knows(a.Ver, from, a.At.Add(within)) {
				c.blame("calm", Lost, v.Name+" of delivery "+v.Delivery, "ver %d %s was acknowledged at %s and not shown within %v",
					a.Ver, a.Status, a.At.UTC().Format("15:04:05.000"), within)
			}
		}
		c.together(v)
	}
	return c.found
}

// together judges that a viewer who goes from node to node is never shown an older marker.
func (c *court) together(v *Viewer) {
	marker, courier := map[string]int64{}, ""
	for _, f := range v.Frames {
		if f.Courier != "" {
			courier = f.Courier
		}
		if last := marker[courier]; f.Position > 0 && f.Position < last {
			c.blame("calm", Disordered, v.Name+" of delivery "+v.Delivery, "at %s a %s frame shows %s at %s, after %s had been shown",
				f.At.UTC().Format("15:04:05.000"), f.Type, courier, clock(f.Position), clock(last))
		}
		marker[courier] = max(marker[courier], f.Position)
	}
}

// connected reports whether one connection lasted from one time to the other, and its first frame's place.
func (v *Viewer) connected(from, to time.Time) (first int, ok bool) {
	first = -1
	for i, f := range v.Frames {
		switch f.Type {
		case "snapshot":
			if first < 0 && !f.At.After(from) {
				first = i
			}
		case "close":
			if f.At.After(from) && first >= 0 {
				return first, f.At.After(to)
			}
			first = -1
		}
	}
	return first, first >= 0
}

// knows reports whether a connection had told of a version by then.
func (v *Viewer) knows(ver int64, from int, by time.Time) bool {
	for _, f := range v.Frames[from:] {
		if f.At.After(by) {
			return false
		}
		if (f.Type == "snapshot" || f.Type == "status") && f.Ver >= ver {
			return true
		}
	}
	return false
}
