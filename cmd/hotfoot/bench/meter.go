//go:build linux

package bench

import (
	"context"
	"time"

	"hotfoot/cmd/hotfoot/bench/report"
	"hotfoot/cmd/hotfoot/bench/rig"
	"hotfoot/cmd/hotfoot/bench/usage"
	"hotfoot/cmd/hotfoot/bench/viewers"
)

// meter counts what kinds of processes use from now on.
type meter struct {
	parts  func() []rig.Part // asked again at the end: Postgres may have got more processes
	before map[string]time.Duration
}

// meterOf begins to count.
func meterOf(parts func() []rig.Part) *meter {
	m := &meter{parts: parts}
	m.before = m.total()
	return m
}

func (m *meter) total() map[string]time.Duration {
	sums := map[string]time.Duration{}
	for _, p := range m.parts() {
		sums[p.Name] += usage.Of(p.PIDs...).CPU
	}
	return sums
}

// spent is the CPU time of each part since it began, in the parts' order, divided by n, which is in units of what the names say: "Redis CPU/M".
func (m *meter) spent(n float64, suffix, unit string) []report.Reading {
	scale := map[string]float64{"s": 1, "µs": 1e6}[unit]
	after := m.total()
	var readings []report.Reading
	for _, p := range m.parts() {
		readings = append(readings, report.Reading{Name: p.Name + " CPU" + suffix, Unit: unit, Value: (after[p.Name] - m.before[p.Name]).Seconds() * scale / n})
	}
	return readings
}

// settle reads on until a process's memory has stopped changing, and answers it. What a burst has left is given back within a few seconds.
func (b *Bench) settle(ctx context.Context, set *viewers.Set, part rig.Part) (int64, error) {
	last, steady := usage.Of(part.PIDs...).RSS, 0
	for range 48 {
		if err := set.For(ctx, b.Sizes.WarmUp/4); err != nil {
			return 0, err
		}
		now := usage.Of(part.PIDs...).RSS
		if change := now - last; max(change, -change) < last/200 {
			steady++
		} else {
			steady = 0
		}
		if last = now; steady == 12 {
			break
		}
	}
	return last, nil
}

const million = 1e6

func milliseconds(d time.Duration) float64 { return d.Seconds() * 1e3 }
