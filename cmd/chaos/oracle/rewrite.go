package oracle

import (
	"net/http"
	"slices"
	"time"
)

// Rewrite is a moment at which Postgres went back in time: a backup was restored, or a standby took over that lacked the newest. What it took
// away is gone, whatever was acknowledged; everything else still holds.
type Rewrite struct {
	Epoch int64     // the one that it began
	At    time.Time // from then on Postgres knew nothing of what was lost
	Told  time.Time // from then on no node may know anything of it
	Lost  Truth
}

// Without is what a truth has and a later one has not.
func (t Truth) Without(later Truth) Truth {
	lost := Truth{Positions: map[string][]Point{}, Events: map[string][]StoredEvent{}}
	for courier, points := range t.Positions {
		kept := make(map[Point]bool, len(later.Positions[courier]))
		for _, p := range later.Positions[courier] {
			kept[p] = true
		}
		for _, p := range points {
			if !kept[p] {
				lost.Positions[courier] = append(lost.Positions[courier], p)
			}
		}
	}
	for delivery, events := range t.Events {
		for _, e := range events {
			if !slices.Contains(later.Events[delivery], e) {
				lost.Events[delivery] = append(lost.Events[delivery], e)
			}
		}
	}
	return lost
}

// era is how many rewrites had begun by then, and settled whether every node had to know of the newest.
func (f *Facts) era(at time.Time) (era int, settled bool) {
	settled = true
	for _, w := range f.Rewrites {
		if !at.Before(w.At) {
			era++
			settled = !at.Before(w.Told)
		}
	}
	return era, settled
}

// lostEvent finds an event that a rewrite took away, of which somebody was told at that time, under that epoch; 0 for an unknown one.
func (f *Facts) lostEvent(delivery string, ver, epoch int64, at time.Time) (StoredEvent, bool) {
	for _, w := range f.Rewrites {
		if !at.Before(w.Told) || epoch >= w.Epoch {
			continue
		}
		for _, e := range w.Lost.Events[delivery] {
			if e.Ver == ver {
				return e, true
			}
		}
	}
	return StoredEvent{}, false
}

// lostPosition reports whether a rewrite took away a position of which somebody was told at that time.
func (f *Facts) lostPosition(courier string, at time.Time, is func(Point) bool) bool {
	for _, w := range f.Rewrites {
		if at.Before(w.Told) && slices.ContainsFunc(w.Lost.Positions[courier], is) {
			return true
		}
	}
	return false
}

// lostAck reports whether what was acknowledged was taken away by a rewrite after that. Merchants also ask how a delivery stands, and may be told the
// old story for as long as viewers may.
func (f *Facts) lostAck(a Ack) bool {
	for _, w := range f.Rewrites {
		until := w.At
		if a.EventID == "" {
			until = w.Told
		}
		if a.At.Before(until) && slices.Contains(w.Lost.Events[a.Delivery], StoredEvent{a.Ver, a.Status, a.EventID}) {
			return true
		}
	}
	return false
}

// lostPoint reports whether a rewrite took a position away after the last time that its phone was told that it is durable.
func (f *Facts) lostPoint(p *Phone, point Point) bool {
	var told time.Time
	for _, r := range p.Replies {
		if r.claims(point) {
			told = r.At
		}
	}
	return f.lostPosition(p.Courier, told, func(lost Point) bool { return lost == point })
}

// overtaken reports whether a step was refused since history had been rewritten under its rider, who is told so by that.
func (f *Facts) overtaken(a Answer) bool {
	era, settled := f.era(a.At)
	return a.Kind == Statuses && a.Code == http.StatusConflict && era > 0 && !settled
}

// claims reports whether a reply says that a point is durable.
func (r *Reply) claims(point Point) bool {
	if point.Seq > 0 && r.Session == point.Session && point.Seq <= r.Durable {
		return true
	}
	return r.Durable200 && slices.Contains(r.Sent, point)
}

// Excepted counts what was acknowledged, is missing from Postgres, and is not counted as lost, since rewrites took it away.
func Excepted(facts Facts, truth Truth) (positions, statuses int) {
	for i := range facts.Phones {
		p := &facts.Phones[i]
		owed, _ := p.owed()
		for _, point := range truth.Positions[p.Courier] {
			delete(owed, point)
		}
		for point := range owed {
			if facts.lostPoint(p, point) {
				positions++
			}
		}
	}
	lost := map[StoredEvent]bool{}
	for _, a := range facts.Acks {
		if facts.lostAck(a) {
			lost[StoredEvent{a.Ver, a.Status, a.Delivery + a.EventID}] = true // once, however often it was acknowledged
		}
	}
	return positions, len(lost)
}
