package fleet

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"

	"hotfoot/cmd/hotfoot/client"
)

// rider is a simulated courier with its phone and its login at the server.
type rider struct {
	ref      CourierRef
	api      *client.Client
	rng      *rand.Rand
	sim      *Courier
	phone    *phone
	began    float64         // simulated time when Run started
	rested   float64         // simulated time from which an idle courier takes a new run
	gone     map[string]bool // deliveries of this run that the server no longer lets the courier change
	due      time.Time
	every    time.Duration
	breakEnd time.Time // the server said the shift is over: back on duty then
	paused   time.Time
}

// breakLength is how long somebody who was taken off duty stays away.
const breakLength = time.Minute

// simulated is the courier's time at a moment of the real one, and real the reverse.
func (f *Fleet) simulated(r *rider, now time.Time) float64 {
	return r.began + now.Sub(f.start).Seconds()*f.cfg.Speed
}

func (f *Fleet) real(r *rider, at float64) time.Time {
	return f.start.Add(time.Duration((at - r.began) / f.cfg.Speed * float64(time.Second)))
}

// observe lets the courier live until now and puts what happened into the phone.
func (f *Fleet) observe(r *rider, now time.Time) {
	wasIdle := r.sim.Idle()
	for _, e := range r.sim.Advance(f.simulated(r, now)) {
		at := f.real(r, e.At)
		if e.Fix != nil {
			r.phone.record(f.position(*e.Fix, at))
		} else if !r.gone[e.Change.Delivery] {
			r.phone.change(*e.Change, at)
		}
	}
	if r.sim.Idle() && !wasIdle {
		r.rested = r.sim.now + r.sim.between(20, 120)
	}
}

// report sends what the phone wants to send. It tells whether the server can be reached.
func (f *Fleet) report(ctx context.Context, r *rider) bool {
	points := r.phone.report()
	if points == nil {
		return true
	}
	reply, err := r.api.PostPositions(ctx, r.phone.session(), points, 0)
	if err != nil {
		f.failed(ctx, r, "report positions", err)
		return false
	}
	r.phone.answered(points, reply)
	f.counts.batches.Add(1)
	f.counts.positions.Add(uint64(len(points)))
	for _, receipt := range reply.Receipts {
		if receipt.Result == client.ResultRejected {
			f.counts.rejected.Add(1)
			f.trouble.about("report positions", errors.New("point rejected: "+receipt.Code))
		}
	}
	if f.follow && reply.NextReportS > 0 {
		r.every = min(max(time.Duration(reply.NextReportS*float64(time.Second)), time.Second), 15*time.Second)
		r.sim.every = r.every.Seconds() * f.cfg.Speed
	}
	return true
}

// tell reports the waiting status changes, in order. One that the server refuses for good is dropped together with
// whatever would follow on it: a dispatcher cancelled the delivery or gave it to somebody else.
func (f *Fleet) tell(ctx context.Context, r *rider) bool {
	for len(r.phone.changes) > 0 {
		q := r.phone.changes[0]
		if !r.gone[q.Delivery] {
			_, err := r.api.PostStatus(ctx, q.Delivery, q.wire())
			switch {
			case err == nil:
				f.counts.statuses.Add(1)
			case final(err):
				r.gone[q.Delivery] = true
				f.failed(ctx, r, "report status", err)
			default:
				f.failed(ctx, r, "report status", err)
				return false
			}
		}
		r.phone.changes = r.phone.changes[1:]
	}
	return true
}

func (q queued) wire() client.StatusChange {
	change := client.StatusChange{Status: q.Status, ClientEventID: q.eventID(), Reason: q.Reason, Proof: q.Proof}
	if !q.at.IsZero() {
		change.At = &q.at
	}
	if !q.position.RecordedAt.IsZero() {
		change.Position = &q.position
	}
	return change
}

// eventID is the same for each attempt to report the change, and different for each change of a delivery.
func (q queued) eventID() string {
	id := q.Delivery + "-" + q.Status
	if q.Attempt > 1 {
		id += "-again"
	}
	return id
}

// final tells whether asking again would bring the same refusal.
func final(err error) bool {
	var p *client.Problem
	if !errors.As(err, &p) {
		return false
	}
	return p.Status >= 400 && p.Status < 500 && p.Status != http.StatusTooManyRequests && !offShift(err)
}

func offShift(err error) bool {
	var p *client.Problem
	return errors.As(err, &p) && p.Code == "off_shift"
}

// failed counts an error. Being put off duty is none: the courier takes a break.
func (f *Fleet) failed(ctx context.Context, r *rider, doing string, err error) {
	switch {
	case ctx.Err() != nil && errors.Is(ctx.Err(), context.Canceled):
		return // the fleet is being stopped
	case offShift(err):
		r.phone.discard()
		r.paused = time.Now()
		r.breakEnd = r.paused.Add(breakLength)
		return
	}
	f.counts.errors.Add(1)
	f.trouble.about(doing, err)
}
