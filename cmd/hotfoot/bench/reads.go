//go:build linux

package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/cmd/hotfoot/bench/post"
	"hotfoot/cmd/hotfoot/bench/rig"
	"hotfoot/store/redisstore"
)

// Reads measures what is read hot beside the same read without anything hot, and says of each claim whether it holds.
func (b *Bench) Reads(ctx context.Context) (err error) {
	c, err := b.newCity(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	for _, measure := range []func(context.Context, *city) error{b.snapshots, b.layers, b.mixed, b.summaries, b.stampedes, b.limiters} {
		if err := measure(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// idleFor is how long a node is left alone until it has done whatever it does by itself; the slowest of that comes every second.
const idleFor = 3 * time.Second

// city is what is read: a merchant's day in both stores, in a deployment of its own whose Postgres counts its statements.
type city struct {
	*rig.Rig
	day   *rig.Day
	redis redis.UniversalClient // the bench's own
	size  string
}

func (b *Bench) newCity(ctx context.Context) (_ *city, err error) {
	s := b.Sizes.Reads
	c := &city{size: fmt.Sprintf("%d positions, %d deliveries of one merchant, %d of them underway", s.Positions, s.Deliveries, s.Couriers)}
	defer b.Begin("Starting private stores and staging " + c.size)()
	if c.Rig, err = rig.NewCounting(ctx, b.Dir); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.close())
		}
	}()
	if err := c.Seed(ctx, s.Couriers); err != nil {
		return nil, err
	}
	if c.day, err = c.SeedDay(ctx, s.Deliveries, s.Positions); err != nil {
		return nil, err
	}
	if err := check(ctx, c.Rig); err != nil {
		return nil, err
	}
	if c.redis, err = redisstore.Connect(c.RedisURL()); err != nil {
		return nil, err
	}
	if err := c.reportOnce(ctx); err != nil {
		return nil, err
	}
	if err := c.agree(ctx); err != nil {
		return nil, err
	}
	return c, c.Background(ctx, func() error {
		idle, err := c.Serve(ctx, "api")
		if err != nil {
			return err
		}
		defer idle.Stop()
		return wait(ctx, idleFor)
	})
}

func (c *city) close() error {
	if c.redis != nil {
		_ = c.redis.Close()
	}
	return c.Close()
}

// reportOnce has every courier report, the real way, so that both stores know the same newest fix.
func (c *city) reportOnce(ctx context.Context) error {
	node, err := c.Serve(ctx, "api,worker")
	if err != nil {
		return err
	}
	defer node.Stop()
	e := &entry{rig: c.Rig, system: rig.Hotfoot}
	_, err = post.Load{
		Addresses: []string{node.Address}, Connections: min(16, len(c.Fleet)), Requests: len(c.Fleet),
		Request: func(b []byte, _, n int, now time.Time) []byte { return e.report(b, n, n, now) },
	}.Run(ctx)
	if err != nil {
		return err
	}
	return awaitStored(ctx, c.redis)
}

// wait lets time pass.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
