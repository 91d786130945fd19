// Package bench measures a real deployment on this machine: private Postgres and Redis, an api process, a gateway process, and clients that cost little.
//
//	Rig ── starts ──> Postgres, Redis, hotfoot serve (api,worker), hotfoot serve (gateway)
//	Latency ── POST a position ──> api ──> Redis ──> gateway ──> socket      beside a bare PUBLISH → SUBSCRIBE, in turn
//	Ingest ─── POST as fast as n connections can ──> api                     CPU seconds of each process, from the system
//
// What is compared is compared in one run, taken in turn: machines differ and drift. Numbers are medians of repeats. Latency is measured at a
// fixed rate from the moment a request was due, so that a slow answer cannot hide the ones behind it.
package bench

import (
	"cmp"
	"slices"
	"time"
)

// Quantiles of latencies.
type Quantiles struct{ P50, P99 time.Duration }

func quantiles(samples []time.Duration) Quantiles {
	slices.Sort(samples)
	at := func(q float64) time.Duration { return samples[min(len(samples)-1, int(q*float64(len(samples))))] }
	return Quantiles{P50: at(0.50), P99: at(0.99)}
}

// Median is the middle one of a few repeats.
func Median[T any, K cmp.Ordered](repeats []T, by func(T) K) T {
	sorted := slices.Clone(repeats)
	slices.SortFunc(sorted, func(a, b T) int { return cmp.Compare(by(a), by(b)) })
	return sorted[len(sorted)/2]
}
