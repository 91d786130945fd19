package fleet

import (
	"math"
	"math/rand/v2"
)

const (
	// drift is how long, in seconds, a receiver's error stays about the same: fixes wander, they do not jump about.
	drift = 30.0

	// worst bounds the error to so many sigma in each direction; phones drop worse fixes themselves.
	worst = 2.2

	// radius turns sigma per axis into the radius that holds about two fixes in three, which is what phones report.
	radius = 1.5

	// easing is how long, in seconds, the error takes to grow in a street canyon and to shrink after it.
	easing = 5.0
)

// The high-rise blocks of the Financial District and upper Market Street, where walls hide and mirror satellites.
const (
	canyonSouth, canyonNorth = 37.7860, 37.7965
	canyonWest, canyonEast   = -122.4075, -122.3930
)

// receiver is a phone's GPS: it turns where one is into what the phone says.
type receiver struct {
	rng         *rand.Rand
	clear       float64 // sigma under open sky, metres
	sigma       float64 // sigma now
	canyon      float64 // sigma of the canyon we are in
	canyonUntil float64
	east, north float64 // error in sigmas
	last        float64 // time of the last fix
}

func newReceiver(rng *rand.Rand) *receiver {
	r := &receiver{rng: rng, clear: 2 + 5*rng.Float64(), east: rng.NormFloat64() / 2, north: rng.NormFloat64() / 2}
	r.sigma = r.clear
	return r
}

// observe returns the fix at truth and its reported accuracy.
func (r *receiver) observe(t float64, truth Point) (p Point, accuracy float64) {
	dt := max(0, t-r.last)
	r.last = t
	target := r.clear
	if t < r.canyonUntil {
		target = r.canyon
	} else if between := betweenCanyons(truth); r.rng.Float64() < dt/between {
		r.canyon, r.canyonUntil = 20+20*r.rng.Float64(), t+15+30*r.rng.Float64()
	}
	r.sigma += (target - r.sigma) * (1 - math.Exp(-dt/easing))
	r.east, r.north = r.wander(r.east, dt), r.wander(r.north, dt)
	return truth.moved(r.east*r.sigma, r.north*r.sigma), radius * r.sigma * (0.9 + 0.25*r.rng.Float64())
}

// wander moves an error on: it forgets where it was, slowly, and keeps its spread (Gauss and Markov).
func (r *receiver) wander(e, dt float64) float64 {
	keep := math.Exp(-dt / drift)
	e = e*keep + r.rng.NormFloat64()*math.Sqrt(1-keep*keep)
	return min(max(e, -worst), worst)
}

// betweenCanyons is the mean time between two bad stretches, in seconds.
func betweenCanyons(p Point) float64 {
	if canyonSouth < p.Lat && p.Lat < canyonNorth && canyonWest < p.Lon && p.Lon < canyonEast {
		return 100
	}
	return 1200
}
