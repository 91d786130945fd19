package fleet

import (
	"fmt"
	"math/rand/v2"
)

// percentiles are those of the embedded table of recorded trips.
var percentiles = []float64{1, 5, 10, 25, 50, 75, 90, 95, 99}

// quantiles are the values at the percentiles.
type quantiles []float64

// draw returns a random value with this distribution, straight between the percentiles and cut off beyond the outer.
func (q quantiles) draw(rng *rand.Rand) float64 {
	first, last := percentiles[0], percentiles[len(percentiles)-1]
	p := first + rng.Float64()*(last-first)
	i := 1
	for percentiles[i] < p {
		i++
	}
	f := (p - percentiles[i-1]) / (percentiles[i] - percentiles[i-1])
	return q[i-1] + f*(q[i]-q[i-1])
}

// band holds the durations of the recorded trips of some crow-flight distance.
type band struct {
	from, to float64 // metres
	trips    int
	duration quantiles
}

// tripTable tells how far and how long people were really driven by cab within the part of the city we know.
type tripTable struct {
	crow     quantiles // metres from start to end as the crow flies
	duration quantiles // seconds
	track    quantiles // metres driven
	bands    []band
}

func readTrips() (tripTable, error) {
	var t tripTable
	err := rows("trips.tsv", 4+len(percentiles), func(cells []string) error {
		v, err := floats(cells[1:])
		if err != nil {
			return err
		}
		from, to, trips, q := v[0], v[1], int(v[2]), quantiles(v[3:])
		switch {
		case cells[0] == "crow_m":
			t.crow = q
		case cells[0] == "track_m":
			t.track = q
		case cells[0] == "duration_s" && to == 0:
			t.duration = q
		case cells[0] == "duration_s":
			t.bands = append(t.bands, band{from, to, trips, q})
		default:
			return fmt.Errorf("unknown measure %q", cells[0])
		}
		return nil
	})
	return t, err
}
