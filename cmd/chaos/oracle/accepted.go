package oracle

import "time"

// CheckAccepted judges what phones were told is accepted and not durable yet, up to a time before which nothing waits in the backlog any more:
// it must be in Postgres without having been asked for again. Phones that send everything again in the end would hide that it was lost.
func CheckAccepted(facts Facts, truth Truth, by time.Time) []Violation {
	c := &court{facts: facts, truth: truth}
	for i := range facts.Phones {
		p := &facts.Phones[i]
		stored := map[Point]bool{}
		for _, row := range truth.Positions[p.Courier] {
			stored[row] = true
		}
		for point, at := range p.accepted(by) {
			if !stored[point] {
				c.blame("I1", Lost, p.Name, "session %q seq %d of %s was accepted at %s, is not in Postgres, waits in no backlog, and is not asked for again",
					point.Session, point.Seq, clock(point.RecordedAt), at.UTC().Format("15:04:05.000"))
			}
		}
	}
	return c.found
}

// accepted are the points that a phone was told are taken, by a time, and when. What it was asked for again since is not among them: neither that nor
// what comes after it counts as taken any more.
func (p *Phone) accepted(by time.Time) map[Point]time.Time {
	accepted := map[Point]time.Time{}
	for _, r := range p.Replies {
		if r.At.Before(by) {
			for _, point := range r.Sent {
				accepted[point] = r.At
			}
		}
		for _, point := range r.Rejected {
			delete(accepted, point)
		}
		if r.ResendFrom == 0 {
			continue
		}
		for point := range accepted {
			if point.Session == r.Session && point.Seq >= r.ResendFrom {
				delete(accepted, point)
			}
		}
	}
	return accepted
}
