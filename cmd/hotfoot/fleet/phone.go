package fleet

import (
	"fmt"
	"math/rand/v2"
	"time"

	"hotfoot/cmd/hotfoot/client"
)

const (
	// memory is how many points a phone keeps that the server has not made durable yet. Beyond it the oldest go.
	memory = 600

	betweenTunnels = 12 * time.Minute
	shortestTunnel = 15 * time.Second
	longestTunnel  = 75 * time.Second

	// Shares of the reports that come as a small batch, that repeat what was already sent, and that are in disorder.
	batchShare  = 0.25
	repeatShare = 0.005
	mixShare    = 0.005

	// echo is how many points stay in the phone, durable or not, so that there is something to repeat.
	echo = 3
)

// phone is what stands between a courier and the server: it numbers points, keeps them until they are durable, loses
// the network now and then and reports what gathered meanwhile in one go. Not safe for concurrent use.
type phone struct {
	rng     *rand.Rand
	name    string
	renewed int  // sessions before this one
	torn    bool // points of this session are lost for good: its durable seq would never get past them
	seq     int64
	kept    []client.Position // oldest first
	sent    int               // how many of kept the server has answered for
	changes []queued          // status changes not answered yet, oldest first
	hold    int               // how many chances to report are let pass, to make a batch
	dark    time.Time         // no network until then
	looked  time.Time
}

// queued is a status change waiting to be reported.
type queued struct {
	Change
	at       time.Time
	position client.Position
}

func (p *phone) record(point client.Position) {
	p.seq++
	point.Seq = p.seq
	p.kept = append(p.kept, point)
	if surplus := len(p.kept) - memory; surplus > 0 {
		p.torn = p.torn || surplus > p.sent
		p.forget(surplus)
	}
}

// session names the numbering: seq counts from 1 in each.
func (p *phone) session() string { return fmt.Sprintf("%s-%d", p.name, p.renewed) }

// renew begins another session with the points that were not reported yet. The server keeps the others.
func (p *phone) renew() {
	p.forget(p.sent)
	p.renewed++
	p.torn = false
	p.seq = 0
	for i := range p.kept {
		p.seq++
		p.kept[i].Seq = p.seq
	}
}

func (p *phone) forget(n int) {
	p.kept = append(p.kept[:0], p.kept[n:]...)
	p.sent = max(0, p.sent-n)
}

// change queues a status change, with the newest point as its position.
func (p *phone) change(c Change, at time.Time) {
	q := queued{Change: c, at: at}
	if n := len(p.kept); n > 0 {
		q.position = p.kept[n-1]
		q.position.Seq = 0 // it is a copy: the point itself travels with the others
	}
	p.changes = append(p.changes, q)
}

// online tells whether there is a network now; it may lose it.
func (p *phone) online(now time.Time) bool {
	passed := now.Sub(p.looked)
	first := p.looked.IsZero()
	p.looked = now
	if !now.Before(p.dark) && !first && p.rng.Float64() < float64(passed)/float64(betweenTunnels) {
		p.dark = now.Add(shortestTunnel + time.Duration(p.rng.Int64N(int64(longestTunnel-shortestTunnel))))
	}
	return !now.Before(p.dark)
}

// report returns the points to send now, or none. Waiting status changes are not held up by batching.
func (p *phone) report() []client.Position {
	if p.torn {
		p.renew()
	}
	if p.sent == len(p.kept) {
		return nil
	}
	if p.hold > 0 && len(p.changes) == 0 {
		p.hold--
		return nil
	}
	from := p.sent
	if p.rng.Float64() < repeatShare {
		from = max(0, p.sent-echo)
	}
	points := append([]client.Position(nil), p.kept[from:min(len(p.kept), from+client.MaxPositions)]...)
	if p.rng.Float64() < mixShare {
		p.rng.Shuffle(len(points), func(i, j int) { points[i], points[j] = points[j], points[i] })
	}
	return points
}

// answered takes the server's reply to a report: what it needs again is sent again, what is durable is forgotten.
func (p *phone) answered(points []client.Position, reply client.PositionReply) {
	through := int64(0)
	for _, point := range points {
		through = max(through, point.Seq)
	}
	if reply.ResendFrom != nil {
		through = min(through, *reply.ResendFrom-1)
	}
	p.sent, p.hold = 0, 0
	durable := 0
	for _, point := range p.kept {
		if point.Seq <= through {
			p.sent++
		}
		if point.Seq <= reply.DurableSeq {
			durable++
		}
	}
	if n := min(durable, p.sent-echo); n > 0 {
		p.forget(n)
	}
	if p.rng.Float64() < batchShare {
		p.hold = 1 + p.rng.IntN(3)
	}
}

// discard forgets the points: those of somebody off duty are nobody's business. What was done to deliveries stays.
func (p *phone) discard() {
	p.torn = p.torn || p.sent < len(p.kept)
	p.kept, p.sent = p.kept[:0], 0
}
