//go:build linux

package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/cmd/hotfoot/bench/report"
	"hotfoot/cmd/hotfoot/bench/rig"
	"hotfoot/cmd/hotfoot/bench/stats"
	"hotfoot/store/redisstore"
	"hotfoot/tracking"
)

// roundTrip is what decisions are compared with.
const roundTrip rig.System = "bare round trip"

const (
	limitSubjects = 10_000 // couriers, say, who are limited in turn: their counts are there already most of the time, and none is at its limit
	limitRounds   = 1000   // that are due each second
)

// question is one of those that are asked in turn.
type question struct {
	system rig.System
	ask    func(ctx context.Context, n int) error
}

// limiters measures what a decision about a rate takes beside a bare round trip to Redis.
func (b *Bench) limiters(ctx context.Context, c *city) error {
	table := b.Report.New("reads, limiter", fmt.Sprintf("from this process to a Redis over loopback TCP: a GET and a decision of each of redisstore's limiters, in turn, about %d subjects, "+
		"for %v; by one client without a pause, then %d rounds a second by several. A decision is written to the append-only file, which a GET is not", limitSubjects, b.Sizes.Reads.For, limitRounds))
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
	if err := connection.Set(ctx, "bare", "some twenty characters", 0).Err(); err != nil {
		return err
	}
	questions := limitQuestions(connection)
	for _, load := range []struct{ clients, rate int }{{1, 0}, {b.Sizes.Reads.Clients[0], limitRounds}} {
		what := clientsOf(load.clients)
		if load.rate > 0 {
			what += fmt.Sprintf(", %d/s", load.rate)
		}
		err := b.repeats(ctx, table, what, []rig.System{roundTrip}, func(rig.System) ([]report.Reading, error) {
			if _, err := askAll(ctx, questions, load.clients, load.rate, b.Sizes.WarmUp); err != nil {
				return nil, err
			}
			took, err := askAll(ctx, questions, load.clients, load.rate, b.Sizes.Reads.For)
			if err != nil {
				return nil, err
			}
			for i, q := range questions[1:] {
				table.Add(what, string(q.system), latencies(&took[i+1])...)
			}
			return latencies(&took[0]), nil
		})
		if err != nil {
			return err
		}
		for _, q := range questions[1:] {
			b.judgeLimiter(table, what, string(q.system))
		}
	}
	return nil
}

// limitQuestions are the bare round trip and, after it, the decisions.
func limitQuestions(connection redis.UniversalClient) []question {
	limiter := redisstore.NewLimiter(connection)
	questions := []question{{roundTrip, func(ctx context.Context, _ int) error { return connection.Get(ctx, "bare").Err() }}}
	for _, kind := range tracking.LimitKinds {
		policy := tracking.LimitPolicy{Name: "bench", Kind: kind, Limit: 100_000, Period: time.Minute}
		subjects := make([]tracking.LimitSubject, limitSubjects)
		for i := range subjects {
			subjects[i] = tracking.NewLimitSubject(policy, fmt.Sprint(i))
		}
		questions = append(questions, question{rig.System(kind), func(ctx context.Context, n int) error {
			d, err := limiter.Take(ctx, policy, subjects[n%len(subjects)], 1)
			if err == nil && !d.Allowed {
				err = errors.New("a decision was no")
			}
			return err
		}})
	}
	return questions
}

// askAll has clients ask all questions in turn, again and again, and answers how long each took. A machine's speed changes from one moment to the next:
// in turn, all suffer alike. rate is how many rounds are due each second, 0 for no pause.
func askAll(ctx context.Context, questions []question, clients, rate int, lasting time.Duration) ([]stats.Histogram, error) {
	took, errs := make([][]stats.Histogram, clients), make([]error, clients)
	began := time.Now()
	var asking sync.WaitGroup
	for i := range clients {
		took[i] = make([]stats.Histogram, len(questions))
		asking.Go(func() {
			for n := i; errs[i] == nil && time.Since(began) < lasting; n += clients {
				if rate > 0 {
					errs[i] = wait(ctx, time.Until(began.Add(time.Duration(n)*time.Second/time.Duration(rate))))
				}
				for turn := range questions {
					at := (n/clients + turn) % len(questions) // whoever is asked first after a pause is asked by a cold processor
					asked := time.Now()
					errs[i] = errors.Join(errs[i], questions[at].ask(ctx, n))
					took[i][at].Record(time.Since(asked))
				}
			}
		})
	}
	asking.Wait()
	all := make([]stats.Histogram, len(questions))
	for i := range took {
		for at := range all {
			all[at].Add(&took[i][at])
		}
	}
	return all, errors.Join(errs...)
}

func latencies(h *stats.Histogram) []report.Reading {
	return []report.Reading{
		{Name: "asked", Value: float64(h.Count())},
		{Name: p50, Unit: "ms", Value: milliseconds(h.Quantile(0.50))},
		{Name: p99, Unit: "ms", Value: milliseconds(h.Quantile(0.99))},
	}
}
