package fleet

import (
	"math"
	"sync"
)

// arc is a road as seen from its start.
type arc struct {
	to     int32
	metres float64
	speed  float64 // free speed
}

func (a arc) seconds() float64 { return a.metres / (a.speed * flow) }

// graph holds the streets on which every node can be reached from every other one. It is never changed once built.
type graph struct {
	nodes    []Point
	first    []int32 // the arcs of node n are arcs[first[n]:first[n+1]]
	arcs     []arc
	lights   []bool // whether there is a traffic light at the node
	fastest  float64
	cells    map[[2]int32][]int32 // nodes by grid cell, for nearest
	searches sync.Pool            // *search
}

// newGraph keeps the largest strongly connected part of the roads.
func newGraph(nodes []Point, roads []road) *graph {
	keep := largestComponent(len(nodes), roads)
	number := make([]int32, len(nodes))
	g := &graph{cells: map[[2]int32][]int32{}}
	for i, p := range nodes {
		number[i] = -1
		if keep[i] {
			number[i] = int32(len(g.nodes))
			g.nodes = append(g.nodes, p)
			cell := cellOf(p)
			g.cells[cell] = append(g.cells[cell], number[i])
		}
	}
	kept := make([]road, 0, len(roads))
	for _, r := range roads {
		if keep[r.from] && keep[r.to] {
			r.from, r.to = number[r.from], number[r.to]
			kept = append(kept, r)
		}
	}
	g.first = offsets(len(g.nodes), kept)
	g.arcs = make([]arc, len(kept))
	free := append([]int32(nil), g.first...)
	for _, r := range kept {
		g.arcs[free[r.from]] = arc{to: r.to, metres: r.metres, speed: r.speed}
		free[r.from]++
		g.fastest = max(g.fastest, r.speed)
	}
	g.lights = trafficLights(len(g.nodes), kept)
	g.searches.New = func() any { return newSearch(len(g.nodes)) }
	return g
}

// offsets counts the roads that leave each node, summed up.
func offsets(nodes int, roads []road) []int32 {
	first := make([]int32, nodes+1)
	for _, r := range roads {
		first[r.from+1]++
	}
	for i := range nodes {
		first[i+1] += first[i]
	}
	return first
}

// trafficLights finds the nodes where two different streets with lights meet.
func trafficLights(nodes int, roads []road) []bool {
	const none = -1
	seen := make([]int32, nodes)
	for i := range seen {
		seen[i] = none
	}
	lights := make([]bool, nodes)
	for _, r := range roads {
		if r.street == none {
			continue
		}
		for _, n := range [2]int32{r.from, r.to} {
			lights[n] = lights[n] || seen[n] != none && seen[n] != r.street
			seen[n] = r.street
		}
	}
	return lights
}

// cellDegrees makes cells of about 110 by 90 metres.
const cellDegrees = 0.001

func cellOf(p Point) [2]int32 {
	return [2]int32{int32(math.Floor(p.Lat / cellDegrees)), int32(math.Floor(p.Lon / cellDegrees))}
}

// nearest returns the node nearest to p and its distance in metres. It searches the cells around p in growing squares;
// once a node is found, one more square is enough to find any that is nearer across a border.
func (g *graph) nearest(p Point, within float64) (node int32, metres float64, ok bool) {
	metres = within
	cell := cellOf(p)
	narrow := cellDegrees * metresPerDegree * math.Cos(p.Lat*math.Pi/180)
	for ring := int32(0); float64(ring-1)*narrow <= metres; ring++ {
		for y := -ring; y <= ring; y++ {
			step := int32(1)
			if y != -ring && y != ring {
				step = max(1, 2*ring)
			}
			for x := -ring; x <= ring; x += step {
				for _, n := range g.cells[[2]int32{cell[0] + y, cell[1] + x}] {
					if d := p.distance(g.nodes[n]); d <= metres {
						node, metres, ok = n, d, true
					}
				}
			}
		}
	}
	return node, metres, ok
}
