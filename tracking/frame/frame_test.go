package frame_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"hotfoot/tracking"
	"hotfoot/tracking/frame"
)

// goldens are frames that the pages' tests decode, too: what they hold is what both sides agree on.
const goldens = "../../web/test/frames"

func at(t *testing.T, text string) time.Time {
	t.Helper()
	parsed, err := time.Parse(time.RFC3339Nano, "2026-03-04T"+text+"Z")
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// record is the delivery that all goldens are about.
func record(t *testing.T) tracking.Record {
	t.Helper()
	courier := tracking.Courier{ID: tracking.NewID(), Name: "Sam", Vehicle: tracking.Bike, OnDuty: true, Phone: "+1 415 555 0199"}
	return tracking.Record{
		Epoch: 1, Merchant: tracking.Merchant{ID: tracking.NewID(), Name: "Corner Bakery", VisibleStops: 2}, Courier: courier,
		Delivery: tracking.Delivery{
			ID: tracking.NewID(), Status: tracking.EnRoute, Ver: 4, Rev: 9, CourierID: courier.ID, StopsBefore: 1, Note: "a note", ExternalID: "order-1042",
			Pickup:    tracking.Place{Lat: 37.7765, Lon: -122.4172, Name: "Corner Bakery"},
			Dropoff:   tracking.Place{Lat: 37.78921, Lon: -122.40101, Address: "1 Main Street", Name: "Noor"},
			Recipient: tracking.Recipient{Name: "Noor Haddad", Phone: "+1 415 555 0100"},
			Window:    tracking.Window{From: at(t, "18:10:00"), To: at(t, "18:40:00")},
		},
		Events: []tracking.Event{
			{Ver: 1, Status: tracking.Created, At: at(t, "17:31:00"), Actor: tracking.Actor{Role: tracking.RoleMerchant, KeyID: tracking.NewID()}},
			{Ver: 2, Status: tracking.Assigned, At: at(t, "17:34:12"), CourierID: courier.ID},
			{Ver: 3, Status: tracking.PickedUp, At: at(t, "17:58:40.25"), ClientID: "client", DeviceAt: at(t, "17:58:39")},
			{Ver: 4, Status: tracking.EnRoute, At: at(t, "18:01:02")},
		},
	}
}

func eta(t *testing.T, best, low, high string) *tracking.ETA {
	return &tracking.ETA{At: at(t, best), Low: at(t, low), High: at(t, high)}
}

func TestFrames_golden(t *testing.T) {
	t.Parallel()
	shown := record(t)
	hidden := record(t)
	hidden.Courier, hidden.Events, hidden.Merchant.Name = tracking.Courier{}, hidden.Events[:1], "Corner Bakery"
	hidden.Delivery = tracking.Delivery{
		Status: tracking.Created, Ver: 1, Pickup: tracking.Place{Lat: 37.7765, Lon: -122.4172}, Dropoff: tracking.Place{Lat: 37.78921, Lon: -122.40101},
	}
	far := record(t)
	far.Delivery.Ver, far.Delivery.StopsBefore = 3, 3
	moving := tracking.Position{
		Lat: 37.78502, Lon: -122.40784, HeadingDeg: tracking.Read(44.5), SpeedMPS: tracking.Read(5.9), AccuracyM: tracking.Read(6), RecordedAt: at(t, "18:15:35"),
	}
	for name, got := range map[string][]byte{
		"snapshot.json": frame.Snapshot(tracking.View{
			Record: &shown, ETA: eta(t, "18:17:30", "18:16:00", "18:19:00"),
			Position: &tracking.Position{
				Lat: 37.78412, Lon: -122.40903, AccuracyM: tracking.Read(8), SpeedMPS: tracking.Read(5.4), HeadingDeg: tracking.Read(42), RecordedAt: at(t, "18:10:00.5"),
			},
		}, 0, true, at(t, "18:10:02")),
		"snapshot-hidden.json": frame.Snapshot(tracking.View{Record: &hidden, Why: tracking.WhyNotYet}, 0, true, at(t, "17:31:01")),
		"status.json":          frame.Status(1, tracking.Event{Ver: 5, Status: tracking.Arriving, At: at(t, "18:15:31"), ClientID: "client"}),
		"status-delivered.json": frame.Status(1, tracking.Event{
			Ver: 6, Status: tracking.Delivered, At: at(t, "18:18:04"), Proof: tracking.Proof{LeftAt: "front desk", Name: "N. Haddad"}, Where: &moving,
		}),
		"status-failed.json": frame.Status(1, tracking.Event{Ver: 6, Status: tracking.Failed, At: at(t, "18:18:04"), Reason: "nobody answered the door"}),
		"view.json":          frame.Changed(tracking.View{Record: &far, Why: tracking.WhyNotYet, ETA: eta(t, "18:31:00", "18:26:00", "18:36:00")}),
		"position.json":      frame.AppendPosition(nil, moving, 5, eta(t, "18:17:30", "18:16:00", "18:19:00")),
		"position-rounded.json": frame.AppendPosition(nil, tracking.Position{
			Lat: 37.785157, Lon: -122.406838, RoundedM: tracking.Read(300), RecordedAt: at(t, "18:15:35"),
		}, 5, eta(t, "18:20:30", "18:17:00", "18:24:00")),
		"tick.json": frame.AppendTick(nil, 5, true, at(t, "18:15:40")),
		"bye.json":  frame.Bye("restarting", 1234*time.Millisecond),
	} {
		golden, err := os.ReadFile(filepath.Join(goldens, name))
		if err != nil {
			t.Fatal(err)
		}
		if g, w := decode(t, got), decode(t, golden); !reflect.DeepEqual(g, w) {
			t.Errorf("%s:\ngot  %v\nwant %v", name, g, w)
		}
	}
}

func decode(t *testing.T, b []byte) (o map[string]any) {
	t.Helper()
	if err := json.Unmarshal(b, &o); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	return o
}

func TestSnapshot_since(t *testing.T) {
	t.Parallel()
	r := record(t)
	v := tracking.View{Record: &r}
	for since, want := range map[int64]int{0: 4, 1: 3, 3: 1, 4: 0, 9: 0} {
		got, ok := decode(t, frame.Snapshot(v, since, true, time.Now()))["events"].([]any)
		if !ok || len(got) != want {
			t.Errorf("since %d: %v, want %d in a list", since, got, want)
		}
	}
}

func TestSnapshot_stale(t *testing.T) {
	t.Parallel()
	r := record(t)
	v := tracking.View{Record: &r}
	if since, there := decode(t, frame.Snapshot(v, 0, true, time.Now()))["stale_since"]; there {
		t.Errorf("stale since %v while the truth can be read", since)
	}
	v.StaleSince = at(t, "18:20:00.25")
	if since := decode(t, frame.Snapshot(v, 0, true, time.Now()))["stale_since"]; since != "2026-03-04T18:20:00.250Z" {
		t.Errorf("stale since %v", since)
	}
}

func TestTick_without_ver(t *testing.T) {
	t.Parallel()
	if ver, there := decode(t, frame.AppendTick(nil, 0, true, time.Now()))["sv"]; there {
		t.Errorf("a live map is told ver %v", ver)
	}
}

// A customer is told nothing that they need not know.
func TestFrames_tellNothingElse(t *testing.T) {
	t.Parallel()
	r := record(t)
	r.Events[3].Reason = "a reason"
	v := tracking.View{Record: &r, Why: tracking.WhyNotYet}
	for _, b := range [][]byte{frame.Snapshot(v, 0, true, time.Now()), frame.Changed(v), frame.Status(1, r.Events[2])} {
		for _, secret := range []string{
			r.Courier.ID.String(), r.Courier.Phone, r.Delivery.ID.String(), r.Merchant.ID.String(), r.Delivery.Recipient.Name, r.Delivery.Recipient.Phone,
			"a note", "order-1042", "client", "actor", r.Events[0].Actor.KeyID.String(),
		} {
			if strings.Contains(string(b), secret) {
				t.Errorf("told %q: %s", secret, b)
			}
		}
	}
}

func TestFrames_nulls(t *testing.T) {
	t.Parallel()
	r := record(t)
	r.Delivery.Status, r.Delivery.Window.From = tracking.Failed, time.Time{}
	got := decode(t, frame.Changed(tracking.View{Record: &r, Why: tracking.WhyOff}))
	for _, name := range []string{"eta", "position", "stops_before"} {
		if v, there := got[name]; !there || v != nil {
			t.Errorf("%s is %v, want null", name, v)
		}
	}
	if got["why"] != "off" || got["visible"] != false {
		t.Errorf("why %v, visible %v", got["why"], got["visible"])
	}
	if w := got["window"].(map[string]any); w["from"] != nil || w["to"] != "2026-03-04T18:40:00.000Z" {
		t.Errorf("a window with one end: %v", w)
	}
	if b := frame.Bye("finished", 0); strings.Contains(string(b), "retry") {
		t.Errorf("nobody should come back: %s", b)
	}
}

func TestTime(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("", 5*3600)
	for want, in := range map[string]time.Time{
		`null`: {}, `"2026-03-04T18:10:00.000Z"`: at(t, "18:10:00"), `"2026-03-04T18:10:00.999Z"`: at(t, "18:10:00.9999").In(zone),
	} {
		b, err := json.Marshal(frame.Time(in))
		if err != nil || string(b) != want {
			t.Errorf("%s: %s, %v, want %s", in, b, err, want)
		}
	}
	var parsed frame.Time
	if err := parsed.UnmarshalText([]byte("2026-03-04T23:10:00.25+05:00")); err != nil || !time.Time(parsed).Equal(at(t, "18:10:00.25")) {
		t.Errorf("got %v, %v", time.Time(parsed), err)
	}
	if err := parsed.UnmarshalText([]byte("soon")); err == nil {
		t.Error("soon is a time")
	}
}
