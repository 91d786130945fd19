package fleet

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
)

// City is downtown San Francisco: its streets, its shops, its doors, and how long trips take there. It is never
// changed once loaded and is safe for concurrent use.
type City struct {
	graph     *graph
	shops     []Place
	doors     []Place
	distances quantiles
}

// Place is a spot at which a courier can stop, with the node of the road in front of it.
type Place struct {
	Point
	Name    string // empty for a private door
	Address string
	node    int32
}

// maxSetback is how far from the road a shop or a door may be. Those farther inside a block would need footways.
const maxSetback = 60

// LoadCity returns the city, which is read once.
func LoadCity() (*City, error) { return loadCity() }

var loadCity = sync.OnceValues(func() (*City, error) {
	c, err := readCity()
	if err != nil {
		return nil, fmt.Errorf("load city: %w", err)
	}
	return c, nil
})

func readCity() (*City, error) {
	roads, err := readRoads()
	if err != nil {
		return nil, err
	}
	c := &City{graph: newGraph(roads.nodes, roads.roads)}
	if c.shops, err = c.readPlaces("shops.tsv.gz", 2); err != nil {
		return nil, err
	}
	if c.doors, err = c.readPlaces("doors.tsv.gz", 1); err != nil {
		return nil, err
	}
	c.distances, err = tripDistances()
	return c, err
}

// readPlaces reads a table of labels (name and address, or address alone), latitude and longitude.
func (c *City) readPlaces(table string, labels int) ([]Place, error) {
	var places []Place
	err := rows(table, labels+2, func(cells []string) error {
		at, err := floats(cells[labels:])
		if err != nil {
			return err
		}
		p, ok := c.Place(Point{at[0], at[1]}, maxSetback)
		if !ok {
			return nil
		}
		p.Address = cells[labels-1]
		if labels == 2 {
			p.Name = cells[0]
		}
		places = append(places, p)
		return nil
	})
	return places, err
}

// Place returns the place at p; ok is false when no road is within so many metres of it.
func (c *City) Place(p Point, within float64) (Place, bool) {
	node, _, ok := c.graph.nearest(p, within)
	return Place{Point: p, node: node}, ok
}

// RandomPickup draws a shop.
func (c *City) RandomPickup(rng *rand.Rand) Place { return c.shops[rng.IntN(len(c.shops))] }

// RandomDropoff draws a door as far from the given place as trips in this city are long.
func (c *City) RandomDropoff(rng *rand.Rand, from Place) Place {
	const candidates = 24
	want := c.distances.draw(rng)
	var best Place
	miss := math.Inf(1)
	for range candidates {
		p := c.doors[rng.IntN(len(c.doors))]
		if d := math.Abs(from.distance(p.Point) - want); d < miss {
			best, miss = p, d
		}
	}
	return best
}
