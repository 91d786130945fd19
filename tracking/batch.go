package tracking

import (
	"slices"
	"time"
)

// sort makes a batch of a report: its good points by ascending time, each judged by what it says of itself and by those before it. order is which point
// each fix was, nil when they stand in the report's order, as they mostly do.
func (u *Ingest) sort(actor Actor, report PositionReport, now time.Time) (batch Batch, order []int) {
	batch = Batch{CourierID: actor.CourierID, Session: report.Session, ReceivedAt: now, Fixes: make([]Fix, 0, len(report.Points))}
	ascending := true
	for i := range report.Points {
		p := &report.Points[i]
		if p.Reject == "" {
			p.Reject = p.Position.Check(now)
		}
		if p.Reject != "" {
			// A refused point is settled all the same: the phone must not send it for ever.
			if p.Seq > 0 {
				batch.Settled = append(batch.Settled, p.Seq)
			}
			continue
		}
		p.Position.Suspect = u.rule.Alone(&p.Position, p.Mock)
		n := len(batch.Fixes)
		ascending = ascending && (n == 0 || !p.Position.RecordedAt.Before(batch.Fixes[n-1].Position.RecordedAt))
		batch.Fixes = append(batch.Fixes, Fix{Seq: p.Seq, Position: p.Position})
	}
	if !ascending {
		order = orderOf(report.Points)
		for n, i := range order {
			batch.Fixes[n] = Fix{Seq: report.Points[i].Seq, Position: report.Points[i].Position}
		}
	}
	u.rule.JudgeAll(Whereabouts{}, batch.Fixes)
	return batch, order
}

// orderOf are the indexes of the points that were not refused, by ascending time.
func orderOf(points []Point) []int {
	order := make([]int, 0, len(points))
	for i := range points {
		if points[i].Reject == "" {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return points[a].Position.RecordedAt.Compare(points[b].Position.RecordedAt) })
	return order
}

// stored are a batch's fixes as they were stored: judged by Postgres when it has them already, else by the hot store.
func stored(batch Batch, placed Placed, committed *Commitment) []Fix {
	if committed != nil {
		return committed.Batch.Fixes
	}
	if len(placed.Rejudged) == 0 {
		return batch.Fixes
	}
	fixes := slices.Clone(batch.Fixes) // a commit that nobody waits for any more may still read the others
	for _, i := range placed.Rejudged {
		p := &fixes[i].Position
		if p.Suspect == Believed {
			p.Suspect = SuspectTeleport
		} else {
			p.Suspect = Believed
		}
	}
	return fixes
}

// tell writes into the receipts what became of the fixes; moved is the one that moved the marker, counted from 1. Of a duplicate everything was said before.
func tell(receipts []Receipt, fixes []Fix, order []int, moved int) {
	i := -1
	for n := range fixes {
		if order != nil {
			i = order[n]
		} else {
			for i++; receipts[i].Result == ResultRejected; i++ {
			}
		}
		if r := &receipts[i]; r.Result == ResultLate {
			r.Suspect = fixes[n].Position.Suspect
			if n+1 == moved {
				r.Result = ResultLive
			}
		}
	}
}
