//go:build linux

package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"hotfoot/cmd/hotfoot/bench/post"
	"hotfoot/cmd/hotfoot/bench/report"
	"hotfoot/cmd/hotfoot/bench/rig"
	"hotfoot/cmd/hotfoot/bench/viewers"
)

const clusterMasters = 3

// Cluster measures what it costs to grow: a cluster instead of one Redis, several gateways instead of one.
func (b *Bench) Cluster(ctx context.Context) (err error) {
	table := b.Report.New("cluster", fmt.Sprintf("positions posted as fast as %d connections get answers, %d couriers with a watcher each, through api, Redis and the gateways to the sockets; "+
		"CPU of each kind of process for an update", b.Sizes.Connections, b.Sizes.ClusterCouriers))
	table.Note("All of it runs on the same cores, so more processes cannot show more speed here: they show what they cost")
	for _, masters := range []int{1, clusterMasters} {
		if err := b.grow(ctx, table, masters); err != nil {
			return err
		}
	}
	return nil
}

// grow measures with so many masters, first with one gateway and then with several.
func (b *Bench) grow(ctx context.Context, table *report.Table, masters int) (err error) {
	var r *rig.Rig
	if masters == 1 {
		r, err = b.deployment(ctx)
	} else if r, err = b.newRig(ctx, masters, b.Sizes.ClusterCouriers); err == nil {
		defer func() { err = errors.Join(err, r.Close()) }()
	}
	if err != nil {
		return err
	}
	for _, gateways := range []int{1, b.Sizes.Gateways} {
		what := fmt.Sprintf("%d × Redis, %d × gateway", masters, gateways)
		err := b.repeats(ctx, table, what, rig.Systems[2:], func(rig.System) ([]report.Reading, error) { return b.cluster(ctx, r, gateways) })
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *Bench) cluster(ctx context.Context, r *rig.Rig, gateways int) ([]report.Reading, error) {
	var servers []*rig.Server
	crowds := make([]*crowd, gateways)
	for i := range crowds {
		server, err := r.Start(ctx, rig.Hotfoot)
		if err != nil {
			return nil, err
		}
		defer server.Stop()
		servers = append(servers, server)
		set, err := viewers.NewSet(server.Address)
		if err != nil {
			return nil, err
		}
		defer set.Close()
		var targets []viewers.Target
		for courier := i; courier < b.Sizes.ClusterCouriers; courier += gateways {
			targets = append(targets, server.Target(courier, false))
		}
		if err := open(ctx, set, targets); err != nil {
			return nil, err
		}
		crowds[i] = &crowd{set: set}
	}
	api, err := r.Serve(ctx, "api")
	if err != nil {
		return nil, err
	}
	defer api.Stop()
	e := &entry{rig: r, system: rig.Hotfoot, address: api.Address}
	parts := func() []rig.Part {
		gateway := rig.Part{Name: "gateways"}
		for _, s := range servers {
			gateway.PIDs = append(gateway.PIDs, s.Part("").PIDs...)
		}
		return []rig.Part{api.Part("api"), r.Redis(), gateway}
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var watching sync.WaitGroup
	for _, c := range crowds {
		watching.Go(func() { c.err = c.watch(ctx) })
	}
	profiled := b.profile(ctx, r, b.Sizes.ClusterFor)
	result, m, err := b.postAll(ctx, e, parts)
	err = errors.Join(err, profiled())
	readings := m.spent(float64(max(1, result.Requests)), "", "µs")
	stop()
	watching.Wait()
	frames := 0
	for _, c := range crowds {
		frames += c.frames
		err = errors.Join(err, c.err)
	}
	seconds := (result.Took + b.Sizes.WarmUp).Seconds()
	return append([]report.Reading{
		{Name: "updates", Unit: "1/s", Value: float64(result.Requests) / result.Took.Seconds()}, {Name: "frames", Unit: "1/s", Value: float64(frames) / seconds},
	}, readings...), err
}

// postAll has all couriers report for a while, after a moment of warming up.
func (b *Bench) postAll(ctx context.Context, e *entry, parts func() []rig.Part) (post.Result, *meter, error) {
	load := post.Load{
		Addresses: []string{e.address}, Connections: b.Sizes.Connections,
		Request: func(out []byte, _, n int, now time.Time) []byte {
			return e.report(out, n%b.Sizes.ClusterCouriers, n, now)
		},
	}
	run := func(lasting time.Duration) (post.Result, error) {
		load.For = lasting
		return load.Run(ctx)
	}
	_, err := run(b.Sizes.WarmUp)
	m := meterOf(parts)
	if err != nil {
		return post.Result{}, m, err
	}
	result, err := run(b.Sizes.ClusterFor)
	return result, m, err
}

// crowd are the viewers of one gateway, who are read by a goroutine of their own.
type crowd struct {
	set    *viewers.Set
	frames int
	err    error
}

func (c *crowd) watch(ctx context.Context) error {
	c.set.Each = func(_ int, message []byte, _ time.Time) {
		if viewers.KindOf(message) == viewers.Position {
			c.frames++
		}
	}
	if err := c.set.Run(ctx, func() bool { return false }); ctx.Err() == nil {
		return err
	}
	return nil
}
