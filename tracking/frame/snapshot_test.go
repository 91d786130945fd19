package frame

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hotfoot/tracking"
)

type merchant struct {
	Name string `json:"name"`
}

// snapshot is the form of a snapshot, for encoding/json.
type snapshot struct {
	Type        string          `json:"type"`
	Epoch       int64           `json:"epoch"`
	Ver         int64           `json:"ver"`
	Status      string          `json:"status"`
	ETA         *ETA            `json:"eta"`
	StopsBefore *int            `json:"stops_before"`
	Position    json.RawMessage `json:"position"`
	Visible     bool            `json:"visible"`
	Why         *string         `json:"why"`
	Events      []Event         `json:"events"`
	Dropoff     Place           `json:"dropoff"`
	Pickup      Place           `json:"pickup"`
	Courier     *Courier        `json:"courier"`
	Merchant    merchant        `json:"merchant"`
	Window      *Window         `json:"window"`
	Live        bool            `json:"live"`
	StaleSince  Time            `json:"stale_since,omitzero"`
	ServerTime  Time            `json:"server_time"`
}

func marshalled(v tracking.View, since int64, live bool, now time.Time) []byte {
	r := v.Record
	s := snapshot{
		Type: "snapshot", Epoch: r.Epoch, Ver: r.Delivery.Ver, Status: string(r.Delivery.Status), ETA: etaOf(v.ETA),
		StopsBefore: stopsBefore(&r.Delivery), Position: positionOf(v.Position), Visible: v.Why == tracking.Shown, Why: whyOf(v.Why),
		Events: []Event{}, Dropoff: Place(r.Delivery.Dropoff), Pickup: Place(r.Delivery.Pickup), Courier: courierOf(r),
		Merchant: merchant{Name: r.Merchant.Name}, Window: windowOf(r.Delivery.Window), Live: live,
		StaleSince: Time(v.StaleSince), ServerTime: Time(now),
	}
	for _, e := range r.EventsAfter(since) {
		s.Events = append(s.Events, Event{Ver: e.Ver, Status: string(e.Status), At: Time(e.At), Reason: e.Reason, Proof: proofOf(e.Proof)})
	}
	return must(s)
}

var (
	texts = rapid.OneOf(rapid.String(), rapid.StringMatching(`[ -~]{0,20}`), rapid.SampledFrom([]string{
		"", "plain", `a "quote" \ and`, "<b>&amp;</b>", "line\nfeed\t\x00\x7f", "Åsa", "\u2028\u2029", "half of a letter: \xc3", "☕",
	}))
	moments = rapid.Custom(func(t *rapid.T) time.Time {
		if rapid.Bool().Draw(t, "zero") {
			return time.Time{}
		}
		return time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, "ms"))
	})
	places = rapid.Custom(func(t *rapid.T) tracking.Place {
		return tracking.Place{
			Lat:  rapid.OneOf(rapid.Float64Range(-90, 90), rapid.SampledFrom([]float64{0, 1e-7, -3e-9, 5e-324, 37.5})).Draw(t, "lat"),
			Lon:  rapid.Float64Range(-180, 180).Draw(t, "lon"),
			Name: texts.Draw(t, "name"), Address: texts.Draw(t, "address"),
		}
	})
	events = rapid.Custom(func(t *rapid.T) tracking.Event {
		return tracking.Event{
			Ver: rapid.Int64Range(1, 1e9).Draw(t, "ver"), Status: rapid.SampledFrom(tracking.Statuses).Draw(t, "status"), At: moments.Draw(t, "at"), Reason: texts.Draw(t, "reason"),
			Proof: tracking.Proof{LeftAt: texts.Draw(t, "left at"), Name: texts.Draw(t, "proof's name")},
		}
	})
)

