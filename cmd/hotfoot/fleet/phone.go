package fleet

import (
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
	session string
	seq     int64
	kept    []client.Position // oldest first
	sent    int               // how many of kept the server has answered for
	changes []queued          // status changes not answered yet, oldest first
	hold    int               // how many chances to report are let pass, to make a batch
	dark    time.Time         // no network until then
	looked  time.Time
	dropped int // points that fell out of memory before they were durable
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
		p.forget(surplus)
		p.dropped += surplus
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
	if now.Before(p.dark) {
		return false
	}
	if !p.looked.IsZero() && p.rng.Float64() < float64(now.Sub(p.looked))/float64(betweenTunnels) {
		p.dark = now.Add(shortestTunnel + time.Duration(p.rng.Int64N(int64(longestTunnel-shortestTunnel))))
	}
	p.looked = now
	return !now.Before(p.dark)
}

// report returns the points to send now, or none. Waiting status changes are not held up by batching.
func (p *phone) report() []client.Position {
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

// discard forgets everything that was not reported, as at the end of a shift.
func (p *phone) discard() {
	p.kept, p.sent, p.changes = p.kept[:0], 0, nil
}
