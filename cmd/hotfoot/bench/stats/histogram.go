//go:build linux

// Package stats condenses what a measurement saw: latencies into quantiles, repeats into their median.
//
//	Histogram ── Record(latency) … ──> Quantile(0.99)
//
// A histogram has a fixed size however long a run lasts, and answers quantiles within 1.6 % of what a sorted list of all samples would.
// Nothing here may be used by two goroutines at once.
package stats

import (
	"math/bits"
	"time"
)

// Each power of two of microseconds is cut into this many buckets.
const (
	subBits = 6
	sub     = 1 << subBits
	buckets = (40 - subBits) * sub // up to 2^39 µs, six days
)

// Histogram counts latencies by microseconds. The zero value is empty.
type Histogram struct {
	counts [buckets]uint32
	n      int
	max    time.Duration
}

// Record counts one latency; a negative one, from clocks that were read out of order, counts as none.
func (h *Histogram) Record(d time.Duration) {
	h.counts[bucketOf(uint64(max(0, d.Microseconds())))]++
	h.n++
	h.max = max(h.max, d)
}

// Count is how many were recorded.
func (h *Histogram) Count() int { return h.n }

// Add counts everything that another histogram has counted.
func (h *Histogram) Add(other *Histogram) {
	for i, n := range other.counts {
		h.counts[i] += n
	}
	h.n += other.n
	h.max = max(h.max, other.max)
}

// Quantile is the latency that a share q of all, from 0 to 1, did not exceed; zero when there are none.
func (h *Histogram) Quantile(q float64) time.Duration {
	if h.n == 0 {
		return 0
	}
	rank := min(h.n, int(q*float64(h.n))+1)
	for i, n := range h.counts {
		if rank -= int(n); rank <= 0 {
			return min(h.max, time.Duration(upperOf(i))*time.Microsecond)
		}
	}
	return h.max
}

// bucketOf is exact below sub, and above has the leading bit and the subBits that follow it.
func bucketOf(us uint64) int {
	if us < sub {
		return int(us)
	}
	shift := bits.Len64(us) - subBits - 1
	return min(buckets-1, (shift+1)<<subBits+int(us>>shift)-sub)
}

// upperOf is the highest value that a bucket holds.
func upperOf(bucket int) uint64 {
	if bucket < sub {
		return uint64(bucket)
	}
	shift := bucket>>subBits - 1
	return (uint64(bucket&(sub-1)+sub)+1)<<shift - 1
}
