package fleet

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// simulated is one trip by car between two random places of the city, without the walk to the door.
type simulated struct{ crow, duration, expected, length float64 }

func simulateTrips(t *testing.T, n int) []simulated {
	c := city(t)
	rng := rand.New(rand.NewPCG(2008, 6))
	car := vehicles[2]
	trips := make([]simulated, 0, n)
	for range n {
		from := c.RandomPickup(rng)
		to := c.RandomDropoff(rng, from)
		from.Point, to.Point = c.graph.nodes[from.node], c.graph.nodes[to.node]
		r, ok := c.Route(from, to)
		if !ok {
			continue
		}
		d := newDrive(r, car, randomPace(rng), rng)
		trips = append(trips, simulated{from.distance(to.Point), d.seconds(), r.Seconds, r.Metres()})
	}
	return trips
}

// TestDrive_takes_as_long_as_recorded_trips compares with 6,627 cab trips that started and ended in the same streets.
func TestDrive_takes_as_long_as_recorded_trips(t *testing.T) {
	t.Parallel()
	table := city(t).trips
	trips := simulateTrips(t, 2000)

	compare := func(what string, recorded quantiles, of func(simulated) float64, keep func(simulated) bool, tolerance float64) {
		var values []float64
		for _, s := range trips {
			if keep(s) {
				values = append(values, of(s))
			}
		}
		slices.Sort(values)
		for i, p := range percentiles {
			got := values[int(float64(len(values))*p/100)]
			t.Logf("%-24s p%-2.0f recorded %5.0f  simulated %5.0f", what, p, recorded[i], got)
			if p >= 25 && p <= 75 && math.Abs(got/recorded[i]-1) > tolerance {
				t.Errorf("%s: p%.0f is %.0f, recorded %.0f", what, p, got, recorded[i])
			}
		}
	}
	all := func(simulated) bool { return true }
	compare("as the crow flies, m", table.crow, func(s simulated) float64 { return s.crow }, all, 0.10)
	compare("duration, s", table.duration, func(s simulated) float64 { return s.duration }, all, 0.10)
	compare("expected duration, s", table.duration, func(s simulated) float64 { return s.expected }, all, 0.15)
	for _, b := range table.bands {
		within := func(s simulated) bool { return b.from <= s.crow && s.crow < b.to }
		compare("duration by distance, s", b.duration, func(s simulated) float64 { return s.duration }, within, 0.15)
	}
	compare("length, m", table.track, func(s simulated) float64 { return s.length }, all, 0.12)
}
