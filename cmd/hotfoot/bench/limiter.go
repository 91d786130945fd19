//go:build linux

package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"hotfoot/cmd/hotfoot/bench/report"
	"hotfoot/cmd/hotfoot/bench/rig"
	"hotfoot/cmd/hotfoot/bench/stats"
	"hotfoot/store/redisstore"
	"hotfoot/tracking"
)

// roundTrip is what decisions are compared with.
const roundTrip rig.System = "bare round trip"

// limitSubjects is how many couriers, say, are limited, in turn: their counts are there already most of the time, and none is at its limit.
const limitSubjects = 10_000

// limiters measures what a decision about a rate costs beside a round trip to Redis that does nothing, in this process.
func (b *Bench) limiters(ctx context.Context, c *city) error {
	table := b.Report.New("reads, limiter", fmt.Sprintf("decisions of redisstore's limiter about %d subjects in turn, and PINGs, from this process to a Redis over loopback TCP, for %v: each client as "+
		"fast as answers come, then at a fixed rate, with latency from when a question was due. A decision is written to the append-only file, a PING is not; CPU for each",
		limitSubjects, b.Sizes.Reads.For))
	server, err := c.StartTCPRedis(ctx)
	if err != nil {
		return err
	}
	defer server.Stop()
	connection, err := redisstore.Connect("redis://" + server.Address)
	if err != nil {
		return err
	}
	defer connection.Close()
	limiter := redisstore.NewLimiter(connection)
	ask := map[rig.System]func(ctx context.Context, n int) error{roundTrip: func(ctx context.Context, _ int) error { return connection.Ping(ctx).Err() }}
	systems := []rig.System{roundTrip}
	for _, kind := range tracking.LimitKinds {
		policy := tracking.LimitPolicy{Name: "bench", Kind: kind, Limit: 100_000, Period: time.Minute}
		subjects := make([]tracking.LimitSubject, limitSubjects)
		for i := range subjects {
			subjects[i] = tracking.NewLimitSubject(policy, fmt.Sprint(i))
		}
		system := rig.System(kind)
		systems = append(systems, system)
		ask[system] = func(ctx context.Context, n int) error {
			d, err := limiter.Take(ctx, policy, subjects[n%len(subjects)], 1)
			if err == nil && !d.Allowed {
				err = errors.New("a decision was no")
			}
			return err
		}
	}
	take := func(what string, clients, rate int) error {
		err := b.repeats(ctx, table, what, systems, func(system rig.System) ([]report.Reading, error) { return b.asked(ctx, server.Part, clients, rate, ask[system]) })
		for _, system := range systems[1:] {
			b.judgeLimiter(table, what, string(system))
		}
		return err
	}
	many := b.Sizes.Reads.Clients[0]
	for _, clients := range []int{1, many} {
		if err := take(clientsOf(clients), clients, 0); err != nil {
			return err
		}
	}
	rate := max(1, int(slowest(table, clientsOf(many), systems)/4))
	return take(fmt.Sprintf("%d/s", rate), many, rate)
}

// asked has clients ask again and again; rate is how many questions of all of them are due each second, 0 for as fast as answers come.
func (b *Bench) asked(ctx context.Context, redis rig.Part, clients, rate int, ask func(ctx context.Context, n int) error) ([]report.Reading, error) {
	run := func(lasting time.Duration) (*stats.Histogram, time.Duration, error) {
		latencies, errs := make([]stats.Histogram, clients), make([]error, clients)
		began := time.Now()
		var asking sync.WaitGroup
		for i := range clients {
			asking.Go(func() {
				for n := i; errs[i] == nil; n += clients {
					due := time.Now()
					if rate > 0 {
						due = began.Add(time.Duration(n) * time.Second / time.Duration(rate))
						errs[i] = wait(ctx, time.Until(due))
					}
					if due.Sub(began) > lasting || errs[i] != nil {
						return
					}
					errs[i] = ask(ctx, n)
					latencies[i].Record(time.Since(due))
				}
			})
		}
		asking.Wait()
		all := &stats.Histogram{}
		for i := range latencies {
			all.Add(&latencies[i])
		}
		return all, time.Since(began), errors.Join(errs...)
	}
	if _, _, err := run(b.Sizes.WarmUp); err != nil {
		return nil, err
	}
	m := meterOf(func() []rig.Part { return []rig.Part{redis} })
	latency, took, err := run(b.Sizes.Reads.For)
	if err != nil {
		return nil, err
	}
	n := float64(latency.Count())
	return append([]report.Reading{
		{Name: perSecond, Unit: "1/s", Value: n / took.Seconds()},
		{Name: p50, Unit: "ms", Value: milliseconds(latency.Quantile(0.50))},
		{Name: p99, Unit: "ms", Value: milliseconds(latency.Quantile(0.99))},
	}, m.spent(n, "", "µs")...), nil
}
