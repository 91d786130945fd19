package fleet

import (
	"errors"
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

// tripRow is a line of the table that tells how far and how long people were driven by cab between two places of our
// streets: 6,627 trips of 3 June to 5 June 2008. (Over the whole region, with its rides to the airport, the median is
// 558 s; between our streets it is 350 s.)
type tripRow struct {
	measure  string  // crow_m, track_m, duration_s
	from, to float64 // only trips of such a distance as the crow flies, in metres; 0, 0: all
	values   quantiles
}

func readTrips() ([]tripRow, error) {
	var table []tripRow
	err := rows("trips.tsv", 4+len(percentiles), func(cells []string) error {
		v, err := floats(cells[1:])
		if err == nil {
			table = append(table, tripRow{measure: cells[0], from: v[0], to: v[1], values: v[3:]})
		}
		return err
	})
	return table, err
}

// tripDistances is how far trips lead, as the crow flies, in metres.
func tripDistances() (quantiles, error) {
	table, err := readTrips()
	if err != nil {
		return nil, err
	}
	for _, row := range table {
		if row.measure == "crow_m" {
			return row.values, nil
		}
	}
	return nil, errors.New("trips.tsv: no row crow_m")
}
