package gateway

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"hotfoot/tracking"
	"hotfoot/tracking/frame"
)

// sight is a courier as a map's page knows them.
type sight struct {
	ID         tracking.ID
	Lat, Lon   float64
	RecordedAt frame.Time `json:"recorded_at"`
	Name       *string
	Stops      *int
}

type opsCluster struct {
	ID       string
	Lat, Lon float64
	Count    int
}

type opsText struct {
	Type     string
	N        int64
	Full     bool
	Live     *bool
	Couriers []sight
	Gone     []tracking.ID
	Clusters *[]opsCluster
	Events   []opsEvent
	Alerts   []alertText
	Stats    stats
}

// screen is what a map's page shows: it applies frames as web/src/ops/fleet.ts does.
type screen struct {
	inView   map[tracking.ID]sight
	clusters []opsCluster
	events   []string
	alerts   map[string]bool
	stats    stats
	n        int64
	bytes    int
}

func newScreen() *screen { return &screen{inView: map[tracking.ID]sight{}, alerts: map[string]bool{}} }

func (s *screen) apply(text []byte) error {
	var f opsText
	if err := json.Unmarshal(text, &f); err != nil {
		return fmt.Errorf("%w: %s", err, text)
	}
	if f.Type == "tick" {
		return nil
	}
	if f.Type != "frame" || f.N != s.n+1 {
		return fmt.Errorf("frame %d comes as a %s after %d", f.N, f.Type, s.n)
	}
	s.n = f.N
	s.bytes += len(text)
	if f.Clusters != nil {
		s.clusters = *f.Clusters
	}
	if f.Full || f.Clusters != nil && len(*f.Clusters) > 0 {
		clear(s.inView)
	}
	for _, c := range f.Couriers {
		if err := s.see(c); err != nil {
			return err
		}
	}
	for _, id := range f.Gone {
		delete(s.inView, id)
	}
	for _, e := range f.Events {
		s.events = append(s.events, fmt.Sprint(e.DeliveryID, " ", e.Ver))
	}
	if f.Full {
		clear(s.alerts)
	}
	for _, a := range f.Alerts {
		about := a.DeliveryID
		if about == nil {
			about = a.CourierID
		}
		s.alerts[a.Kind+" "+*about] = true
		if a.Over {
			delete(s.alerts, a.Kind+" "+*about)
		}
	}
	s.stats = f.Stats
	return nil
}

// see takes a courier in. What is not said is as it was; who comes new is described.
func (s *screen) see(c sight) error {
	before, there := s.inView[c.ID]
	if !there && c.Name == nil {
		return fmt.Errorf("courier %s comes without a name", c.ID)
	}
	if there && time.Time(c.RecordedAt).Before(time.Time(before.RecordedAt)) {
		return fmt.Errorf("courier %s goes back in time", c.ID)
	}
	c.Name, c.Stops = cmp.Or(c.Name, before.Name), cmp.Or(c.Stops, before.Stops)
	s.inView[c.ID] = c
	return nil
}

// bbox is a window as a test knows it, judged by another rule than the code's own.
type bbox struct {
	West, South, East, North float64
	Zoom                     float64
	Only                     []tracking.ID
	Query                    string
}

func (w bbox) message() string {
	filter, _ := json.Marshal(map[string]any{"courier_ids": w.Only, "q": w.Query})
	return fmt.Sprintf(`{"type":"view","bbox":[%v,%v,%v,%v],"zoom":%v,"filter":%s}`, w.West, w.South, w.East, w.North, w.Zoom, filter)
}

func (w bbox) holds(c tracking.Courier, p tracking.Position) bool {
	if p.RecordedAt.IsZero() || w.Only != nil && !slices.Contains(w.Only, c.ID) || !strings.Contains(strings.ToLower(c.Name), w.Query) {
		return false
	}
	if p.Lat < w.South || p.Lat > w.North {
		return false
	}
	east := w.East
	if east < w.West {
		east += 360
	}
	for lon := p.Lon - 720; lon <= p.Lon+720; lon += 360 {
		if lon >= w.West && lon <= east {
			return true
		}
	}
	return false
}

// truth is what there is, by a test's own account.
type truth struct {
	couriers map[tracking.ID]tracking.Courier // on duty
	newest   map[tracking.ID]tracking.Position
	stops    map[tracking.ID]int
}

