package wire_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hotfoot/tracking"
	"hotfoot/tracking/wire"
)

// Texts of a record have passed the domain's validation.
var texts = rapid.StringN(0, 20, -1)

var places = rapid.Custom(func(t *rapid.T) tracking.Place {
	return tracking.Place{
		Lat: rapid.Float64Range(-90, 90).Draw(t, "lat"), Lon: rapid.Float64Range(-180, 180).Draw(t, "lon"), Address: texts.Draw(t, "address"), Name: texts.Draw(t, "name"),
	}
})

// moments are times of today, or none.
var moments = rapid.Custom(func(t *rapid.T) time.Time {
	if rapid.Bool().Draw(t, "none") {
		return time.Time{}
	}
	return time.UnixMilli(rapid.Int64Range(1, 4e12).Draw(t, "ms")).UTC()
})

var records = rapid.Custom(func(t *rapid.T) tracking.Record {
	merchant := tracking.Merchant{
		ID: ids.Draw(t, "merchant"), Name: texts.Draw(t, "merchant name"), VisibleStops: rapid.IntRange(0, 50).Draw(t, "visible"),
		VisibleFrom: rapid.SampledFrom([]tracking.Status{"", tracking.EnRoute, tracking.Arriving}).Draw(t, "from"), RoundingM: rapid.IntRange(0, 5000).Draw(t, "rounding"),
		Delay: time.Duration(rapid.IntRange(0, 300).Draw(t, "delay")) * time.Second,
	}
	r := tracking.Record{
		Epoch: rapid.Int64Range(1, 1e6).Draw(t, "epoch"), Merchant: merchant,
		Delivery: tracking.Delivery{
			ID: ids.Draw(t, "id"), MerchantID: merchant.ID, ExternalID: texts.Draw(t, "external"), Status: rapid.SampledFrom(tracking.Statuses).Draw(t, "status"),
			Ver: rapid.Int64Range(1, 1e9).Draw(t, "ver"), Rev: rapid.Int64Range(1, 1e9).Draw(t, "rev"), RouteOrder: rapid.Int64Range(0, 1e9).Draw(t, "order"),
			StopsBefore: rapid.IntRange(0, 99).Draw(t, "before"), Pickup: places.Draw(t, "pickup"), Dropoff: places.Draw(t, "dropoff"),
			Recipient: tracking.Recipient{Name: texts.Draw(t, "recipient"), Phone: texts.Draw(t, "phone")},
			Window:    tracking.Window{From: moments.Draw(t, "from"), To: moments.Draw(t, "to")}, Note: texts.Draw(t, "note"),
			LinkGen: rapid.Uint8().Draw(t, "link"), CreatedAt: moments.Draw(t, "created"), UpdatedAt: moments.Draw(t, "updated"), FinishedAt: moments.Draw(t, "finished"),
		},
		Events: make([]tracking.Event, rapid.IntRange(0, 4).Draw(t, "events")),
	}
	if rapid.Bool().Draw(t, "assigned") {
		r.Courier = tracking.Courier{
			ID: ids.Draw(t, "courier"), MerchantID: merchant.ID, Name: texts.Draw(t, "courier name"), Vehicle: rapid.SampledFrom(tracking.Vehicles).Draw(t, "vehicle"),
			OnDuty: rapid.Bool().Draw(t, "duty"),
		}
		for range rapid.IntRange(0, 5).Draw(t, "zones") {
			r.Courier.HiddenZones = append(r.Courier.HiddenZones, tracking.Zone{
				Lat: rapid.Float64Range(-90, 90).Draw(t, "zone lat"), Lon: rapid.Float64Range(-180, 180).Draw(t, "zone lon"), RadiusM: rapid.Float64Range(50, 2000).Draw(t, "radius"),
			})
		}
		r.Delivery.CourierID = r.Courier.ID
	}
	for i := range r.Events {
		r.Events[i] = tracking.Event{
			Ver: int64(i + 1), Status: rapid.SampledFrom(tracking.Statuses).Draw(t, "event status"), At: moments.Draw(t, "at"), DeviceAt: moments.Draw(t, "device at"),
			Actor: tracking.Actor{Role: tracking.RoleCourier}, CourierID: r.Courier.ID, Reason: texts.Draw(t, "reason"),
			Proof: tracking.Proof{LeftAt: texts.Draw(t, "left at"), Name: texts.Draw(t, "proof")},
		}
	}
	return r
})

func TestRecord_roundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := records.Draw(t, "record")
		b, err := wire.MarshalRecord(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := wire.Record(b)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("got  %+v, %v\nwant %+v", got, err, want)
		}
	})
}

// Who exactly acted, where, and what their phone called it are Postgres's alone.
func TestMarshalRecord_leavesOut(t *testing.T) {
	t.Parallel()
	r := tracking.Record{Delivery: tracking.Delivery{ID: tracking.NewID(), Status: tracking.Created, Ver: 1, Rev: 1}, Events: []tracking.Event{{
		Ver: 1, Status: tracking.Created, ClientID: "client-event", Hash: [32]byte{1}, Actor: tracking.Actor{KeyID: tracking.NewID()}, Where: &tracking.Position{Lat: 12.5},
	}}}
	b, err := wire.MarshalRecord(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"client-event", r.Events[0].Actor.KeyID.String(), "12.5"} {
		if strings.Contains(string(b), secret) {
			t.Errorf("%s travels: %s", secret, b)
		}
	}
}

