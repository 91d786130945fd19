package gateway

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"pgregory.net/rapid"

	"hotfoot/tracking"
)

// tape is a pipe that keeps what it takes.
type tape struct{ frames []string }

func (p *tape) try(b []byte) int {
	p.frames = append(p.frames, string(b[slices.Index(b, '{'):]))
	return len(b)
}
func (p *tape) wake()               {}
func (p *tape) hurry(time.Duration) {}
func (p *tape) cut()                {}

// theatre is a topic under a clock of the test's own, with somebody who has watched it from the beginning.
type theatre struct {
	topic  *topic
	record tracking.Record
	now    time.Time
	tape   *tape
	viewer *viewer
	fixes  map[tracking.ID][]tracking.Position // by courier, as they were made
}

func newTheatre(t testing.TB, r tracking.Record) *theatre {
	th := &theatre{record: r, now: time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC), fixes: map[tracking.ID][]tracking.Position{}}
	h := NewHub(newLine(), newShelf(), Config{}, NewMetrics(prometheus.NewRegistry()), func() time.Time { return th.now }, slog.New(slog.DiscardHandler))
	th.topic = &topic{hub: h, courierID: r.Courier.ID, delivery: h.feed.Delivery(r.Delivery.ID, nil, nil)}
	th.topic.keep(r)
	th.topic.hold()
	th.topic.settled.Store(1)
	th.viewer, th.tape = th.enters(t, tracking.Seen{})
	return th
}

// enters lets somebody in, and answers what they are told.
func (th *theatre) enters(t testing.TB, seen tracking.Seen) (*viewer, *tape) {
	p := &tape{}
	v := &viewer{outbox: &outbox{pipe: p}}
	if err := (&visit{topic: th.topic, record: th.topic.record, seen: seen, look: 1}).enter(t.Context(), v); err != nil {
		t.Fatal(err)
	}
	return v, p
}

// change announces the record as it was made.
func (th *theatre) change(how func(*tracking.Record)) {
	how(&th.record)
	th.record.Delivery.Rev++
	th.topic.changed(th.record)
}

// move has the courier be somewhere: heard of if the node listens, and else read as for an arrival.
func (th *theatre) move(lat, lon float64) tracking.Position {
	courier := th.record.Courier.ID
	p := tracking.Position{
		RecordedAt: th.now, Lat: lat, Lon: lon, HeadingDeg: tracking.Read(45), SpeedMPS: tracking.Read(5), AccuracyM: tracking.Read(6), Pace: tracking.Read(5),
	}
	th.fixes[courier] = append(th.fixes[courier], p)
	if th.topic.courierID == courier {
		th.topic.moves(p)
		return p
	}
	th.topic.mu.Lock()
	defer th.topic.mu.Unlock()
	if d := &th.topic.record.Delivery; d.CourierID == courier && d.Status.Underway() && th.topic.record.Courier.OnDuty {
		if th.topic.place(p) {
			th.topic.show()
		}
	}
	return p
}

func (th *theatre) pass(d time.Duration) {
	for ; d > 0; d -= time.Second { // a topic ticks once a second
		th.now = th.now.Add(time.Second)
		th.topic.tick(th.now)
	}
}

// glimpse is what a frame says of where the courier is and when they come.
type glimpse struct {
	Type     string
	Visible  *bool
	Position map[string]any
	ETA      *struct{ At time.Time }
}

func readGlimpse(t interface{ Fatal(...any) }, text string) glimpse {
	var f glimpse
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		t.Fatal(err, text)
	}
	if f.Type == "position" {
		if err := json.Unmarshal([]byte(text), &f.Position); err != nil {
			t.Fatal(err, text)
		}
	}
	return f
}

