package gateway

import "math"

// place is where something is, in degrees; the longitude is at least -180 and below 180, so that one place has one spelling.
type place struct{ lat, lon float64 }

func placeOf(lat, lon float64) place {
	if lon >= 180 {
		lon -= 360
	}
	return place{lat, lon}
}

// cell is a square of a grid that is fixed to the world.
type cell struct{ x, y int32 }

// grid keeps something for every cell that is not empty.
type grid[T any] struct {
	across float64 // cells around the world
	cells  map[cell]*T
}

func newGrid[T any](across float64) grid[T] { return grid[T]{across, map[cell]*T{}} }

func (g *grid[T]) cellOf(p place) cell {
	return cell{int32(math.Floor((p.lon + 180) / 360 * g.across)), int32(math.Floor((p.lat + 90) / 360 * g.across))}
}

// at is what is kept for the cell of a place; it is made when there is nothing yet.
func (g *grid[T]) at(p place) *T {
	c := g.cellOf(p)
	kept := g.cells[c]
	if kept == nil {
		kept = new(T)
		g.cells[c] = kept
	}
	return kept
}

// within visits every cell that is not empty and that a window touches, each once. It looks at the window's cells or at all that are not empty,
// whichever are fewer: the whole world from near has more squares than there are couriers.
func (g *grid[T]) within(w window, visit func(cell, *T)) {
	var seen [2]struct{ from, to cell }
	for i, s := range w.spans() {
		seen[i].from, seen[i].to = g.cellOf(place{w.south, s.west}), g.cellOf(place{w.north, s.east})
	}
	if len(w.spans()) == 2 {
		// The two ends of a window that is nearly as wide as the world may meet in one cell.
		seen[1].to.x = min(seen[1].to.x, seen[0].from.x-1)
	}
	for _, r := range seen[:len(w.spans())] {
		if int64(r.to.x-r.from.x+1)*int64(r.to.y-r.from.y+1) > int64(len(g.cells)) {
			for c, kept := range g.cells {
				if c.x >= r.from.x && c.x <= r.to.x && c.y >= r.from.y && c.y <= r.to.y {
					visit(c, kept)
				}
			}
			continue
		}
		for y := r.from.y; y <= r.to.y; y++ {
			for x := r.from.x; x <= r.to.x; x++ {
				if kept := g.cells[cell{x, y}]; kept != nil {
					visit(cell{x, y}, kept)
				}
			}
		}
	}
}