func TestRecord_refuses(t *testing.T) {
	t.Parallel()
	good, err := wire.MarshalRecord(tracking.Record{Delivery: tracking.Delivery{ID: tracking.NewID(), Status: tracking.Created, Ver: 1, Rev: 1}})
	if err != nil {
		t.Fatal(err)
	}
	for what, changes := range map[string]map[string]any{
		"another version": {"v": 2}, "no version": {"v": nil}, "a status of tomorrow": {"status": "teleported"}, "no status": {"status": nil}, "ver 0": {"ver": 0}, "rev 0": {"rev": 0},
		"no id": {"id": nil}, "an id that is none": {"id": "7"}, "a link generation of 256": {"link": 256}, "a ver that is text": {"ver": "1"},
		"a visibility of tomorrow": {"merchant": map[string]any{"from": "picked_up"}}, "a rounding of tomorrow": {"merchant": map[string]any{"round": 10_000}},
		"a delay of tomorrow": {"merchant": map[string]any{"delay": 3600}},
	} {
		if r, err := wire.Record(changed(t, good, changes)); err == nil {
			t.Errorf("%s is read as %+v", what, r)
		}
	}
	if _, err := wire.Record(changed(t, good, map[string]any{"from_a_newer_release": 1})); err != nil {
		t.Errorf("a field of a newer release: %v", err)
	}
	for n := range good {
		if _, err := wire.Record(good[:n]); err == nil {
			t.Errorf("%d of %d bytes are read", n, len(good))
		}
	}
}

// changed sets fields of a JSON object, or removes those set to nil.
func changed(t *testing.T, b []byte, changes map[string]any) []byte {
	t.Helper()
	var o map[string]any
	if err := json.Unmarshal(b, &o); err != nil {
		t.Fatal(err)
	}
	for k, v := range changes {
		if o[k] = v; v == nil {
			delete(o, k)
		}
	}
	b, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestParseFleet(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		courier, position, record := ids.Draw(t, "courier"), positions.Draw(t, "position"), records.Draw(t, "record")
		f, err := wire.ParseFleet(append(wire.AppendFleetPositionPrefix(nil, courier), wire.AppendPosition(nil, position)...))
		if err != nil || f.CourierID != courier || f.Position == nil || *f.Position != position || f.Record != nil || f.Courier != nil {
			t.Fatalf("a position: %+v, %v", f, err)
		}
		b, err := wire.MarshalRecord(record)
		if err != nil {
			t.Fatal(err)
		}
		if f, err = wire.ParseFleet(wire.FleetRecord(b)); err != nil || f.Record == nil || !reflect.DeepEqual(*f.Record, record) || f.Position != nil {
			t.Fatalf("a record: %+v, %v", f, err)
		}
		want := tracking.Courier{ID: courier, Name: texts.Draw(t, "name"), Vehicle: tracking.Bike, OnDuty: rapid.Bool().Draw(t, "duty"), Rev: rapid.Int64Range(1, 1e9).Draw(t, "rev")}
		if b, err = wire.FleetCourier(want); err != nil {
			t.Fatal(err)
		}
		if f, err = wire.ParseFleet(b); err != nil || f.Courier == nil || !reflect.DeepEqual(*f.Courier, want) {
			t.Fatalf("a courier: %+v, %v", f, err)
		}
	})
	courier, err := wire.FleetCourier(tracking.Courier{ID: tracking.NewID(), Name: "Sam"})
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range []string{"", "p", "pshort", "p0123456789abcdef", "r", "r{}", "c", "c{}", `c{"v":1}`, "x{}", "{}", strings.Replace(string(courier), `"v":1`, `"v":2`, 1)} {
		if f, err := wire.ParseFleet([]byte(b)); err == nil {
			t.Errorf("%q is read as %+v", b, f)
		}
	}
}

func FuzzRecord(f *testing.F) {
	b, _ := wire.MarshalRecord(tracking.Record{Delivery: tracking.Delivery{ID: tracking.NewID(), Status: tracking.Created, Ver: 1, Rev: 1}, Events: []tracking.Event{{Ver: 1}}})
	f.Add(b)
	f.Add([]byte(`{"v":1}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := wire.Record(b)
		if err != nil {
			return
		}
		again, err := wire.MarshalRecord(r)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := wire.Record(again); err != nil || !reflect.DeepEqual(back, r) {
			t.Errorf("%+v became %+v, %v", r, back, err)
		}
	})
}

func FuzzParseFleet(f *testing.F) {
	f.Add(append(wire.AppendFleetPositionPrefix(nil, tracking.NewID()), wire.AppendPosition(nil, tracking.Position{})...))
	courier, _ := wire.FleetCourier(tracking.Courier{ID: tracking.NewID()})
	f.Add(courier)
	f.Add([]byte(`r{"v":1}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		fleet, err := wire.ParseFleet(b)
		if err == nil && fleet.Position == nil && fleet.Record == nil && fleet.Courier == nil {
			t.Errorf("%q is read as nothing", b)
		}
	})
}
