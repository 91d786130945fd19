//go:build linux

package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"hotfoot/cmd/hotfoot/bench/feed"
	"hotfoot/cmd/hotfoot/bench/report"
	"hotfoot/cmd/hotfoot/bench/rig"
	"hotfoot/cmd/hotfoot/bench/stats"
	"hotfoot/cmd/hotfoot/bench/viewers"
)

// windows are what dispatchers look at, in turn: the whole city, from far, and a few streets.
var windows = []struct{ name, view string }{
	{"city", fmt.Sprintf(`{"type":"view","bbox":[%v,%v,%v,%v],"zoom":12}`, feed.West, feed.South, feed.East, feed.North)},
	{"streets", `{"type":"view","bbox":[-122.43,37.77,-122.405,37.7835],"zoom":16}`},
}

// Ops measures the live map of a whole city.
func (b *Bench) Ops(ctx context.Context) error {
	r, err := b.deployment(ctx)
	if err != nil {
		return err
	}
	couriers := min(b.Sizes.OpsCouriers, len(r.Fleet))
	table := b.Report.New("ops", fmt.Sprintf("%d couriers who report each %v, %d dispatchers, half of them on the whole city and half on a few streets, one gateway; for each dispatcher. "+
		"Age is how long ago a courier in a frame was there, of samples from every frame that names couriers", couriers, b.Sizes.ReportEvery, b.Sizes.Dispatchers))
	return b.repeats(ctx, table, fmt.Sprintf("%d couriers", couriers), rig.Systems[2:], func(rig.System) ([]report.Reading, error) {
		seen, cpu, err := b.ops(ctx, r, couriers)
		if err != nil {
			return nil, err
		}
		var readings []report.Reading
		for i, w := range windows {
			each := float64(b.Sizes.Dispatchers) / float64(len(windows)) * b.Sizes.OpsFor.Seconds()
			readings = append(readings, report.Reading{Name: w.name + " frames", Unit: "1/s", Value: float64(seen[i].frames) / each},
				report.Reading{Name: w.name, Unit: "kB/s", Value: float64(seen[i].bytes) / each / 1024})
			if seen[i].age.Count() > 0 {
				readings = append(readings, report.Reading{Name: w.name + " age p50", Unit: "ms", Value: milliseconds(seen[i].age.Quantile(0.50))},
					report.Reading{Name: w.name + " age p99", Unit: "ms", Value: milliseconds(seen[i].age.Quantile(0.99))})
			}
		}
		return append(readings, cpu...), nil
	})
}

// mapSeen is what came to the maps of one kind of window.
type mapSeen struct {
	frames, bytes int
	age           stats.Histogram
}

const samplesPerFrame = 8

func (b *Bench) ops(ctx context.Context, r *rig.Rig, couriers int) (seen []mapSeen, cpu []report.Reading, err error) {
	server, err := r.Start(ctx, rig.Hotfoot)
	if err != nil {
		return nil, nil, err
	}
	defer server.Stop()
	set, err := viewers.NewSet(server.Address)
	if err != nil {
		return nil, nil, err
	}
	defer set.Close()
	source, err := r.FleetFeed(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer source.Close()
	targets := make([]viewers.Target, b.Sizes.Dispatchers)
	for i := range targets {
		targets[i] = viewers.Target{Path: "/v1/ops/live", Bearer: r.OpsKey, Hello: windows[i%len(windows)].view}
	}
	if err := open(ctx, set, targets); err != nil {
		return nil, nil, err
	}
	sending, stop := context.WithCancel(ctx)
	var feeding sync.WaitGroup
	defer feeding.Wait()
	defer stop()
	var fed error
	feeding.Go(func() {
		fed = source.Run(sending, feed.NewSchedule(couriers*int(time.Second)/int(b.Sizes.ReportEvery)), couriers)
	})
	// Once everybody has reported, the map is full and only moves.
	if err := set.For(ctx, b.Sizes.ReportEvery+b.Sizes.WarmUp); err != nil {
		return nil, nil, err
	}
	seen = make([]mapSeen, len(windows))
	set.Each = func(target int, message []byte, read time.Time) {
		s := &seen[target%len(windows)]
		s.bytes += len(message)
		if viewers.KindOf(message) != viewers.Frame {
			return
		}
		s.frames++
		for range samplesPerFrame {
			if at, ok := viewers.RecordedAt(message, rand.IntN(len(message))); ok {
				s.age.Record(read.Sub(at))
			}
		}
	}
	m := meterOf(server.Parts)
	profiled := b.profile(ctx, r, b.Sizes.OpsFor)
	if err := errors.Join(set.For(ctx, b.Sizes.OpsFor), profiled()); err != nil {
		return nil, nil, err
	}
	cpu = m.spent(b.Sizes.OpsFor.Seconds(), "/s", "s")
	stop()
	feeding.Wait()
	return seen, append(cpu, report.Reading{Name: "cut off", Value: float64(set.Closed)}), fed
}
