//go:build linux

// Package bench measures what Hotfoot costs and carries, beside the limit of the machine and beside what most teams write first, in one run.
//
//	bare           updates ──> one thread that writes frames to sockets                      the limit
//	first version  HSET, PUBLISH, INSERT; a subscription and two goroutines for each socket  the usual
//	hotfoot        api process ──> Redis ──> gateway process                                 ours
//
// What is read is compared with the same read from Postgres, and a verdict stands beside each claim:
//
//	naive          a statement for each part of a snapshot
//	uncached       one statement for all of it; or an answer that is computed for each who asks
//
// What is compared is taken in turn, system after system and repeat after repeat, since machines differ and drift; what is shown are medians. CPU time
// and memory are the operating system's, for each kind of process apart, and those of the clients are not in them. Latency counts from when an update
// was due. A size that does not fit the machine is made smaller, and a note says so. A bench is used by one goroutine, and Close leaves nothing behind.
package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"

	"hotfoot/cmd/hotfoot/bench/report"
	"hotfoot/cmd/hotfoot/bench/rig"
	"hotfoot/cmd/hotfoot/bench/usage"
)

// Config says how to measure.
type Config struct {
	Dir     string // the private stores' data goes into a folder below it; "" is the system's own for such things
	Repeats int
	Sizes   Sizes
	Begin   func(step string) (done func()) // is told what happens
	Profile string                          // folder for profiles of the nodes, made when it is missing; "" for none
}

// Bench is one run.
type Bench struct {
	Config
	Report *report.Report

	rig  *rig.Rig // with one Redis, made when it is first needed
	step string   // what is measured now

	failures []error
}

// New begins a run. It fails where processes cannot be measured from outside.
func New(config Config, version string) (*Bench, error) {
	if err := usage.Check(); err != nil {
		return nil, err
	}
	return &Bench{Config: config, Report: &report.Report{Version: version, Machine: machine()}}, nil
}

// machine names what was measured on.
func machine() string {
	model := runtime.GOARCH
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(b)) {
			if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return fmt.Sprintf("%d × %s, Linux %s, %s", runtime.NumCPU(), model, strings.TrimSpace(string(kernel)), runtime.Version())
}

// Close ends whatever still runs.
func (b *Bench) Close() error {
	if b.rig == nil {
		return nil
	}
	return b.rig.Close()
}

// deployment is the rig that measurements share.
func (b *Bench) deployment(ctx context.Context) (*rig.Rig, error) {
	if b.rig != nil {
		return b.rig, nil
	}
	made, err := b.newRig(ctx, 1, b.Sizes.Fleet)
	if err == nil {
		b.rig = made
	}
	return made, err
}

// newRig is a deployment with so many couriers on duty.
func (b *Bench) newRig(ctx context.Context, masters, couriers int) (*rig.Rig, error) {
	defer b.Begin(fmt.Sprintf("Starting private stores and putting %d couriers on duty", couriers))()
	made, err := rig.New(ctx, b.Dir, masters)
	if err != nil {
		return nil, err
	}
	if err := made.Seed(ctx, couriers); err != nil {
		return nil, errors.Join(err, made.Close())
	}
	if err := check(ctx, made); err != nil {
		return nil, errors.Join(fmt.Errorf("what was staged is not what the API would have made: %w", err), made.Close())
	}
	return made, nil
}

// Failed are the measurements that could not be taken. The others were, and are in the report.
func (b *Bench) Failed() error { return errors.Join(b.failures...) }

// repeats runs one measurement for every system in turn, as often as is asked for. One that fails is noted, and the rest goes on: somebody has waited
// long for it. The error is the context's.
func (b *Bench) repeats(ctx context.Context, table *report.Table, what string, systems []rig.System, measure func(rig.System) ([]report.Reading, error)) error {
	return b.take(ctx, table, what, b.Repeats, systems, measure)
}

func (b *Bench) take(ctx context.Context, table *report.Table, what string, repeats int, systems []rig.System,
	measure func(rig.System) ([]report.Reading, error),
) error {
	for n := range repeats {
		for _, system := range systems {
			if err := ctx.Err(); err != nil {
				return err
			}
			b.step = fmt.Sprintf("%s, %s, %s, %d of %d", table.Name, what, system, n+1, repeats)
			done := b.Begin(b.step)
			readings, err := measure(system)
			done()
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case err != nil:
				b.failures = append(b.failures, fmt.Errorf("%s: %w", b.step, err))
				table.Note("failed: %s: %v", b.step, err)
			default:
				table.Add(what, string(system), readings...)
			}
		}
	}
	return nil
}

// All measures everything.
func (b *Bench) All(ctx context.Context) error {
	for _, measure := range []func(context.Context) error{b.Idle, b.Fanout, b.Ramp, b.Storm, b.Slow, b.Ingest, b.Ops, b.Cluster, b.Reads} {
		if err := measure(ctx); err != nil {
			return err
		}
	}
	return nil
}
