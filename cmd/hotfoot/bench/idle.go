//go:build linux

package bench

import (
	"context"
	"fmt"

	"hotfoot/cmd/hotfoot/bench/feed"
	"hotfoot/cmd/hotfoot/bench/report"
	"hotfoot/cmd/hotfoot/bench/rig"
	"hotfoot/cmd/hotfoot/bench/usage"
	"hotfoot/cmd/hotfoot/bench/viewers"
)

// Idle measures what a watching socket costs while nothing happens.
func (b *Bench) Idle(ctx context.Context) error {
	r, err := b.deployment(ctx)
	if err != nil {
		return err
	}
	table := b.Report.New("idle", fmt.Sprintf("resident memory of a fresh server before and after that many sockets, each on its own delivery, have settled; "+
		"and for one size once more after each has had an update a second for %v", b.Sizes.WarmUp+b.Sizes.FanFor))
	for _, sockets := range b.Sizes.Idle {
		what := fmt.Sprintf("%d sockets", sockets)
		err := b.repeats(ctx, table, what, rig.Systems, func(system rig.System) ([]report.Reading, error) {
			n := system.Fits(sockets)
			if n < sockets {
				table.Note("%s: %d sockets instead of %d, since no more fit the limit of open files", system, n, sockets)
			}
			return b.idle(ctx, r, system, n, sockets == b.Sizes.IdleTraffic)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *Bench) idle(ctx context.Context, r *rig.Rig, system rig.System, sockets int, traffic bool) ([]report.Reading, error) {
	server, err := r.Start(ctx, system)
	if err != nil {
		return nil, err
	}
	defer server.Stop()
	set, err := viewers.NewSet(server.Address)
	if err != nil {
		return nil, err
	}
	defer set.Close()
	part := server.Part("server")
	before, err := b.settle(ctx, set, part)
	if err != nil {
		return nil, err
	}
	goroutines, err := server.Goroutines(ctx)
	if err != nil {
		return nil, err
	}
	redis := usage.Of(r.Redis().PIDs...).RSS
	if err := open(ctx, set, server.Targets(sockets, 1, false)); err != nil {
		return nil, err
	}
	after, err := b.settle(ctx, set, part)
	if err != nil {
		return nil, err
	}
	each := func(name string, before, after int64) report.Reading {
		return report.Reading{Name: name, Unit: "B", Value: float64(after-before) / float64(sockets)}
	}
	readings := []report.Reading{each("RSS/socket", before, after)}
	if system != rig.Bare {
		more, err := server.Goroutines(ctx)
		if err != nil {
			return nil, err
		}
		readings = append(readings, report.Reading{Name: "goroutines/socket", Value: float64(more-goroutines) / float64(sockets)},
			each("Redis RSS/socket", redis, usage.Of(r.Redis().PIDs...).RSS))
	}
	if !traffic {
		return readings, nil
	}
	source, err := server.Feed(ctx, 0)
	if err != nil {
		return nil, err
	}
	defer source.Close()
	schedule := feed.NewSchedule(sockets)
	_, err = b.flow(ctx, set, server.Parts, schedule, 1, b.Sizes.FanFor, func(ctx context.Context) error { return source.Run(ctx, schedule, sockets) })
	if err != nil {
		return nil, err
	}
	if after, err = b.settle(ctx, set, part); err != nil {
		return nil, err
	}
	return append(readings, each("RSS/socket after traffic", before, after)), nil
}
