package gateway

// atlasCells is how finely couriers are indexed: a cell is 2.4 km wide at the equator, so that a street map's window touches a dozen of them and a city
// is a few hundred.
const atlasCells = 1 << 14

// atlas is the index of couriers by cell, so that a map that opens or moves costs what it shows and not what there is. Couriers are known by their slot.
type atlas struct {
	grid[[]int32]
	rank []int32 // where in its cell's list a slot is
}

func newAtlas() atlas { return atlas{grid: newGrid[[]int32](atlasCells)} }

func (a *atlas) add(slot int32, p place) {
	for int(slot) >= len(a.rank) {
		a.rank = append(a.rank, 0)
	}
	list := a.at(p)
	a.rank[slot] = int32(len(*list))
	*list = append(*list, slot)
}

func (a *atlas) remove(slot int32, p place) {
	c := a.cellOf(p)
	list := a.cells[c]
	last := (*list)[len(*list)-1]
	(*list)[a.rank[slot]], a.rank[last] = last, a.rank[slot]
	if *list = (*list)[:len(*list)-1]; len(*list) == 0 {
		delete(a.cells, c)
	}
}

func (a *atlas) move(slot int32, from, to place) {
	if a.cellOf(from) != a.cellOf(to) {
		a.remove(slot, from)
		a.add(slot, to)
	}
}
