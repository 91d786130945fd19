//go:build linux

package stats

import "slices"

// Median is the middle one of a few repeats, of an even number the upper of the two; zero of none.
func Median(repeats []float64) float64 {
	if len(repeats) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(repeats))
	return sorted[len(sorted)/2]
}