// differs says where a screen does not show what is in its window; "" when it does.
func (w truth) differs(s *screen, window bbox) string {
	want := map[tracking.ID]sight{}
	for id, c := range w.couriers {
		if p := w.newest[id]; window.holds(c, p) {
			stops := w.stops[id]
			want[id] = sight{ID: id, Lat: p.Lat, Lon: p.Lon, RecordedAt: frame.Time(p.RecordedAt), Name: &c.Name, Stops: &stops}
		}
	}
	if window.Zoom < clusterZoom && len(want) > clusterCrowd {
		if len(s.inView) > 0 {
			return fmt.Sprintf("%d couriers are shown among clusters", len(s.inView))
		}
		return w.clustersDiffer(s, window, want)
	}
	if len(s.clusters) > 0 {
		return fmt.Sprintf("%d clusters are shown among couriers", len(s.clusters))
	}
	if len(s.inView) != len(want) {
		return fmt.Sprintf("%d couriers are shown, not %d", len(s.inView), len(want))
	}
	for id, c := range want {
		got, there := s.inView[id]
		if !there || *got.Name != *c.Name || *got.Stops != *c.Stops || !time.Time(got.RecordedAt).Equal(time.Time(c.RecordedAt).Truncate(time.Millisecond)) ||
			math.Abs(got.Lat-c.Lat) > 1e-6 || math.Abs(got.Lon-c.Lon) > 1e-6 {
			return fmt.Sprintf("courier %s is shown as %+v, is %+v", id, got, c)
		}
	}
	return ""
}

// clustersDiffer counts every courier by cell: a cell has all that are in it, or of a window with a filter all that it holds.
func (w truth) clustersDiffer(s *screen, window bbox, inside map[tracking.ID]sight) string {
	zoom := math.Floor(window.Zoom)
	across := math.Exp2(zoom) * 4
	counts, needed := map[string]int{}, map[string]bool{}
	for id := range w.couriers {
		p := w.newest[id]
		if p.RecordedAt.IsZero() {
			continue
		}
		cell := fmt.Sprintf("%v/%v/%v", zoom, math.Floor(math.Mod(p.Lon+180, 360)/360*across), math.Floor((p.Lat+90)/360*across))
		_, in := inside[id]
		if in || window.Only == nil && window.Query == "" {
			counts[cell]++
		}
		if in {
			needed[cell] = true
		}
	}
	told := map[string]int{}
	for _, c := range s.clusters {
		told[c.ID] = c.Count
	}
	if len(told) != len(s.clusters) {
		return "a cluster is there twice"
	}
	for cell, count := range told {
		if counts[cell] != count {
			return fmt.Sprintf("cluster %s has %d couriers, not %d", cell, count, counts[cell])
		}
	}
	for cell := range needed {
		if told[cell] == 0 {
			return fmt.Sprintf("cluster %s is missing of %v", cell, slices.Sorted(maps.Keys(told)))
		}
	}
	return ""
}

func TestScreen_notices(t *testing.T) {
	t.Parallel()
	id, at := tracking.NewID(), time.Date(2026, 3, 4, 18, 0, 0, 0, time.UTC)
	there := truth{
		couriers: map[tracking.ID]tracking.Courier{id: {ID: id, Name: "Sam"}}, stops: map[tracking.ID]int{id: 2},
		newest: map[tracking.ID]tracking.Position{id: {Lat: 1, Lon: 2, RecordedAt: at}},
	}
	everything := bbox{-180, -90, 180, 90, 12, nil, ""}
	for _, c := range []struct{ frame, want string }{
		{`{"type":"frame","n":1,"full":true,"couriers":[{"id":%q,"lat":1,"lon":2,"recorded_at":"2026-03-04T18:00:00Z","name":"Sam","stops":2}]}`, ""},
		{`{"type":"frame","n":1,"full":true,"couriers":[{"id":%q,"lat":1,"lon":2,"recorded_at":"2026-03-04T17:00:00Z","name":"Sam","stops":2}]}`, "is shown as"},
		{`{"type":"frame","n":1,"full":true,"couriers":[{"id":%q,"lat":1,"lon":2,"recorded_at":"2026-03-04T18:00:00Z","name":"Sam","stops":1}]}`, "is shown as"},
		{`{"type":"frame","n":1,"full":true,"gone":[%q]}`, "0 couriers"},
	} {
		s := newScreen()
		if err := s.apply(fmt.Appendf(nil, c.frame, id)); err != nil {
			t.Fatal(err)
		}
		if got := there.differs(s, everything); got != c.want && (c.want == "" || !strings.Contains(got, c.want)) {
			t.Errorf("%s: %q", c.frame, got)
		}
	}
}
