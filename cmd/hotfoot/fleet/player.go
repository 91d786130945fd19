package fleet

import (
	"context"
	"fmt"
	"time"

	"hotfoot/cmd/hotfoot/client"
	"hotfoot/cmd/hotfoot/trackfile"
)

// player replays one track.
type player struct {
	replay   *Replay
	name     string
	points   []trackfile.Point // in the order of the file; each has a time
	origin   time.Time         // the recorded time that is played when the replay starts
	session  string
	api      *client.Client
	courier  CourierRef
	delivery DeliveryRef
	start    time.Time
	durable  int64
}

// setup creates the courier, on duty, and a delivery to where the track ends.
func (p *player) setup(ctx context.Context) error {
	merchant := p.replay.merchant
	c, err := merchant.CreateCourier(ctx, client.NewCourier{Name: p.name, Vehicle: "car"})
	if err != nil {
		return err
	}
	p.courier = CourierRef{ID: c.ID, Token: c.Token, Name: c.Name}
	p.api = merchant.WithKey(c.Token)
	if err := p.api.SetShift(ctx, true); err != nil {
		return err
	}
	first, last := p.points[0], p.points[len(p.points)-1]
	d, err := merchant.CreateDelivery(ctx, client.NewDelivery{
		Pickup:         client.Place{Lat: first.Lat, Lon: first.Lon, Name: "Start of " + p.name},
		Dropoff:        client.Place{Lat: last.Lat, Lon: last.Lon, Name: "End of " + p.name},
		CourierID:      c.ID,
		IdempotencyKey: p.session,
	})
	p.delivery = DeliveryRef{ID: d.ID, TrackingToken: d.TrackingToken, TrackingURL: d.TrackingURL}
	return err
}

// play reports each point when its time has come, and the statuses where they belong. Points that came due while a
// report was under way go together in the next.
func (p *player) play(ctx context.Context, start time.Time) error {
	p.start = start
	near := p.nearEnd()
	for next := 0; next < len(p.points); {
		end, err := p.waitDue(ctx, next)
		if err != nil {
			return err
		}
		if end, err = p.send(ctx, next, end); err != nil {
			return err
		}
		if next == 0 && end > 0 {
			p.tell(ctx, client.StatusPickedUp)
			p.tell(ctx, client.StatusEnRoute)
		}
		if next <= near && near < end {
			p.tell(ctx, client.StatusArriving)
		}
		next = end
	}
	p.tell(ctx, client.StatusDelivered)
	if err := p.confirm(ctx); err != nil {
		return err
	}
	return p.api.SetShift(ctx, false)
}

// recordedAt is the time a point is given: as long after the start of the replay as it was recorded after the origin,
// at the replay's speed.
func (p *player) recordedAt(i int) time.Time {
	return p.start.Add(time.Duration(float64(p.points[i].Time.Sub(p.origin)) / p.replay.cfg.Speed))
}

// waitDue waits until the point at next is due and returns the end of those due with it. A point out of order in the
// file is due at once: its phone too sent it after a newer one.
func (p *player) waitDue(ctx context.Context, next int) (end int, err error) {
	if err := sleep(ctx, time.Until(p.recordedAt(next))); err != nil {
		return next, err
	}
	now := time.Now()
	for end = next + 1; end < len(p.points) && end-next < client.MaxPositions && !p.recordedAt(end).After(now); end++ {
	}
	return end, nil
}

// send reports the points from (inclusive) to end until the server has them, and returns from where to go on: an
// earlier point when the server asks for it again.
func (p *player) send(ctx context.Context, from, end int) (int, error) {
	batch := make([]client.Position, 0, end-from)
	for i := from; i < end; i++ {
		batch = append(batch, p.position(i))
	}
	reply, err := p.api.PostPositions(ctx, p.session, batch, 0)
	if err != nil {
		return from, err
	}
	p.replay.count(reply.Receipts)
	p.durable = reply.DurableSeq
	if again := reply.ResendFrom; again != nil && *again >= 1 && *again <= int64(end) {
		// Whatever lost the points may need a moment, and must not be asked as fast as it can answer.
		return int(*again) - 1, sleep(ctx, confirmPause)
	}
	return end, nil
}

// position writes a point as the API wants it. A recorded speed is reported only when the replay is not sped up. It is
// left out rather than scaled: the device did not measure that speed.
func (p *player) position(i int) client.Position {
	point := p.points[i]
	out := client.Position{
		Seq: int64(i + 1), RecordedAt: p.recordedAt(i), Lat: point.Lat, Lon: point.Lon,
		AccuracyM: point.AccuracyM, HeadingDeg: point.HeadingDeg, AltitudeM: point.AltitudeM,
	}
	if p.replay.cfg.Speed == 1 {
		out.SpeedMPS = point.SpeedMPS
	}
	return out
}

// tell reports a status. A refusal is logged and does not end the track: somebody may have cancelled the delivery.
func (p *player) tell(ctx context.Context, status string) {
	change := client.StatusChange{Status: status, ClientEventID: p.session + "-" + status}
	if status == client.StatusDelivered {
		change.Proof = &client.Proof{LeftAt: "front door"}
	}
	if _, err := p.api.PostStatus(ctx, p.delivery.ID, change); err != nil && ctx.Err() == nil {
		p.replay.cfg.Log.Warn("status refused", "track", p.name, "status", status, "err", err)
	}
}

// nearEnd returns the first point from which no more than the doorstep is left to go.
func (p *player) nearEnd() int {
	i := len(p.points) - 1
	for left := 0.0; i > 0; i-- {
		a, b := p.points[i-1], p.points[i]
		if left += (Point{a.Lat, a.Lon}).distance(Point{b.Lat, b.Lon}); left > doorstep {
			break
		}
	}
	return i
}

const (
	confirmWait  = 5 * time.Second
	confirmPause = 500 * time.Millisecond
)

// confirm asks about the last point until all are durable, and sends again what the server lost meanwhile.
func (p *player) confirm(ctx context.Context) error {
	last := len(p.points)
	for p.durable < int64(last) {
		reply, err := p.api.PostPositions(ctx, p.session, []client.Position{p.position(last - 1)}, confirmWait)
		if err != nil {
			return fmt.Errorf("wait until durable: %w", err)
		}
		p.durable = reply.DurableSeq
		if again := reply.ResendFrom; again != nil && *again >= 1 && *again <= int64(last) {
			from := int(*again) - 1
			if _, err := p.send(ctx, from, min(from+client.MaxPositions, last)); err != nil {
				return err
			}
			continue
		}
		if p.durable < int64(last) {
			if err := sleep(ctx, confirmPause); err != nil {
				return err
			}
		}
	}
	p.replay.mu.Lock()
	p.replay.report.Durable += last
	p.replay.mu.Unlock()
	return nil
}

// sleep waits for d, or for the end of ctx.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
