package fleet

import (
	"math"
	"strconv"
	"strings"
)

// maxStretch is the longest piece of road between two nodes. Longer pieces are divided, so that a door is never far
// from a node where a courier can stop.
const maxStretch = 30

// flow is the share of a street's free speed that is left on average by lights, turns and other people. It was set
// so that recorded trips between two places take as long as the shortest paths between them (see trips_test.go).
const flow = 0.46

// freeSpeed is how fast one drives where nothing is in the way, in metres a second.
var freeSpeed = map[string]float64{
	"trunk": 13.4, "trunk_link": 11, "primary": 12.5, "primary_link": 10, "secondary": 11.2, "secondary_link": 9,
	"tertiary": 10.5, "tertiary_link": 9, "unclassified": 9, "residential": 9, "living_street": 4.5, "service": 4.5,
}

// hasLights are the road classes whose crossings with each other have traffic lights.
var hasLights = map[string]bool{"trunk": true, "primary": true, "secondary": true, "tertiary": true}

// road is a stretch of street between two nodes that may be driven in one direction.
type road struct {
	from, to int32
	street   int32 // index of the street's name, -1 when it is of no importance for lights
	metres   float64
	speed    float64
}

// roadReader numbers the nodes of the road table: equal coordinates are the same node.
type roadReader struct {
	nodes   []Point
	byPlace map[[2]int32]int32
	streets map[string]int32
	roads   []road
}

func readRoads() (*roadReader, error) {
	r := &roadReader{byPlace: map[[2]int32]int32{}, streets: map[string]int32{}}
	err := rows("roads.tsv.gz", 5, func(cells []string) error {
		class, oneway, name := cells[0], cells[1] == "1", cells[2]
		street := int32(-1)
		if hasLights[class] && name != "" {
			street = r.street(name)
		}
		previous := int32(-1)
		for lon := range strings.SplitSeq(cells[4], " ") {
			lon, lat, _ := strings.Cut(lon, ",")
			at, err := r.node(lon, lat)
			if err != nil {
				return err
			}
			if previous >= 0 && previous != at {
				r.connect(previous, at, street, freeSpeed[class], oneway)
			}
			previous = at
		}
		return nil
	})
	return r, err
}

func (r *roadReader) street(name string) int32 {
	i, known := r.streets[name]
	if !known {
		i = int32(len(r.streets))
		r.streets[name] = i
	}
	return i
}

func (r *roadReader) node(lon, lat string) (int32, error) {
	x, err := strconv.ParseInt(lon, 10, 32)
	if err != nil {
		return 0, err
	}
	y, err := strconv.ParseInt(lat, 10, 32)
	if err != nil {
		return 0, err
	}
	place := [2]int32{int32(x), int32(y)}
	i, known := r.byPlace[place]
	if !known {
		i = r.add(Point{Lat: float64(y) / 1e6, Lon: float64(x) / 1e6})
		r.byPlace[place] = i
	}
	return i, nil
}

func (r *roadReader) add(p Point) int32 {
	r.nodes = append(r.nodes, p)
	return int32(len(r.nodes) - 1)
}

// connect joins two nodes by a road, divided into pieces of at most maxStretch.
func (r *roadReader) connect(a, b, street int32, speed float64, oneway bool) {
	from, to := r.nodes[a], r.nodes[b]
	pieces := int(math.Ceil(from.distance(to) / maxStretch))
	for i, at := 1, a; i <= pieces; i++ {
		next := b
		if i < pieces {
			next = r.add(from.towards(to, float64(i)/float64(pieces)))
		}
		one := road{from: at, to: next, street: street, metres: r.nodes[at].distance(r.nodes[next]), speed: speed}
		r.roads = append(r.roads, one)
		if !oneway {
			one.from, one.to = one.to, one.from
			r.roads = append(r.roads, one)
		}
		at = next
	}
}