// breach says what is wrong with a frame that was sent now, by the words of the promise; "" for nothing.
func (th *theatre) breach(f glimpse) string {
	r := &th.record
	d, m := &r.Delivery, &r.Merchant
	underway := (d.Status == "en_route" || d.Status == "arriving") && r.Courier.OnDuty
	may := underway && d.StopsBefore <= m.VisibleStops && (m.VisibleFrom == "en_route" || d.Status == "arriving")
	mine := th.fixes[r.Courier.ID]
	hidden := func(p tracking.Position) bool {
		return slices.ContainsFunc(r.Courier.HiddenZones, func(z tracking.Zone) bool { return tracking.DistanceM(z.Lat, z.Lon, p.Lat, p.Lon) < z.RadiusM-0.01 })
	}
	switch {
	case f.Visible != nil && *f.Visible != may:
		return fmt.Sprintf("visible is %v", *f.Visible)
	case f.ETA != nil && !underway:
		return "an arrival of nobody"
	case f.ETA != nil && m.Delay == 0 && len(mine) > 0 && hidden(mine[len(mine)-1]):
		return "an arrival from within a hidden zone"
	case f.Position == nil:
		return ""
	case !may:
		return "a position"
	}
	i := slices.IndexFunc(mine, func(p tracking.Position) bool {
		return p.RecordedAt.Format("2006-01-02T15:04:05.000Z") == f.Position["recorded_at"]
	})
	if i < 0 {
		return "a position of somebody else"
	}
	p := mine[i]
	lat, lon := f.Position["lat"].(float64), f.Position["lon"].(float64)
	width := float64(m.RoundingM)
	switch away := tracking.DistanceM(lat, lon, p.Lat, p.Lon); {
	case th.now.Sub(p.RecordedAt) < m.Delay:
		return fmt.Sprintf("a position that is %v old", th.now.Sub(p.RecordedAt))
	case hidden(p):
		return "a position in a hidden zone"
	case d.StopsBefore == 0 || width == 0:
		if away > 0.2 || f.Position["heading_deg"] == nil {
			return "another place than that of the fix"
		}
	case f.Position["rounded_m"] != width || f.Position["heading_deg"] != nil || f.Position["speed_mps"] != nil || f.Position["accuracy_m"] != nil:
		return "a place that was not rounded"
	case math.Abs(math.Mod(lat/(width/111_195.08), 1)-0.5) > 0.05 || away > width*0.72:
		return "a place that is not the middle of a cell"
	}
	return ""
}

// goesForward holds the marker to never going back, hidden in between or not.
func (th *theatre) goesForward(t *rapid.T) {
	newest := ""
	for _, text := range th.tape.frames {
		f := readGlimpse(t, text)
		if f.Position == nil {
			continue
		}
		at := f.Position["recorded_at"].(string)
		if at < newest {
			t.Fatalf("the marker goes back from %v to %v", newest, at)
		}
		newest = at
	}
}

