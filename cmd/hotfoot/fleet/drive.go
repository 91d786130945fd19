package fleet

import (
	"math"
	"math/rand/v2"
	"sort"
)

// How a crossing slows one down. Together with the free speeds these make a drive take as long as recorded trips did.
const (
	lightSpacing = 60.0 // metres: the two halves of a wide crossing have one light
	redShare     = 0.52
	minRed       = 4.0 // seconds
	maxRed       = 58.0
)

// drive is one trip along a route, worked out from its start to its end: when each point of the route is reached, how
// fast, and how long one stands there. So where the courier is, is a function of time: it costs nothing between two
// looks and does not depend on how often one looks.
type drive struct {
	route  *Route
	v      vehicle
	reach  []float64 // seconds from the start until each point is reached
	leave  []float64 // until it is left again
	speed  []float64 // at each point
	cruise []float64 // highest speed between point i and i+1
}

// newDrive plans the trip: caps the speed at every turn, stops at some lights, then brakes in time for each of them
// (backwards pass) and accelerates no faster than the vehicle can (forwards pass).
func newDrive(r *Route, v vehicle, pace float64, rng *rand.Rand) *drive {
	n := len(r.Points)
	d := &drive{route: r, v: v, reach: make([]float64, n), leave: make([]float64, n), speed: make([]float64, n), cruise: make([]float64, n-1)}
	for i, s := range r.speed {
		d.cruise[i] = min(s*pace, v.topSpeed)
		if s <= walkingSpeed {
			d.cruise[i] = s
		}
	}
	stand := make([]float64, n)
	lastLight := -lightSpacing
	for i := 1; i < n-1; i++ {
		before, after := r.Points[i-1].bearing(r.Points[i]), r.Points[i].bearing(r.Points[i+1])
		d.speed[i] = min(d.cruise[i-1], d.cruise[i], turnSpeed(turn(before, after)))
		if r.lights[i] && r.Along[i]-lastLight >= lightSpacing {
			lastLight = r.Along[i]
			if rng.Float64() < redShare {
				d.speed[i], stand[i] = 0, minRed+rng.Float64()*(maxRed-minRed)
			}
		}
	}
	for i := n - 2; i >= 0; i-- {
		d.speed[i] = min(d.speed[i], math.Sqrt(sq(d.speed[i+1])+2*v.brake*d.length(i)))
	}
	for i := range n - 1 {
		d.speed[i+1] = min(d.speed[i+1], math.Sqrt(sq(d.speed[i])+2*v.accelerate*d.length(i)))
		d.reach[i+1] = d.leave[i] + d.stretch(i).total()
		d.leave[i+1] = d.reach[i+1] + stand[i+1]
	}
	return d
}

// turnSpeed is how fast one takes a bend of so many degrees.
func turnSpeed(degrees float64) float64 {
	switch {
	case degrees < 12:
		return math.Inf(1)
	case degrees < 35:
		return 8
	case degrees < 60:
		return 5.5
	case degrees < 120:
		return 4
	}
	return 2
}

func sq(x float64) float64 { return x * x }

func (d *drive) length(i int) float64 { return d.route.Along[i+1] - d.route.Along[i] }

// seconds is how long the whole drive takes.
func (d *drive) seconds() float64 { return d.reach[len(d.reach)-1] }

// at returns the state so many seconds after the start.
func (d *drive) at(seconds float64) (p Point, heading, speed float64) {
	if len(d.route.Points) == 1 {
		return d.route.Points[0], 0, 0
	}
	along, speed := d.along(seconds)
	p, heading = d.route.At(along)
	return p, heading, speed
}

func (d *drive) along(seconds float64) (metres, speed float64) {
	last := len(d.reach) - 1
	i := sort.SearchFloat64s(d.leave, seconds) // the first point left at or after that time
	switch {
	case i > last || seconds >= d.reach[last]:
		return d.route.Along[last], 0
	case seconds >= d.reach[i]:
		return d.route.Along[i], 0
	}
	done, speed := d.stretch(i - 1).at(seconds - d.leave[i-1])
	return min(d.route.Along[i-1]+done, d.route.Along[i]), speed
}

// when returns the time at which so many metres are done.
func (d *drive) when(metres float64) float64 {
	low, high := 0.0, d.seconds()
	for high-low > 0.01 {
		mid := (low + high) / 2
		if done, _ := d.along(mid); done < metres {
			low = mid
		} else {
			high = mid
		}
	}
	return high
}

// stretch is the movement between two points: up to a peak, along at the peak, down again.
type stretch struct {
	from, peak, to         float64 // speeds
	up, steady, down       float64 // seconds
	accelerate, brake, end float64
}

func (d *drive) stretch(i int) stretch {
	length, a, b := d.length(i), d.v.accelerate, d.v.brake
	s := stretch{from: d.speed[i], to: d.speed[i+1], accelerate: a, brake: b, end: length}
	s.peak = min(d.cruise[i], math.Sqrt((2*a*b*length+b*sq(s.from)+a*sq(s.to))/(a+b)))
	s.peak = max(s.peak, s.from, s.to) // rounding
	s.up = (s.peak - s.from) / a
	s.down = (s.peak - s.to) / b
	ramps := (sq(s.peak)-sq(s.from))/(2*a) + (sq(s.peak)-sq(s.to))/(2*b)
	s.steady = max(0, length-ramps) / s.peak
	return s
}

func (s stretch) total() float64 { return s.up + s.steady + s.down }

func (s stretch) at(t float64) (metres, speed float64) {
	if t < s.up {
		return s.from*t + s.accelerate*t*t/2, s.from + s.accelerate*t
	}
	metres = s.from*s.up + s.accelerate*s.up*s.up/2
	t -= s.up
	if t < s.steady {
		return metres + s.peak*t, s.peak
	}
	t = min(t-s.steady, s.down)
	return min(s.end, metres+s.peak*s.steady+s.peak*t-s.brake*t*t/2), s.peak - s.brake*t
}

// standStill is the drive to where one already is.
func standStill(p Point) *drive {
	route := &Route{Points: []Point{p}, Along: []float64{0}}
	return &drive{route: route, reach: []float64{0}, leave: []float64{0}}
}
