package bench

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"hotfoot/cmd/hotfoot/client"
)

// Throughput is what was accepted, and what it cost each kind of process.
type Throughput struct {
	Positions int
	Took      time.Duration
	CPU       map[string]time.Duration
}

// PerSecond is positions accepted per second of time.
func (t Throughput) PerSecond() float64 { return float64(t.Positions) / t.Took.Seconds() }

// PerCPUSecond is positions accepted per second of CPU over all server processes; zero where CPU cannot be read.
func (t Throughput) PerCPUSecond() float64 {
	var all time.Duration
	for _, cpu := range t.CPU {
		all += cpu
	}
	if all == 0 {
		return 0
	}
	return float64(t.Positions) / all.Seconds()
}

// Ingest posts batches from every pair's courier at once, each as fast as its answers come, for a while. What is still on its way to Postgres
// when it ends is waited for by the caller's drain, so that its cost counts.
func Ingest(ctx context.Context, rig *Rig, pairs []*Pair, batch int, lasting time.Duration, drain func(context.Context) error) (Throughput, error) {
	before := map[string]time.Duration{}
	for name, pids := range rig.PIDs() {
		before[name] = cpuOf(pids)
	}
	posting, stop := context.WithTimeout(ctx, lasting)
	defer stop()
	var accepted atomic.Int64
	errs := make([]error, len(pairs))
	began := time.Now()
	var wait sync.WaitGroup
	for k, p := range pairs {
		wait.Go(func() {
			for n := 0; posting.Err() == nil; n++ {
				points := make([]client.Position, batch)
				for i := range points {
					points[i] = client.Position{
						RecordedAt: time.Now().Add(time.Duration(i-batch) * time.Millisecond), Lat: 37.78 + float64(n%1000)/1e5, Lon: -122.41,
					}
				}
				if _, err := p.Courier.PostPositions(ctx, "", points, 0); err != nil {
					errs[k] = err
					return
				}
				accepted.Add(int64(batch))
			}
		})
	}
	wait.Wait()
	t := Throughput{Positions: int(accepted.Load()), Took: time.Since(began), CPU: map[string]time.Duration{}}
	for _, err := range errs {
		if err != nil {
			return t, fmt.Errorf("posting positions: %w", err)
		}
	}
	if err := drain(ctx); err != nil {
		return t, err
	}
	for name, pids := range rig.PIDs() {
		t.CPU[name] = cpuOf(pids) - before[name]
	}
	return t, nil
}
