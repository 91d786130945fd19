package fleet

import "slices"

// search is the scratch memory of one shortest-path search; round tells which entries belong to it.
type search struct {
	round uint32
	seen  []uint32
	cost  []float64
	via   []int32 // the arc that reached the node
	from  []int32
	heap  []candidate
}

type candidate struct {
	node  int32
	bound float64 // no path through node is quicker
}

// tolerance keeps rounding, which differs between processors, from passing for a quicker way.
const tolerance = 1e-9

func newSearch(nodes int) *search {
	return &search{
		seen: make([]uint32, nodes), cost: make([]float64, nodes),
		via: make([]int32, nodes), from: make([]int32, nodes),
	}
}

// path finds the quickest way from a to b (A*): the nodes, the arc into each but the first, and the seconds.
func (g *graph) path(a, b int32) (nodes, arcs []int32, seconds float64) {
	s := g.searches.Get().(*search)
	defer g.searches.Put(s)
	s.round++
	s.heap = s.heap[:0]
	target := g.nodes[b]
	// Driving as the crow flies at the highest speed of the city is never slower than any path, so the first time b
	// leaves the heap its path is the quickest. The 0.1% makes up for the rounding of the flat Earth.
	guess := 0.999 / (g.fastest * flow)

	s.reach(a, 0, -1, -1, g.nodes[a].distance(target)*guess)
	for len(s.heap) > 0 {
		at := s.pop()
		if at.node == b {
			break
		}
		cost := s.cost[at.node]
		if at.bound > cost+g.nodes[at.node].distance(target)*guess+tolerance {
			continue // a quicker way here was found meanwhile
		}
		for i := g.first[at.node]; i < g.first[at.node+1]; i++ {
			to := g.arcs[i].to
			if c := cost + g.arcs[i].seconds(); s.seen[to] != s.round || c < s.cost[to] {
				s.reach(to, c, i, at.node, g.nodes[to].distance(target)*guess)
			}
		}
	}
	for n := b; n != a; n = s.from[n] {
		nodes, arcs = append(nodes, n), append(arcs, s.via[n])
	}
	nodes = append(nodes, a)
	slices.Reverse(nodes)
	slices.Reverse(arcs)
	return nodes, arcs, s.cost[b]
}

func (s *search) reach(n int32, cost float64, via, from int32, rest float64) {
	s.seen[n], s.cost[n], s.via[n], s.from[n] = s.round, cost, via, from
	s.heap = append(s.heap, candidate{n, cost + rest})
	for i := len(s.heap) - 1; i > 0; {
		up := (i - 1) / 2
		if s.heap[up].bound <= s.heap[i].bound {
			break
		}
		s.heap[up], s.heap[i] = s.heap[i], s.heap[up]
		i = up
	}
}

func (s *search) pop() candidate {
	top, last := s.heap[0], len(s.heap)-1
	s.heap[0] = s.heap[last]
	s.heap = s.heap[:last]
	for i := 0; ; {
		down := 2*i + 1
		if down >= last {
			break
		}
		if down+1 < last && s.heap[down+1].bound < s.heap[down].bound {
			down++
		}
		if s.heap[i].bound <= s.heap[down].bound {
			break
		}
		s.heap[i], s.heap[down] = s.heap[down], s.heap[i]
		i = down
	}
	return top
}
