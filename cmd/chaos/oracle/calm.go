package oracle

import "time"

// CheckCalm judges what is promised while nothing fails, up to a time: every acknowledged status reaches every viewer who is connected within so
// long, or as soon after they were greeted, and no node is behind another.
func CheckCalm(facts Facts, within time.Duration, until time.Time) []Violation {
	c := &court{facts: facts}
	acks := map[string][]Ack{}
	for _, a := range facts.Acks {
		acks[a.Delivery] = append(acks[a.Delivery], a)
	}
	for i := range facts.Viewers {
		v := &facts.Viewers[i]
		for _, visit := range v.visits(until) {
			for _, a := range acks[v.Delivery] {
				due := a.At.Add(within)
				if a.At.Before(visit.from) {
					due = visit.from.Add(within)
				}
				if due.Before(visit.to) && !v.knows(a.Ver, visit.first, due) {
					c.blame("calm", Lost, v.Name+" of delivery "+v.Delivery, "ver %d %s was acknowledged at %s and not shown by %s",
						a.Ver, a.Status, a.At.UTC().Format("15:04:05.000"), due.UTC().Format("15:04:05.000"))
				}
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

// visit is a connection from its snapshot, the frame that is the first, to its end.
type visit struct {
	first    int
	from, to time.Time
}

// visits are a viewer's connections; one that has not ended is counted until a time.
func (v *Viewer) visits(until time.Time) (visits []visit) {
	here := false
	for i, f := range v.Frames {
		switch f.Type {
		case "snapshot":
			if !here {
				visits = append(visits, visit{i, f.At, until})
			}
			here = true
		case "close":
			if here {
				visits[len(visits)-1].to = f.At
			}
			here = false
		}
	}
	return visits
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
