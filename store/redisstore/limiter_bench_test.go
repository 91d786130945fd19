package redisstore_test

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"hotfoot/store/redisstore"
	"hotfoot/tracking"
)

// pairsPerSecond is how many decisions and bare round trips there are a second, each: a server that is not busy, so that what is compared is how long they take
// and not how many it can do.
const pairsPerSecond = 2000

// BenchmarkLimiter is a decision beside a bare round trip over TCP, from as many at once at a fixed rate. Each asks for one after the other in turn, since a
// machine's speed changes from one moment to the next. p99-ratio is a decision's to that of GET.
func BenchmarkLimiter(b *testing.B) {
	url := overTCP(b, newHot(b))
	for _, at := range []int{1, 8, 32} {
		for _, kind := range tracking.LimitKinds {
			b.Run(fmt.Sprintf("%s/%d", kind, at), func(b *testing.B) {
				h := newHotAt(b, url, redisstore.Config{})
				limiter := redisstore.NewLimiter(h.client)
				p := tracking.LimitPolicy{Kind: kind, Limit: 5000, Period: time.Second}
				subjects := make([]tracking.LimitSubject, 1000)
				for i := range subjects {
					subjects[i] = tracking.LimitSubject(tracking.NewID())
				}
				decide := func(ctx context.Context, n int) error {
					_, err := limiter.Take(ctx, p, subjects[n%len(subjects)], 1)
					return err
				}
				bare := func(ctx context.Context, _ int) error { return h.client.Get(ctx, "bare").Err() }
				must(b, h.client.Set(b.Context(), "bare", "some twenty characters", 0).Err())
				inTurn(b, at, 1000, bare, decide) // opens connections, loads the script
				bares, decisions := inTurn(b, at, b.N, bare, decide)
				for name, all := range map[string][]time.Duration{"get": bares, "decision": decisions} {
					b.ReportMetric(quantile(all, 0.50), name+"-p50-µs")
					b.ReportMetric(quantile(all, 0.99), name+"-p99-µs")
				}
				b.ReportMetric(quantile(decisions, 0.99)/quantile(bares, 0.99), "p99-ratio")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// overTCP has a server listen on loopback, too: a unix socket's round trip is shorter than any that a deployment has.
func overTCP(b *testing.B, h hot) (url string) {
	b.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	must(b, err)
	port := free.Addr().(*net.TCPAddr).Port
	must(b, free.Close())
	must(b, h.client.ConfigSet(b.Context(), "bind", "127.0.0.1").Err())
	must(b, h.client.ConfigSet(b.Context(), "port", strconv.Itoa(port)).Err())
	return fmt.Sprintf("redis://127.0.0.1:%d", port)
}

// inTurn does one thing and then the other so many times, from so many goroutines at a fixed rate, and answers how long each took.
func inTurn(b *testing.B, at, times int, first, second func(context.Context, int) error) (firsts, seconds []time.Duration) {
	b.Helper()
	firsts, seconds = make([]time.Duration, times), make([]time.Duration, times)
	timed := func(n int, do func(context.Context, int) error) time.Duration {
		began := time.Now()
		if err := do(b.Context(), n); err != nil {
			b.Error(err)
		}
		return time.Since(began)
	}
	began := time.Now()
	var wait sync.WaitGroup
	for i := range at {
		wait.Go(func() {
			for n := i; n < times; n += at {
				<-time.After(time.Until(began.Add(time.Duration(n) * time.Second / pairsPerSecond)))
				firsts[n] = timed(n, first)
				seconds[n] = timed(n, second)
			}
		})
	}
	wait.Wait()
	return firsts, seconds
}

func quantile(all []time.Duration, q float64) (micros float64) {
	slices.SortFunc(all, cmp.Compare)
	return float64(all[int(q*float64(len(all)-1))].Nanoseconds()) / 1000
}
