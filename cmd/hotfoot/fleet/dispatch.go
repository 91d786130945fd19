package fleet

import (
	"context"
	"math/rand/v2"
	"time"

	"hotfoot/cmd/hotfoot/client"
)

// reachable is how far from our streets a place may be for a courier to accept it.
const reachable = 300

// dispatch gives a rested courier its next run: what somebody else assigned to it, else what hangs on the board, else
// new orders.
func (f *Fleet) dispatch(ctx context.Context, r *rider) {
	run, err := f.assigned(ctx, r)
	if err == nil && len(run.Stops) == 0 {
		run, err = f.fromBoard(ctx, r)
	}
	if err == nil && len(run.Stops) == 0 {
		run, _, err = f.newRun(ctx, r, 1+r.rng.IntN(3))
	}
	if err != nil {
		f.failed(ctx, r, "dispatch", err)
	}
	if len(run.Stops) == 0 {
		r.rested = r.sim.now + r.sim.between(5, 15)*f.cfg.Speed
		return
	}
	clear(r.gone)
	r.sim.Begin(run)
}

// assigned returns the deliveries on the courier's route at the server that wait for pickup at one place. They may come
// from anybody: a visitor who creates a delivery and assigns it will see it brought.
func (f *Fleet) assigned(ctx context.Context, r *rider) (Run, error) {
	list, err := r.api.CourierDeliveries(ctx)
	var run Run
	var from client.Place
	for _, d := range list {
		shop, near := f.city.Place(Point{d.Pickup.Lat, d.Pickup.Lon}, reachable)
		door, alsoNear := f.city.Place(Point{d.Dropoff.Lat, d.Dropoff.Lon}, reachable)
		if d.Status != "assigned" || !near || !alsoNear || len(run.Stops) > 0 && d.Pickup != from {
			continue
		}
		run.Shop, from = shop, d.Pickup
		run.Stops = append(run.Stops, Stop{Delivery: d.ID, Door: door})
	}
	return run, err
}

// fromBoard takes an order from the board and hangs up a new one.
func (f *Fleet) fromBoard(ctx context.Context, r *rider) (Run, error) {
	lingered := time.Duration(float64(linger) / f.cfg.Speed)
	o, ok := f.board.take(time.Now(), lingered)
	if !ok {
		return Run{}, nil
	}
	if _, err := f.postOrder(ctx, r.rng); err != nil {
		f.failed(ctx, r, "create delivery", err)
	}
	if _, err := f.merchant.Assign(ctx, o.ref.ID, r.ref.ID, nil); err != nil {
		if !final(err) {
			f.board.post(o, time.Now())
		}
		return Run{}, err
	}
	return Run{Shop: o.shop, Stops: []Stop{o.stop()}}, nil
}

// postOrder hangs a new order on the board.
func (f *Fleet) postOrder(ctx context.Context, rng *rand.Rand) (order, error) {
	o, err := f.makeOrder(ctx, rng, f.city.RandomPickup(rng), "", 15*time.Minute)
	if err == nil {
		f.board.post(o, time.Now())
	}
	return o, err
}

// newRun makes orders at one shop for the courier. When the server fails half way, the run is what was made so far.
func (f *Fleet) newRun(ctx context.Context, r *rider, stops int) (Run, []DeliveryRef, error) {
	run := Run{Shop: f.city.RandomPickup(r.rng)}
	var refs []DeliveryRef
	before := 8 * time.Minute
	for range stops {
		o, err := f.makeOrder(ctx, r.rng, run.Shop, r.ref.ID, before)
		if err != nil {
			return run, refs, err
		}
		before += 7 * time.Minute
		run.Stops = append(run.Stops, o.stop())
		refs = append(refs, o.ref)
	}
	return run, refs, nil
}