// Whatever happens in whatever order, nobody who watches, comes or comes back is sent more than they may know at that moment.
func TestTopic_sight(t *testing.T) {
	t.Parallel()
	couriers := []tracking.Courier{
		{ID: tracking.NewID(), Name: "Sam", Vehicle: tracking.Bike, OnDuty: true}, {ID: tracking.NewID(), Name: "Max", Vehicle: tracking.Van, OnDuty: true},
	}
	tried, positions := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		th := newTheatre(t, onTheWay(couriers[0]))
		defer th.topic.hub.Close()
		judge := func(what string, frames []string) {
			for _, text := range frames {
				f := readGlimpse(rt, text)
				tried++
				if f.Position != nil {
					positions++
				}
				if wrong := th.breach(f); wrong != "" {
					rt.Fatalf("after %s: %s\nof %+v\nat %v, %+v\nfixes %+v", what, wrong, f, th.now, th.record, th.fixes)
				}
			}
		}
		judged := len(th.tape.frames)
		for range rapid.IntRange(1, 60).Draw(rt, "steps") {
			what := rapid.SampledFrom([]string{
				"move", "move", "move", "time", "time", "status", "stops", "duty", "courier", "settings", "zones", "who comes", "who comes back",
			}).Draw(rt, "what")
			switch what {
			case "move":
				th.now = th.now.Add(time.Duration(rapid.IntRange(1, 3000).Draw(rt, "ms")) * time.Millisecond)
				th.move(37.78+rapid.Float64Range(-0.02, 0.02).Draw(rt, "lat"), -122.41+rapid.Float64Range(-0.02, 0.02).Draw(rt, "lon"))
			case "time":
				th.pass(time.Duration(rapid.IntRange(1, 90).Draw(rt, "s")) * time.Second)
			case "status":
				th.change(func(r *tracking.Record) {
					r.Delivery.Status = rapid.SampledFrom([]tracking.Status{tracking.PickedUp, tracking.EnRoute, tracking.EnRoute, tracking.Arriving, tracking.Failed}).Draw(rt, "status")
					r.Delivery.Ver++
					r.Events = []tracking.Event{{Ver: r.Delivery.Ver, Status: r.Delivery.Status, At: th.now}}
				})
			case "stops":
				th.change(func(r *tracking.Record) { r.Delivery.StopsBefore = rapid.IntRange(0, 3).Draw(rt, "stops") })
			case "duty":
				th.change(func(r *tracking.Record) { r.Courier.OnDuty = rapid.IntRange(0, 2).Draw(rt, "duty") > 0 })
			case "courier":
				th.change(func(r *tracking.Record) {
					r.Courier = rapid.SampledFrom(couriers).Draw(rt, "courier")
					r.Delivery.CourierID = r.Courier.ID
				})
			case "settings":
				th.change(func(r *tracking.Record) {
					r.Merchant.VisibleStops = rapid.IntRange(0, 3).Draw(rt, "visible stops")
					r.Merchant.VisibleFrom = rapid.SampledFrom([]tracking.Status{tracking.EnRoute, tracking.EnRoute, tracking.Arriving}).Draw(rt, "from")
					r.Merchant.RoundingM = rapid.SampledFrom([]int{0, 50, 400}).Draw(rt, "rounding")
					r.Merchant.Delay = time.Duration(rapid.SampledFrom([]int{0, 0, 5, 60, 300}).Draw(rt, "delay")) * time.Second
				})
			case "zones":
				th.change(func(r *tracking.Record) {
					r.Courier.HiddenZones = nil
					for range rapid.IntRange(0, 2).Draw(rt, "zones") {
						r.Courier.HiddenZones = append(r.Courier.HiddenZones, tracking.Zone{
							Lat: 37.78 + rapid.Float64Range(-0.02, 0.02).Draw(rt, "zone lat"), Lon: -122.41, RadiusM: rapid.Float64Range(50, 2000).Draw(rt, "radius"),
						})
					}
				})
			case "who comes", "who comes back":
				seen := tracking.Seen{}
				if what == "who comes back" {
					seen = tracking.Seen{Epoch: 1, Ver: rapid.Int64Range(1, th.record.Delivery.Ver).Draw(rt, "seen")}
				}
				v, p := th.enters(t, seen)
				th.topic.exit(v)
				judge(what, p.frames)
			}
			judge(what, th.tape.frames[judged:])
			judged = len(th.tape.frames)
		}
		if len(th.fixes) == 1 { // else it is another courier's
			th.goesForward(rt)
		}
	})
	if positions < tried/50 {
		t.Errorf("%d of %d frames had a position: nothing was tried", positions, tried)
	}
}

// onTheWay is a delivery that a courier is on the way to.
func onTheWay(c tracking.Courier) tracking.Record {
	r := shown()
	r.Courier, r.Delivery.CourierID = c, c.ID
	r.Merchant = tracking.Merchant{VisibleStops: 2, VisibleFrom: tracking.EnRoute}
	r.Delivery.Dropoff = tracking.Place{Lat: 37.7893, Lon: -122.4010}
	return r
}
