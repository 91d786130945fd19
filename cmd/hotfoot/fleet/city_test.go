package fleet

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func city(t testing.TB) *City {
	t.Helper()
	c, err := LoadCity()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestReadCity_is_quick_and_complete(t *testing.T) {
	c, quickest := &City{}, time.Hour
	for range 3 {
		start := time.Now()
		var err error
		if c, err = readCity(); err != nil {
			t.Fatal(err)
		}
		quickest = min(quickest, time.Since(start))
	}
	var metres float64
	for _, a := range c.graph.arcs {
		metres += a.metres
	}
	lights := 0
	for _, light := range c.graph.lights {
		if light {
			lights++
		}
	}
	t.Logf("%d nodes, %d arcs of %.0f km, %d with lights, %d shops, %d doors in %v",
		len(c.graph.nodes), len(c.graph.arcs), metres/1000, lights, len(c.shops), len(c.doors), quickest)
	if len(c.graph.nodes) < 8000 || lights < 200 || len(c.shops) < 500 || len(c.doors) < 4000 {
		t.Error("a part of the city is missing")
	}
	// A tenth of it on a machine with nothing else to do.
	if limit := 1500 * time.Millisecond; quickest > limit && !raceEnabled {
		t.Errorf("took %v, more than %v", quickest, limit)
	}
}

func TestGraph_is_strongly_connected(t *testing.T) {
	t.Parallel()
	g := city(t).graph
	for _, backwards := range []bool{false, true} {
		roads := g.roads()
		if backwards {
			for i := range roads {
				roads[i].from, roads[i].to = roads[i].to, roads[i].from
			}
		}
		next := adjacency(len(g.nodes), roads, func(r road) (int32, int32) { return r.from, r.to })
		if n := len(next.finish(0, make([]bool, len(g.nodes)), nil)); n != len(g.nodes) {
			t.Errorf("backwards %v: %d of %d nodes reached", backwards, n, len(g.nodes))
		}
	}
}

// roads returns the arcs as roads again.
func (g *graph) roads() []road {
	var roads []road
	for n := range g.nodes {
		for _, a := range g.arcs[g.first[n]:g.first[n+1]] {
			roads = append(roads, road{from: int32(n), to: a.to})
		}
	}
	return roads
}

func TestGraph_path_is_as_quick_as_an_exhaustive_search(t *testing.T) {
	t.Parallel()
	g := city(t).graph
	rng := rand.New(rand.NewPCG(1, 1))
	for range 6 {
		a := int32(rng.IntN(len(g.nodes)))
		best := g.relax(a)
		for range 25 {
			b := int32(rng.IntN(len(g.nodes)))
			nodes, arcs, seconds := g.path(a, b)
			if math.Abs(seconds-best[b]) > 1e-6 {
				t.Fatalf("%d to %d takes %v s, the quickest way %v s", a, b, seconds, best[b])
			}
			g.check(t, a, b, nodes, arcs, seconds)
		}
	}
}

// relax computes the time from a to every node without a heap and without a guess (Bellman and Ford).
func (g *graph) relax(a int32) []float64 {
	best := make([]float64, len(g.nodes))
	for i := range best {
		best[i] = math.Inf(1)
	}
	best[a] = 0
	for changed := true; changed; {
		changed = false
		for n := range g.nodes {
			for _, arc := range g.arcs[g.first[n]:g.first[n+1]] {
				if c := best[n] + arc.seconds(); c < best[arc.to] {
					best[arc.to], changed = c, true
				}
			}
		}
	}
	return best
}

// check fails when the path is not one: arcs that do not join, or do not add up.
func (g *graph) check(t *testing.T, a, b int32, nodes, arcs []int32, seconds float64) {
	t.Helper()
	if nodes[0] != a || nodes[len(nodes)-1] != b || len(arcs) != len(nodes)-1 {
		t.Fatalf("path from %d to %d: %v", a, b, nodes)
	}
	var sum float64
	for i, arc := range arcs {
		if arc < g.first[nodes[i]] || arc >= g.first[nodes[i]+1] || g.arcs[arc].to != nodes[i+1] {
			t.Fatalf("arc %d does not lead from %d to %d", arc, nodes[i], nodes[i+1])
		}
		sum += g.arcs[arc].seconds()
	}
	if math.Abs(sum-seconds) > 1e-6 {
		t.Fatalf("arcs take %v s, the path says %v s", sum, seconds)
	}
}

func TestGraph_nearest_is_the_nearest(t *testing.T) {
	t.Parallel()
	g := city(t).graph
	rng := rand.New(rand.NewPCG(2, 2))
	for range 300 {
		p := Point{37.7695 + rng.Float64()*0.0286, -122.4204 + rng.Float64()*0.0396}
		best := math.Inf(1)
		for _, q := range g.nodes {
			best = min(best, p.distance(q))
		}
		_, metres, ok := g.nearest(p, 200)
		if ok != (best <= 200) || ok && metres != best {
			t.Errorf("nearest to %v: %v m (%v), want %v m", p, metres, ok, best)
		}
	}
}

func TestCity_places(t *testing.T) {
	t.Parallel()
	c := city(t)
	t.Run("are named, addressed and at a road", func(t *testing.T) {
		t.Parallel()
		for _, p := range slices.Concat(c.shops, c.doors) {
			if p.Address == "" || p.distance(c.graph.nodes[p.node]) > maxSetback {
				t.Fatalf("place %+v", p)
			}
		}
		for _, p := range c.shops {
			if p.Name == "" {
				t.Fatalf("shop %+v", p)
			}
		}
	})
	t.Run("are drawn the same from the same seed", func(t *testing.T) {
		t.Parallel()
		draw := func(seed uint64) (places []Place) {
			rng := rand.New(rand.NewPCG(seed, 0))
			for range 20 {
				shop := c.RandomPickup(rng)
				places = append(places, shop, c.RandomDropoff(rng, shop))
			}
			return places
		}
		if !slices.Equal(draw(7), draw(7)) {
			t.Error("two draws differ")
		}
		if slices.Equal(draw(7), draw(8)) {
			t.Error("the seed makes no difference")
		}
	})
}

func TestCity_Route(t *testing.T) {
	t.Parallel()
	c := city(t)
	rng := rand.New(rand.NewPCG(3, 3))
	for range 100 {
		from := c.RandomPickup(rng)
		to := c.RandomDropoff(rng, from)
		r, ok := c.Route(from, to)
		if !ok {
			t.Fatalf("no way from %v to %v", from, to)
		}
		if r.Points[0] != from.Point || r.Points[len(r.Points)-1].distance(to.Point) > 0.02 {
			t.Fatalf("route from %v to %v runs from %v to %v", from, to, r.Points[0], r.Points[len(r.Points)-1])
		}
		for i := 1; i < len(r.Points); i++ {
			if step := r.Along[i] - r.Along[i-1]; math.Abs(step-r.Points[i-1].distance(r.Points[i])) > 1e-6 || step > 62 {
				t.Fatalf("step of %v m", step)
			}
		}
		if p, _ := r.At(r.Metres() / 2); p.distance(from.Point) > r.Metres()/2 {
			t.Fatalf("half way is %v m away after %v m", p.distance(from.Point), r.Metres()/2)
		}
	}
	if _, ok := c.Route(c.doors[0], c.doors[0]); ok && c.doors[0].distance(c.graph.nodes[c.doors[0].node]) < 0.01 {
		t.Error("a route without length")
	}
}

func BenchmarkCity_Route(b *testing.B) {
	c := city(b)
	rng := rand.New(rand.NewPCG(4, 4))
	for b.Loop() {
		from := c.RandomPickup(rng)
		c.Route(from, c.RandomDropoff(rng, from))
	}
}
