package load

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"hotfoot/cmd/chaos/oracle"
)

// manner is how a phone reports.
type manner int

const (
	plain     manner = iota
	waiting          // asks for its fixes to be durable before the answer: Prefer: wait=2
	uncounted        // sends no seq and no session, and waits
	wild             // duplicates, reverses, overlaps, holds back, sends late and future fixes
)

// maxBatch is how many fixes the contract takes in one report.
const maxBatch = 500

// mannerOf spreads the rarer manners over the couriers.
func mannerOf(i int) manner {
	switch {
	case i == 1:
		return wild
	case i == 3:
		return uncounted
	case i%5 == 4:
		return waiting
	}
	return plain
}

// kept is a fix that is not known to be durable.
type kept struct {
	oracle.Point
	wire    fix
	sent    bool
	readyAt time.Time // a wild phone may hold it back
}

// fix is a point on the wire.
type fix struct {
	Seq        int64   `json:"seq,omitempty"`
	RecordedAt string  `json:"recorded_at"`
	Lat        float64 `json:"lat"`
	Lon        float64 `json:"lon"`
	SpeedMPS   float64 `json:"speed_mps"`
	AccuracyM  float64 `json:"accuracy_m"`
}

// phone is one courier's phone: it keeps every fix until durable_seq covers it, sends what is new, and again what must be.
type phone struct {
	courier courier
	manner  manner
	call    *caller
	log     *oracle.Phone
	random  *rand.Rand
	every   time.Duration
	clock   clock

	session string
	seq     int64
	last    time.Time   // of the newest fix
	kept    []kept      // ascending by seq
	memory  []kept      // what a wild phone may send again for no reason
	acked   atomic.Bool // something has become durable

	impatient *atomic.Bool // gives up what is refused, while this is true; nil for one who never does
	gaveUp    atomic.Int64 // fixes
	begun     int          // sessions after the first
}

// run reports until it is enough, and then goes on until nothing is left, or ctx ends.
func (p *phone) run(ctx context.Context, enough <-chan struct{}) {
	defer func() {
		var left []oracle.Point
		for _, k := range p.kept {
			left = append(left, k.Point)
		}
		p.log.End(left)
	}()
	for {
		if !over(enough) {
			p.make()
		} else if p.settle(); len(p.kept) == 0 {
			return
		}
		pause := p.every + jitter(p.random, -p.every/4, p.every/4)
		if batch := p.batch(); len(batch) > 0 {
			if a := p.report(ctx, batch); !a.ok() {
				if a.code == http.StatusServiceUnavailable && p.impatient != nil && p.impatient.Load() {
					p.giveUp()
				} else {
					p.forgetSent()
				}
				pause = max(pause, min(a.retryAfter, longestWait))
			}
		}
		if !sleep(ctx, pause) {
			return
		}
	}
}

// make takes two to five new fixes.
func (p *phone) make() {
	n := 2 + p.random.IntN(4)
	now := p.clock(time.Now(), p.random).UTC().Truncate(time.Millisecond)
	if p.last.Sub(now) > time.Second && p.manner != uncounted {
		p.last = time.Time{} // the clock was put back
	}
	step := max(time.Millisecond, now.Sub(p.last)/time.Duration(n+1)).Truncate(time.Millisecond)
	if step > p.every {
		step = p.every / time.Duration(n+1)
	}
	for i := range n {
		at := now.Add(-step * time.Duration(n-1-i))
		if !at.After(p.last) {
			at = p.last.Add(time.Millisecond)
		}
		p.last = at
		p.add(at)
	}
	if p.manner != wild {
		return
	}
	switch p.random.IntN(6) {
	case 0:
		p.add(now.Add(-10*time.Minute - time.Duration(p.seq)*time.Second)) // late: found again after a tunnel
	case 1:
		p.add(now.Add(time.Hour)) // a clock that is wrong
	case 2:
		p.kept[len(p.kept)-1].readyAt = now.Add(3 * p.every) // overtaken by later ones
	}
}

func (p *phone) add(at time.Time) {
	if p.manner != uncounted {
		p.seq++
	}
	angle := math.Abs(float64(at.UnixMilli()%1_200_000)/600_000 - 1) // there and back: who jumps is not believed
	k := kept{
		Point: oracle.Point{Session: p.session, Seq: p.seq, RecordedAt: at.UnixMilli()},
		wire: fix{
			Seq: p.seq, RecordedAt: at.Format("2006-01-02T15:04:05.000Z"), Lat: 37.76 + 0.03*angle, Lon: -122.44 + 0.03*angle,
			SpeedMPS: 6, AccuracyM: 8,
		},
	}
	p.kept = append(p.kept, k)
	p.log.Make(k.Point)
}

// settle has everything that is left sent again, once it has all been sent: there will be no new fix whose answer could ask for it.
func (p *phone) settle() {
	waiting := false
	for i := range p.kept {
		p.kept[i].readyAt = time.Time{}
		waiting = waiting || !p.kept[i].sent
	}
	if !waiting {
		p.forgetSent()
	}
}

