package fleet

import (
	"fmt"
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

// TestDrive_takes_as_long_as_recorded_trips compares with the cab trips that started and ended in the same streets. The
// outer quantiles are logged only: the recorded ones hold what no driver plans, and none below three minutes.
func TestDrive_takes_as_long_as_recorded_trips(t *testing.T) {
	t.Parallel()
	table, err := readTrips()
	if err != nil {
		t.Fatal(err)
	}
	trips := simulateTrips(t, 1200)
	tolerance := map[string]float64{"crow_m": 0.10, "duration_s": 0.10, "track_m": 0.12}
	for _, row := range table {
		limit := tolerance[row.measure]
		var values, expected []float64
		for _, s := range trips {
			if row.to == 0 || row.from <= s.crow && s.crow < row.to {
				values = append(values, map[string]float64{"crow_m": s.crow, "duration_s": s.duration, "track_m": s.length}[row.measure])
				expected = append(expected, s.expected)
			}
		}
		if row.to > 0 {
			limit = 0.18 // fewer trips
		}
		compare(t, fmt.Sprintf("%s %v-%v", row.measure, row.from, row.to), row.values, values, limit)
		if row.measure == "duration_s" {
			compare(t, fmt.Sprintf("expected %v-%v", row.from, row.to), row.values, expected, 0.25)
		}
	}
}

func compare(t *testing.T, what string, recorded quantiles, simulated []float64, tolerance float64) {
	t.Helper()
	slices.Sort(simulated)
	for i, p := range percentiles {
		got := simulated[int(float64(len(simulated))*p/100)]
		t.Logf("%-20s p%-2.0f recorded %5.0f  simulated %5.0f", what, p, recorded[i], got)
		if p >= 25 && p <= 75 && math.Abs(got/recorded[i]-1) > tolerance {
			t.Errorf("%s: p%.0f is %.0f, recorded %.0f", what, p, got, recorded[i])
		}
	}
}
