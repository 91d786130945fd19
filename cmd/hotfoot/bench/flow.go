//go:build linux

package bench

import (
	"context"
	"errors"
	"sync"
	"time"

	"hotfoot/cmd/hotfoot/bench/feed"
	"hotfoot/cmd/hotfoot/bench/report"
	"hotfoot/cmd/hotfoot/bench/rig"
	"hotfoot/cmd/hotfoot/bench/stats"
	"hotfoot/cmd/hotfoot/bench/viewers"
)

// flow is what came of updates at a fixed rate.
type flow struct {
	frames   int
	expected float64
	latency  stats.Histogram
	cpu      []report.Reading // of each part, for a million frames
}

// share is how much of what was due has been delivered; 1 is everything.
func (f *flow) share() float64 { return float64(f.frames) / f.expected }

// readings are the flow as figures.
func (f *flow) readings() []report.Reading {
	return append([]report.Reading{
		{Name: "p50", Unit: "ms", Value: milliseconds(f.latency.Quantile(0.50))},
		{Name: "p99", Unit: "ms", Value: milliseconds(f.latency.Quantile(0.99))},
		{Name: "delivered", Unit: "%", Value: 100 * f.share()},
	}, f.cpu...)
}

// flow feeds a server for a while, whose viewers are open, and counts after a moment of warming up. send brings the updates of the schedule until its
// context ends.
func (b *Bench) flow(ctx context.Context, set *viewers.Set, parts func() []rig.Part, schedule feed.Schedule, watchers int, lasting time.Duration,
	send func(context.Context) error,
) (*flow, error) {
	f := &flow{expected: schedule.PerSecond() * float64(watchers) * lasting.Seconds()}
	counting := false
	set.Each = func(_ int, message []byte, read time.Time) {
		if !counting || viewers.KindOf(message) != viewers.Position {
			return
		}
		if stamp, ok := viewers.Stamp(message); ok {
			if due, ok := schedule.Due(stamp, read); ok {
				f.frames++
				f.latency.Record(read.Sub(due))
			}
		}
	}
	defer func() { set.Each = func(int, []byte, time.Time) {} }()
	sending, stop := context.WithCancel(ctx)
	var feeding sync.WaitGroup
	var sent error
	feeding.Go(func() { sent = send(sending) })
	err := set.For(ctx, b.Sizes.WarmUp)
	m := meterOf(parts)
	profiled := b.profile(ctx, b.rig, lasting)
	counting = true
	if err == nil {
		err = set.For(ctx, lasting)
	}
	counting = false
	f.cpu = m.spent(max(1, float64(f.frames))/million, "/M frames", "s")
	stop()
	feeding.Wait()
	return f, errors.Join(err, sent, profiled())
}

// opened starts a fresh server of a system with the viewers of a shape, and waits until it has done with their handshakes: what is measured is what comes
// after. The caller must end both.
func (b *Bench) opened(ctx context.Context, r *rig.Rig, system rig.System, topics, watchers int) (*rig.Server, *viewers.Set, error) {
	server, err := r.Start(ctx, system)
	if err != nil {
		return nil, nil, err
	}
	set, err := viewers.NewSet(server.Address)
	if err != nil {
		server.Stop()
		return nil, nil, err
	}
	if err = open(ctx, set, server.Targets(topics, watchers, false)); err == nil {
		_, err = b.settle(ctx, set, server.Part("server"))
	}
	if err != nil {
		set.Close()
		server.Stop()
		return nil, nil, err
	}
	return server, set, nil
}

// open opens viewers in no hurry: a few hundred handshakes at a time.
func open(ctx context.Context, set *viewers.Set, targets []viewers.Target) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	return set.Open(ctx, targets, 300)
}