func (p *phone) forgetSent() {
	for i := range p.kept {
		p.kept[i].sent = false
	}
}

// batch picks what to send: the oldest that are not sent, at most 500.
func (p *phone) batch() []kept {
	var batch []kept
	now := time.Now()
	for i := range p.kept {
		if k := &p.kept[i]; !k.sent && now.After(k.readyAt) && len(batch) < maxBatch {
			batch = append(batch, *k)
		}
	}
	if p.manner != wild || len(batch) == 0 {
		return batch
	}
	for range p.random.IntN(4) {
		if len(p.memory) > 0 {
			batch = append(batch, p.memory[p.random.IntN(len(p.memory))])
		}
	}
	p.memory = append(p.memory, batch...)
	if extra := len(p.memory) - 100; extra > 0 {
		p.memory = slices.Delete(p.memory, 0, extra)
	}
	switch p.random.IntN(3) {
	case 0:
		slices.Reverse(batch)
	case 1:
		p.random.Shuffle(len(batch), func(i, j int) { batch[i], batch[j] = batch[j], batch[i] })
	}
	return batch[:min(len(batch), maxBatch)]
}

// giveUp forgets what was refused and all that waits behind it, as an app does that is closed and opened again: it then counts in a new session.
func (p *phone) giveUp() {
	p.gaveUp.Add(int64(len(p.kept)))
	p.kept = nil
	p.beginSession()
}

// beginSession counts what is left, and all that follows, in a new session.
func (p *phone) beginSession() {
	p.memory = nil
	if p.manner == uncounted {
		return
	}
	p.begun++
	p.session, p.seq = fmt.Sprintf("%s-%d", p.courier.id, p.begun), 0
	for i := range p.kept {
		k := &p.kept[i]
		p.seq++
		k.Session, k.Seq, k.wire.Seq, k.sent = p.session, p.seq, p.seq, false
		p.log.Make(k.Point)
	}
}

type report struct {
	Session   string `json:"session,omitempty"`
	Positions []fix  `json:"positions"`
}

type intake struct {
	Accepted   int64 `json:"accepted_seq"`
	Durable    int64 `json:"durable_seq"`
	ResendFrom int64 `json:"resend_from"`
	Receipts   []struct {
		Index  int
		Result string
	}
}

// report sends a batch and does what the answer says.
func (p *phone) report(ctx context.Context, batch []kept) answer {
	body := report{Session: p.session}
	for _, k := range batch {
		body.Positions = append(body.Positions, k.wire)
	}
	header := http.Header{}
	if p.manner == waiting || p.manner == uncounted {
		header.Set("Prefer", "wait=2")
	}
	a := p.call.once(ctx, request{
		kind: oracle.Positions, who: p.courier.name, key: p.courier.token, method: http.MethodPost, path: "/v1/courier/positions", header: header, body: body,
	})
	var in intake
	if a.ok() && !a.decode(&in) {
		a.code = 0 // half an answer is none
	}
	if a.ok() {
		p.take(batch, a.code, in)
	}
	return a
}

// take forgets what may be forgotten, and marks what must be sent again.
func (p *phone) take(batch []kept, code int, in intake) {
	reply := oracle.Reply{
		At: time.Now(), Session: p.session, Durable200: code == http.StatusOK, Accepted: in.Accepted, Durable: in.Durable, ResendFrom: in.ResendFrom,
	}
	settled := map[oracle.Point]bool{}
	for _, k := range batch {
		reply.Sent = append(reply.Sent, k.Point)
		// Without seqs only 200 says that a fix is durable.
		if reply.Durable200 {
			settled[k.Point] = true
		}
	}
	for _, r := range in.Receipts {
		if r.Result == "rejected" && r.Index >= 0 && r.Index < len(batch) {
			// One that counts is done with when durable_seq has passed it, like any other: a Redis that is lost forgets refusals too.
			k := batch[r.Index]
			reply.Rejected = append(reply.Rejected, k.Point)
			settled[k.Point] = settled[k.Point] || k.Seq == 0
		}
	}
	p.log.Reply(reply)
	sent := make(map[oracle.Point]bool, len(batch))
	for _, k := range batch {
		sent[k.Point] = true
	}
	before := len(p.kept)
	p.kept = slices.DeleteFunc(p.kept, func(k kept) bool { return settled[k.Point] || k.Seq > 0 && k.Seq <= in.Durable })
	if len(p.kept) < before {
		p.acked.Store(true)
	}
	for i := range p.kept {
		k := &p.kept[i]
		k.sent = k.sent || sent[k.Point]
		if in.ResendFrom > 0 && k.Seq >= in.ResendFrom {
			k.sent = false
		}
	}
	// What was durable, and is asked for, was in a future that did not happen; a session that lacks it can never become whole.
	if in.ResendFrom > 0 && !slices.ContainsFunc(p.kept, func(k kept) bool { return k.Seq == in.ResendFrom }) {
		p.beginSession()
	}
}

// sessionOf names the one session that a phone has.
func sessionOf(m manner, i int) string {
	if m == uncounted {
		return ""
	}
	return fmt.Sprintf("phone-%d", i)
}
