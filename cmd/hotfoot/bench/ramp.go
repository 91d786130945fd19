//go:build linux

package bench

import (
	"context"
	"fmt"
	"math"
	"time"

	"hotfoot/cmd/hotfoot/bench/feed"
	"hotfoot/cmd/hotfoot/bench/report"
	"hotfoot/cmd/hotfoot/bench/rig"
)

const (
	rampFactor = 1.25
	rampFinest = 1.06                   // between a rate that was carried and one that was not
	rampLimit  = 100 * time.Millisecond // of p99
	rampShare  = 0.98                   // of what was due must be delivered: what waits behind or is conflated is not
)

// Ramp measures the highest rate that a system carries.
func (b *Bench) Ramp(ctx context.Context) error {
	r, err := b.deployment(ctx)
	if err != nil {
		return err
	}
	table := b.Report.New("ramp", fmt.Sprintf("as fanout, %.3g times the rate every %v until p99 passes %v or a fiftieth is missing, twice; then rates between, to within %.0f %%; what the "+
		"highest that was carried costs. The clients run on the same cores", rampFactor, b.Sizes.RampStep, rampLimit, 100*(rampFinest-1)))
	for _, shape := range b.Sizes.Ramp {
		what := fmt.Sprintf("%d topics × %d", shape.Topics, shape.Watchers)
		from := map[rig.System]float64{}
		err := b.repeats(ctx, table, what, rig.Systems, func(system rig.System) ([]report.Reading, error) {
			fitting := shape.fit(system)
			if fitting.Topics != shape.Topics {
				table.Note("%s: %d topics instead of %d, since no more sockets fit the limit of open files", system, fitting.Topics, shape.Topics)
			}
			start := float64(shape.PerSecond)
			// A repeat begins a few steps below where the last one ended.
			if last := from[system]; last > 0 {
				start = last / (rampFactor * rampFactor * rampFactor)
			}
			best, rate, err := b.ramp(ctx, r, system, fitting, start)
			if err != nil {
				return nil, err
			}
			from[system] = rate
			readings := []report.Reading{{Name: "frames", Unit: "1/s", Value: rate * float64(shape.Watchers)}}
			if best != nil {
				readings = append(readings, best.readings()...)
			}
			return readings, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// ramp answers the last flow that was carried, and its updates a second; nil and 0 when none was.
func (b *Bench) ramp(ctx context.Context, r *rig.Rig, system rig.System, s Shape, start float64) (best *flow, rate float64, err error) {
	server, set, err := b.opened(ctx, r, system, s.Topics, s.Watchers)
	if err != nil {
		return nil, 0, err
	}
	defer server.Stop()
	defer set.Close()
	try := func(perSecond float64) (*flow, error) {
		source, err := server.Feed(ctx, 0)
		if err != nil {
			return nil, err
		}
		defer source.Close()
		schedule := feed.NewSchedule(int(perSecond))
		f, err := b.flow(ctx, set, server.Parts, schedule, s.Watchers, b.Sizes.RampStep, func(ctx context.Context) error { return source.Run(ctx, schedule, s.Topics) })
		if err != nil || f.share() < rampShare || f.latency.Quantile(0.99) > rampLimit {
			return nil, err
		}
		return f, nil
	}
	next, tooHigh := start, 0.0
	for range b.Sizes.RampMost {
		f, err := try(next)
		if f == nil && err == nil {
			// Once more: for three seconds a machine may have something else to do.
			f, err = try(next)
		}
		if err != nil {
			return nil, 0, err
		}
		switch {
		case f != nil:
			best, rate = f, next
		case best != nil:
			tooHigh = next
		}
		switch {
		case best == nil:
			next /= rampFactor * rampFactor // too high to begin with
		case tooHigh == 0:
			next *= rampFactor
		case tooHigh/rate <= rampFinest:
			return best, rate, nil
		default:
			next = math.Sqrt(rate * tooHigh)
		}
		if f == nil {
			// What is queued must be gone before the next try.
			if err := set.For(ctx, b.Sizes.RampStep); err != nil {
				return nil, 0, err
			}
		}
	}
	return best, rate, nil
}
