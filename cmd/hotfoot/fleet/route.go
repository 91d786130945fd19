package fleet

import "sort"

// Route is a way through the city: a polyline with what one needs to know to drive it.
type Route struct {
	Points []Point
	Along  []float64 // metres from the start to each point
	// Seconds is how long the way takes on average.
	Seconds float64

	speed  []float64 // free speed between point i and i+1
	lights []bool    // whether there is a traffic light at point i
}

// Metres is the length of the route.
func (r *Route) Metres() float64 { return r.Along[len(r.Along)-1] }

// At returns the point so many metres along the route, and the compass direction there.
func (r *Route) At(metres float64) (Point, float64) {
	last := len(r.Points) - 1
	i := min(max(sort.SearchFloat64s(r.Along, metres), 1), last)
	from, to, length := r.Points[i-1], r.Points[i], r.Along[i]-r.Along[i-1]
	return from.towards(to, min(max((metres-r.Along[i-1])/length, 0), 1)), from.bearing(to)
}

// extend adds a stretch to the end. Stretches of no length are left out: they have no direction.
func (r *Route) extend(to Point, speed float64, light bool) {
	last := len(r.Points) - 1
	length := r.Points[last].distance(to)
	if length < 0.01 {
		return
	}
	r.Points = append(r.Points, to)
	r.Along = append(r.Along, r.Along[last]+length)
	r.speed = append(r.speed, speed)
	r.lights = append(r.lights, light)
}

// walkingSpeed is used between the road and a door.
const walkingSpeed = 1.4

// Route returns the quickest way from one place to another: on foot to the road, along it, and on foot to the door.
// ok is false when both are the same spot.
func (c *City) Route(from, to Place) (r *Route, ok bool) {
	nodes, arcs, seconds := c.graph.path(from.node, to.node)
	r = &Route{Points: []Point{from.Point}, Along: []float64{0}, lights: []bool{false}}
	r.extend(c.graph.nodes[nodes[0]], walkingSpeed, false)
	for i, a := range arcs {
		n := nodes[i+1]
		r.extend(c.graph.nodes[n], c.graph.arcs[a].speed, c.graph.lights[n])
	}
	r.extend(to.Point, walkingSpeed, false)
	walk := from.distance(c.graph.nodes[from.node]) + to.distance(c.graph.nodes[to.node])
	r.Seconds = seconds + walk/walkingSpeed
	return r, len(r.Points) > 1
}
