package fleet

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"hotfoot/cmd/hotfoot/client"
)

// scene is where in a run a courier is found when the fleet starts.
type scene struct {
	stops   int
	reached func(*Courier) bool
}

// scenes are those of the first couriers, so that even a small fleet shows everything within a minute. Stops later in
// the run than the first are hidden from their customers: the courier has others to see before.
var scenes = []scene{
	{1, func(c *Courier) bool { return c.phase == enRoute && c.until-c.now <= 75 }},
	{1, func(c *Courier) bool { return c.phase == arriving }},
	{3, func(c *Courier) bool { return c.phase == enRoute && len(c.stops) == 3 }},
	{1, func(c *Courier) bool { return c.phase == toShop }},
	{1, func(c *Courier) bool { return c.phase == enRoute && c.until-c.now <= 25 }},
	{2, func(c *Courier) bool { return c.phase == enRoute && len(c.stops) == 2 }},
	{2, func(c *Courier) bool { return c.phase == atShop }},
	{0, nil}, // idle
}

// sceneOf returns the scene of courier number i; beyond the set ones any moment of a run, or none.
func sceneOf(i int, r *rider) scene {
	if i < len(scenes) {
		return scenes[i]
	}
	if r.rng.Float64() < 0.2 {
		return scene{}
	}
	moment := r.rng.Float64() * 800
	return scene{1 + r.rng.IntN(3), func(c *Courier) bool { return c.now >= moment }}
}

// Setup creates the couriers, puts them on duty, and creates and assigns deliveries in every state.
func (f *Fleet) Setup(ctx context.Context) error {
	if f.riders != nil {
		return errors.New("fleet: set up twice")
	}
	riders := make([]*rider, f.cfg.Couriers)
	made := make([][]DeliveryRef, f.cfg.Couriers)
	err := inParallel(f.senders(), f.cfg.Couriers, func(i int) error {
		r, err := f.hire(ctx, i)
		if err == nil {
			riders[i] = r
			made[i], err = f.stage(ctx, r, sceneOf(i, r))
		}
		if err != nil {
			return fmt.Errorf("fleet: set up courier %d: %w", i+1, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	var deliveries []DeliveryRef
	for _, refs := range made {
		deliveries = append(deliveries, refs...)
	}
	rng := f.random(-1)
	for i := range boardSize(f.cfg.Couriers) {
		o, err := f.postOrder(ctx, rng)
		if err != nil {
			return fmt.Errorf("fleet: set up unassigned delivery %d: %w", i+1, err)
		}
		deliveries = append(deliveries, o.ref)
	}
	f.riders, f.deliveries = riders, deliveries
	if f.cfg.OnReady != nil {
		f.cfg.OnReady(f.Couriers(), f.Deliveries())
	}
	return nil
}

// hire creates courier number i and puts it on duty.
func (f *Fleet) hire(ctx context.Context, i int) (*rider, error) {
	rng := f.random(i)
	r := &rider{rng: rng, gone: map[string]bool{}, every: f.cfg.Interval}
	r.sim = NewCourier(f.city, rng, f.cfg.Interval.Seconds()*f.cfg.Speed)
	c, err := f.merchant.CreateCourier(ctx, client.NewCourier{Name: randomName(rng), Vehicle: r.sim.vehicle.name, Phone: randomPhone(rng)})
	if err != nil {
		return nil, err
	}
	r.ref = CourierRef{ID: c.ID, Token: c.Token, Name: c.Name}
	r.api = f.merchant.WithKey(c.Token)
	r.phone = &phone{rng: rng, name: fmt.Sprintf("fleet-%s-%d", f.id, i+1)}
	return r, r.api.SetShift(ctx, true)
}

// stage brings a new courier into a scene: its run so far is simulated at once, and the server is told the outcome. The
// changes carry no time of their own, because the couriers of a new fleet have no past.
func (f *Fleet) stage(ctx context.Context, r *rider, s scene) ([]DeliveryRef, error) {
	var refs []DeliveryRef
	if s.stops > 0 {
		run, made, err := f.newRun(ctx, r, s.stops)
		if err != nil {
			return nil, err
		}
		refs = made
		r.sim.Begin(run)
	}
	fix, changes := r.sim.skip(s.reached)
	r.began = r.sim.now
	r.rested = r.sim.now + r.sim.between(10, 90)

	r.phone.record(f.position(fix, time.Now()))
	points := r.phone.report()
	reply, err := r.api.PostPositions(ctx, r.phone.session(), points, 0)
	if err != nil {
		return nil, err
	}
	r.phone.answered(points, reply)
	for _, c := range changes {
		if _, err := r.api.PostStatus(ctx, c.Delivery, queued{Change: c}.wire()); err != nil {
			return nil, err
		}
	}
	return refs, nil
}

// inParallel calls do for 0 to n-1, at most width at a time, and returns the first error; after one no more are begun.
func inParallel(width, n int, do func(i int) error) error {
	var wg sync.WaitGroup
	var once sync.Once
	var firstErr error
	stop := make(chan struct{})
	next := make(chan int)
	for range min(width, n) {
		wg.Go(func() {
			for i := range next {
				if err := do(i); err != nil {
					once.Do(func() { firstErr = err; close(stop) })
				}
			}
		})
	}
	for i := 0; i < n; i++ {
		select {
		case next <- i:
			continue
		case <-stop:
		}
		break
	}
	close(next)
	wg.Wait()
	return firstErr
}
