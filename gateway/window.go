package gateway

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"hotfoot/tracking"
)

// window is what a map shows.
type window struct {
	west, south, east, north float64
	zoom                     float64
	couriers                 map[tracking.ID]bool
	query                    string
	set                      bool
}

type viewMessage struct {
	Type   string     `json:"type"`
	BBox   [4]float64 `json:"bbox"`
	Zoom   float64    `json:"zoom"`
	Filter struct {
		CourierIDs []tracking.ID `json:"courier_ids"`
		Query      string        `json:"q"`
	} `json:"filter"`
}

// parseWindow reads what a map asks for. Errors: CodeMalformed, CodeInvalid.
func parseWindow(message []byte) (window, error) {
	var m viewMessage
	if err := json.Unmarshal(message, &m); err != nil || m.Type != "view" {
		return window{}, tracking.Errorf(tracking.CodeMalformed, "not a message of this protocol")
	}
	w := window{west: m.BBox[0], south: m.BBox[1], east: m.BBox[2], north: m.BBox[3], zoom: m.Zoom, query: strings.ToLower(m.Filter.Query), set: true}
	if !(w.south <= w.north && w.south >= -90 && w.north <= 90 && w.west >= -540 && w.east <= 540 && w.zoom >= 0 && w.zoom <= 30) {
		return window{}, tracking.Errorf(tracking.CodeInvalid, "not a window")
	}
	if len(m.Filter.CourierIDs) > 0 {
		w.couriers = map[tracking.ID]bool{}
		for _, id := range m.Filter.CourierIDs {
			w.couriers[id] = true
		}
	}
	return w, nil
}

// holds reports whether a courier is in the window. A window may cross the antimeridian, written as west > east or as degrees beyond 180.
func (w window) holds(u *unit) bool {
	if u.newest == nil || w.couriers != nil && !w.couriers[u.courier.ID] {
		return false
	}
	if w.query != "" && !strings.Contains(strings.ToLower(u.courier.Name), w.query) {
		return false
	}
	if u.newest.Lat < w.south || u.newest.Lat > w.north {
		return false
	}
	for _, lon := range [3]float64{u.newest.Lon, u.newest.Lon + 360, u.newest.Lon - 360} {
		if w.west <= w.east && lon >= w.west && lon <= w.east {
			return true
		}
	}
	return w.west > w.east && (u.newest.Lon >= w.west || u.newest.Lon <= w.east)
}

const (
	clusterZoom  = 11.0 // below it a crowd is shown as clusters
	clusterCrowd = 300  // couriers in view from which it counts as a crowd
	clusterGrid  = 4.0  // cells across a tile of 256 pixels
)

type cluster struct {
	ID    string  `json:"id"`
	Lat   float64 `json:"lat"`
	Lon   float64 `json:"lon"`
	Count int     `json:"count"`
}

// isCrowd reports whether there are too many couriers in the window to show each.
func (w window) isCrowd(units map[tracking.ID]*unit) bool {
	if w.zoom >= clusterZoom {
		return false
	}
	inView := 0
	for _, u := range units {
		if w.holds(u) {
			inView++
		}
	}
	return inView > clusterCrowd
}

// clusters counts couriers by the cell of a grid that is fixed to the world, so that a cluster keeps its id while the map moves.
func (w window) clusters(units map[tracking.ID]*unit) []cluster {
	cells := math.Exp2(math.Floor(w.zoom)) * clusterGrid
	type sum struct {
		lat, lon float64
		count    int
	}
	sums := map[[2]int]*sum{}
	for _, u := range units {
		if !w.holds(u) {
			continue
		}
		cell := [2]int{int(math.Floor((u.newest.Lon + 180) / 360 * cells)), int(math.Floor((u.newest.Lat + 90) / 360 * cells))}
		c := sums[cell]
		if c == nil {
			c = &sum{}
			sums[cell] = c
		}
		c.lat += u.newest.Lat
		c.lon += u.newest.Lon
		c.count++
	}
	out := make([]cluster, 0, len(sums))
	for cell, c := range sums {
		out = append(out, cluster{
			ID: fmt.Sprintf("%d/%d/%d", int(w.zoom), cell[0], cell[1]), Count: c.count,
			Lat: math.Round(c.lat/float64(c.count)*1e5) / 1e5, Lon: math.Round(c.lon/float64(c.count)*1e5) / 1e5,
		})
	}
	slices.SortFunc(out, func(a, b cluster) int { return cmp.Compare(a.ID, b.ID) })
	return out
}