// What is written by hand is byte for byte what encoding/json writes of the form above.
func TestSnapshot_asMarshalled(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := tracking.Record{
			Epoch: rapid.Int64().Draw(t, "epoch"), Merchant: tracking.Merchant{Name: texts.Draw(t, "merchant")},
			Delivery: tracking.Delivery{
				Ver: rapid.Int64().Draw(t, "ver"), Status: rapid.SampledFrom(tracking.Statuses).Draw(t, "status"), StopsBefore: rapid.IntRange(0, 9).Draw(t, "stops"),
				Pickup: places.Draw(t, "pickup"), Dropoff: places.Draw(t, "dropoff"), Window: tracking.Window{From: moments.Draw(t, "from"), To: moments.Draw(t, "to")},
			},
			Events: rapid.SliceOfN(events, 0, 4).Draw(t, "events"),
		}
		if rapid.Bool().Draw(t, "has a courier") {
			r.Courier = tracking.Courier{ID: tracking.NewID(), Name: texts.Draw(t, "courier"), Vehicle: rapid.SampledFrom(tracking.Vehicles).Draw(t, "vehicle")}
		}
		v := tracking.View{
			Record: &r, Why: rapid.SampledFrom([]tracking.Why{tracking.Shown, tracking.WhyNotYet, tracking.WhyOff}).Draw(t, "why"), StaleSince: moments.Draw(t, "stale since"),
		}
		if rapid.Bool().Draw(t, "is expected") {
			v.ETA = &tracking.ETA{At: moments.Draw(t, "at"), Low: moments.Draw(t, "low"), High: moments.Draw(t, "high")}
		}
		if rapid.Bool().Draw(t, "is seen") {
			v.Position = &tracking.Position{RecordedAt: time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, "recorded at")), Lat: 37.5, Lon: -122.25, SpeedMPS: tracking.Read(3)}
		}
		since, live, now := rapid.Int64Range(0, 9).Draw(t, "since"), rapid.Bool().Draw(t, "live"), moments.Draw(t, "now")
		if got, want := string(Snapshot(v, since, live, now)), string(marshalled(v, since, live, now)); got != want {
			t.Fatalf("got  %s\nwant %s", got, want)
		}
		var written strings.Builder
		if err := WriteSnapshot(&written, v, live, now); err != nil || written.String() != string(marshalled(v, 0, live, now)) {
			t.Fatalf("%v, got  %s\nwant %s", err, written.String(), marshalled(v, 0, live, now))
		}
	})
}

// A writer that failed may still read what it was given, as that of an HTTP/2 stream does: nothing else may be written there.
func TestWriteSnapshot_after_a_failure(t *testing.T) {
	t.Parallel()
	show := func(w io.Writer, merchant string) error {
		return WriteSnapshot(w, tracking.View{Record: &tracking.Record{Merchant: tracking.Merchant{Name: merchant}}}, true, time.UnixMilli(0))
	}
	var whole strings.Builder
	if err := show(&whole, "Corner Bakery"); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		var broken holder
		if err := show(&broken, "Corner Bakery"); !errors.Is(err, io.ErrClosedPipe) {
			t.Fatalf("a broken writer ends with %v", err)
		}
		if err := show(io.Discard, "Another Place"); err != nil {
			t.Fatal(err)
		}
		if string(broken.held) != whole.String() {
			t.Fatalf("what it holds has become %s", broken.held)
		}
	}
}

// holder fails, and still holds what it was to write.
type holder struct{ held []byte }

func (h *holder) Write(b []byte) (int, error) {
	h.held = b
	return 0, io.ErrClosedPipe
}

func BenchmarkSnapshot(b *testing.B) {
	now := time.Date(2026, 3, 4, 18, 10, 0, 0, time.UTC)
	r := tracking.Record{
		Epoch: 1, Merchant: tracking.Merchant{Name: "Corner Bakery"}, Courier: tracking.Courier{ID: tracking.NewID(), Name: "Sam", Vehicle: tracking.Bike},
		Delivery: tracking.Delivery{
			Ver: 4, Status: tracking.EnRoute, StopsBefore: 1, Pickup: tracking.Place{Lat: 37.7765, Lon: -122.4172, Name: "Corner Bakery"},
			Dropoff: tracking.Place{Lat: 37.78921, Lon: -122.40101, Address: "1 Main Street", Name: "Noor"}, Window: tracking.Window{From: now, To: now},
		},
	}
	for i, status := range []tracking.Status{tracking.Created, tracking.Assigned, tracking.PickedUp, tracking.EnRoute} {
		r.Events = append(r.Events, tracking.Event{Ver: int64(i + 1), Status: status, At: now})
	}
	v := tracking.View{Record: &r, ETA: &tracking.ETA{At: now, Low: now, High: now}, Position: &tracking.Position{RecordedAt: now, Lat: 37.78, Lon: -122.41}}
	written := func(v tracking.View, _ int64, live bool, now time.Time) []byte {
		_ = WriteSnapshot(io.Discard, v, live, now)
		return nil
	}
	for name, write := range map[string]func(tracking.View, int64, bool, time.Time) []byte{"by hand": Snapshot, "written": written, "marshalled": marshalled} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				write(v, 0, true, now)
			}
		})
	}
}
