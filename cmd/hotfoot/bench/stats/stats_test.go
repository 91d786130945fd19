//go:build linux

package stats_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"hotfoot/cmd/hotfoot/bench/stats"
)

func TestHistogram_Quantile(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	var h stats.Histogram
	var all []time.Duration
	for range 20_000 {
		// From microseconds to seconds, evenly over the magnitudes.
		d := time.Duration(1<<random.IntN(21)+random.IntN(1000)) * time.Microsecond
		h.Record(d)
		all = append(all, d)
	}
	slices.Sort(all)
	for _, q := range []float64{0, 0.01, 0.5, 0.9, 0.99, 0.999, 1} {
		want := all[min(len(all)-1, int(q*float64(len(all))))]
		got := h.Quantile(q)
		if got < want || float64(got) > float64(want)*1.016+1000 {
			t.Errorf("quantile %v is %v, want %v or up to 1.6 %% more", q, got, want)
		}
	}
}

func TestHistogram_bounds(t *testing.T) {
	t.Parallel()
	t.Run("an empty one has no quantile", func(t *testing.T) {
		t.Parallel()
		if q := new(stats.Histogram).Quantile(0.5); q != 0 {
			t.Errorf("got %v", q)
		}
	})
	t.Run("a negative latency counts as none, and an endless one still counts", func(t *testing.T) {
		t.Parallel()
		var h stats.Histogram
		h.Record(-time.Second)
		h.Record(1 << 62)
		if h.Count() != 2 || h.Quantile(0) != 0 || h.Quantile(1) < 6*24*time.Hour {
			t.Errorf("%d, from %v to %v", h.Count(), h.Quantile(0), h.Quantile(1))
		}
	})
	t.Run("two are added up", func(t *testing.T) {
		t.Parallel()
		var a, b stats.Histogram
		a.Record(time.Millisecond)
		b.Record(time.Second)
		a.Add(&b)
		if a.Count() != 2 || a.Quantile(1) != time.Second {
			t.Errorf("%d up to %v", a.Count(), a.Quantile(1))
		}
	})
}

func TestMedian(t *testing.T) {
	t.Parallel()
	for want, of := range map[float64][]float64{0: nil, 5: {5}, 2: {3, 1, 2}, 7: {9, 1, 7, 3}} {
		before := slices.Clone(of)
		if got := stats.Median(of); got != want || !slices.Equal(of, before) {
			t.Errorf("the median of %v is %v, want %v", before, got, want)
		}
	}
}
