package gateway

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"time"
)

const (
	clusterZoom  = 11.0 // below it a crowd is shown as clusters
	clusterCrowd = 300  // couriers in view from which it counts as a crowd
	clusterGrid  = 4.0  // cells across a tile of 256 pixels
)

// census counts couriers by the cells of one zoom, once for everybody who looks at it. The cells are fixed to the world, so that a cluster keeps its id
// while the map moves; one that a window cuts is shown whole.
type census struct {
	grid[tally]
	zoom    int
	askedAt time.Time // when somebody last looked
}

// tally is one cluster. The sums are whole numbers, in steps of 1e-7 degrees, so that what was added can be taken away again without a rest.
type tally struct {
	lat, lon int64
	count    int64
	text     []byte // as it is sent; empty until it is needed
}

func newCensus(zoom int) *census {
	return &census{grid: newGrid[tally](math.Exp2(float64(zoom)) * clusterGrid), zoom: zoom}
}

const steps = 1e7 // of a degree

func (c *census) count(p place, by int64) {
	t := c.at(p)
	t.lat += by * int64(math.Round(p.lat*steps))
	t.lon += by * int64(math.Round(p.lon*steps))
	t.count += by
	t.text = t.text[:0]
	if t.count == 0 {
		delete(c.cells, c.cellOf(p))
	}
}

// append writes the clusters of a window as a JSON list, always in the same order, so that what has not changed reads the same.
func (c *census) append(b []byte, w window) []byte {
	type found struct {
		cell
		*tally
	}
	var in []found
	c.within(w, func(at cell, t *tally) { in = append(in, found{at, t}) })
	slices.SortFunc(in, func(a, b found) int { return cmp.Or(cmp.Compare(a.y, b.y), cmp.Compare(a.x, b.x)) })
	b = append(b, '[')
	for i, f := range in {
		if len(f.text) == 0 {
			f.text = c.describe(f.text, f.cell, f.tally)
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, f.text...)
	}
	return append(b, ']')
}

func (c *census) describe(b []byte, at cell, t *tally) []byte {
	b = append(b, `{"id":"`...)
	b = strconv.AppendInt(b, int64(c.zoom), 10)
	b = strconv.AppendInt(append(b, '/'), int64(at.x), 10)
	b = strconv.AppendInt(append(b, '/'), int64(at.y), 10)
	b = append(b, `","lat":`...)
	b = strconv.AppendFloat(b, mean(t.lat, t.count), 'f', -1, 64)
	b = append(b, `,"lon":`...)
	b = strconv.AppendFloat(b, mean(t.lon, t.count), 'f', -1, 64)
	b = append(b, `,"count":`...)
	return append(strconv.AppendInt(b, t.count, 10), '}')
}

// mean is in degrees, to a metre.
func mean(sum, count int64) float64 { return math.Round(float64(sum)/float64(count)/steps*1e5) / 1e5 }
