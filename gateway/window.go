package gateway

import (
	"encoding/json"
	"strings"

	"hotfoot/tracking"
)

// window is what a map shows.
type window struct {
	south, north float64
	around       [2]span // of longitudes; a window across the antimeridian has two
	parts        int
	zoom         float64
	couriers     map[tracking.ID]bool
	query        string
	set          bool
}

// span is from a longitude eastwards to another, both included and not beyond 180 degrees.
type span struct{ west, east float64 }

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
	west, south, east, north := m.BBox[0], m.BBox[1], m.BBox[2], m.BBox[3]
	if !(south <= north && south >= -90 && north <= 90 && west >= -540 && west <= 540 && east >= -540 && east <= 540 && m.Zoom >= 0 && m.Zoom <= 30) {
		return window{}, tracking.Errorf(tracking.CodeInvalid, "not a window")
	}
	w := window{south: south, north: north, zoom: m.Zoom, query: strings.ToLower(m.Filter.Query), set: true}
	w.stretch(west, east)
	if len(m.Filter.CourierIDs) > 0 {
		w.couriers = map[tracking.ID]bool{}
		for _, id := range m.Filter.CourierIDs {
			w.couriers[id] = true
		}
	}
	return w, nil
}

// stretch sets the longitudes. A window may cross the antimeridian, written as west > east or as degrees beyond 180.
func (w *window) stretch(west, east float64) {
	if east-west >= 360 {
		w.around, w.parts = [2]span{{-180, 180}}, 1
		return
	}
	west, east = wrapped(west), wrapped(east)
	if west <= east && east < 180 {
		w.around, w.parts = [2]span{{west, east}}, 1
		return
	}
	// What touches 180 degrees from the west holds those at -180, who are there.
	w.around, w.parts = [2]span{{west, 180}, {-180, east}}, 2
	if east == 180 {
		w.around[1].east = -180
	}
}

// wrapped is a longitude of at most 540 degrees as one of at most 180.
func wrapped(lon float64) float64 {
	switch {
	case lon > 180:
		return lon - 360
	case lon < -180:
		return lon + 360
	}
	return lon
}

func (w *window) spans() []span { return w.around[:w.parts] }

// holds reports whether a place is in the window.
func (w *window) holds(p place) bool {
	if p.lat < w.south || p.lat > w.north {
		return false
	}
	for _, s := range w.spans() {
		if p.lon >= s.west && p.lon <= s.east {
			return true
		}
	}
	return false
}

// filtered reports whether not everybody in the window is of interest.
func (w *window) filtered() bool { return w.couriers != nil || w.query != "" }

// admits reports whether a courier is of interest, wherever they are.
func (w *window) admits(u *unit) bool {
	return (w.couriers == nil || w.couriers[u.courier.ID]) && (w.query == "" || strings.Contains(u.name, w.query))
}
