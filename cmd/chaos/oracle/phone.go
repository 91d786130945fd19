package oracle

import (
	"slices"
	"sync"
	"time"
)

// Point is what identifies a fix. Seq is 0 for a phone that does not count; then RecordedAt tells its points apart.
type Point struct {
	Session    string
	Seq        int64
	RecordedAt int64 // Unix ms
}

// Reply is an answer to a report.
type Reply struct {
	At         time.Time
	Session    string
	Durable200 bool // the answer was 200: all of Sent are durable, but the rejected ones
	Sent       []Point
	Rejected   []Point
	Accepted   int64
	Durable    int64
	ResendFrom int64
}

// Phone is what one courier's phone reported and was answered.
type Phone struct {
	Courier string
	Name    string
	Made    []Point // every fix that it ever sent, once
	Replies []Reply // in the order in which the requests were made; a phone makes one at a time
	Left    []Point // fixes that it could not get rid of by the end

	mu sync.Mutex
}

// Make notes new fixes; before they are sent.
func (p *Phone) Make(points ...Point) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.Made = append(p.Made, points...)
}

// Reply notes an answer.
func (p *Phone) Reply(r Reply) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.Replies = append(p.Replies, r)
}

// End notes which fixes are left over.
func (p *Phone) End(left []Point) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.Left = left
}

func (p *Phone) copy() Phone {
	p.mu.Lock()
	defer p.mu.Unlock()
	return Phone{Courier: p.Courier, Name: p.Name, Made: slices.Clone(p.Made), Replies: slices.Clone(p.Replies), Left: p.Left}
}

// owed are the points that Postgres must have, and those that were refused.
func (p *Phone) owed() (owed, rejected map[Point]bool) {
	owed, rejected = map[Point]bool{}, map[Point]bool{}
	durable := map[string]int64{}
	for _, r := range p.Replies {
		for _, point := range r.Rejected {
			rejected[point] = true
		}
		if r.Durable200 {
			for _, point := range r.Sent {
				owed[point] = true
			}
		}
		durable[r.Session] = max(durable[r.Session], r.Durable)
	}
	for _, point := range p.Made {
		if point.Seq > 0 && point.Seq <= durable[point.Session] {
			owed[point] = true
		}
	}
	for point := range rejected {
		delete(owed, point)
	}
	return owed, rejected
}

// Acked is how many fixes were acknowledged as durable.
func (p *Phone) Acked() int {
	owed, _ := p.owed()
	return len(owed)
}
