package tracking_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hotfoot/tracking"
	"hotfoot/tracking/trackingtest"
)

// office is a Dispatch over a ledger in memory, and a relay that keeps what it was told.
type office struct {
	*tracking.Dispatch
	told         *told
	actor        tracking.Actor
	sam, max     tracking.Actor
	stranger     tracking.Actor
	otherOffice  tracking.Actor
	clock        time.Time
	pickup, door tracking.Place
}

type told struct {
	mu      sync.Mutex
	records []tracking.Record
}

func (a *told) Announce(_ context.Context, records ...tracking.Record) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.records = append(a.records, records...)
	return nil
}

func (*told) KeepCourier(context.Context, tracking.Courier) error { return nil }

func (a *told) take() []tracking.Record {
	a.mu.Lock()
	defer a.mu.Unlock()
	records := a.records
	a.records = nil
	return records
}

func newOffice(t *testing.T) *office {
	t.Helper()
	ledger := trackingtest.NewMemory()
	mine, other := tracking.NewID(), tracking.NewID()
	hire := func(merchant tracking.ID) tracking.Actor {
		c := tracking.Courier{ID: tracking.NewID(), MerchantID: merchant, Name: "Sam", Vehicle: tracking.Bike}
		ledger.Hire(c)
		return tracking.Actor{Role: tracking.RoleCourier, MerchantID: merchant, CourierID: c.ID}
	}
	o := &office{
		told: &told{}, clock: time.Date(2026, 3, 4, 18, 10, 0, 0, time.UTC),
		actor:       tracking.Actor{Role: tracking.RoleMerchant, MerchantID: mine},
		otherOffice: tracking.Actor{Role: tracking.RoleMerchant, MerchantID: other},
		sam:         hire(mine), max: hire(mine), stranger: hire(other),
		pickup: tracking.Place{Lat: 37.7812, Lon: -122.4112}, door: tracking.Place{Lat: 37.7893, Lon: -122.4010},
	}
	relay := tracking.NewRelay(nil, o.told, tracking.RelayConfig{}, slog.New(slog.DiscardHandler))
	o.Dispatch = tracking.NewDispatch(ledger, relay, func() time.Time { return o.clock })
	return o
}

func (o *office) create(t *testing.T, courier tracking.ID) tracking.Record {
	t.Helper()
	r, err := o.Create(t.Context(), o.actor, tracking.Draft{Pickup: o.pickup, Dropoff: o.door, CourierID: courier}, tracking.Once{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// through reports statuses one after another.
func (o *office) through(t *testing.T, delivery tracking.ID, statuses ...tracking.Status) {
	t.Helper()
	for _, to := range statuses {
		if _, err := o.Report(t.Context(), o.sam, delivery, tracking.Move{To: to, ClientID: tracking.NewID().String()}); err != nil {
			t.Fatal(err)
		}
	}
}

func wants(t *testing.T, err error, code tracking.Code, words ...string) {
	t.Helper()
	if tracking.CodeOf(err) != code {
		t.Errorf("got %v, want %s", err, code)
		return
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q does not say %q", err, w)
		}
	}
}

func statuses(r tracking.Record) string {
	var out []string
	for _, e := range r.Events {
		out = append(out, fmt.Sprintf("%d:%s", e.Ver, e.Status))
	}
	return strings.Join(out, " ")
}

func TestDispatch_Create(t *testing.T) {
	t.Parallel()
	t.Run("without a courier it is created", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		r := o.create(t, tracking.ID{})
		if statuses(r) != "1:created" || r.Delivery.Ver != 1 || r.Delivery.CreatedAt != o.clock || r.Events[0].Actor != o.actor {
			t.Errorf("got %+v", r)
		}
		if got := o.told.take(); len(got) != 1 || got[0].Delivery.ID != r.Delivery.ID {
			t.Errorf("told %+v", got)
		}
	})
	t.Run("with one it is created and assigned", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		if r := o.create(t, o.sam.CourierID); statuses(r) != "1:created 2:assigned" || r.Delivery.CourierID != o.sam.CourierID || r.Events[1].CourierID != o.sam.CourierID {
			t.Errorf("got %+v", r)
		}
	})
	t.Run("a draft that breaks a rule never reaches the ledger", func(t *testing.T) {
		t.Parallel()
		d := tracking.NewDispatch(nil, nil, time.Now)
		_, err := d.Create(t.Context(), tracking.Actor{}, tracking.Draft{Pickup: tracking.Place{Lat: 91}}, tracking.Once{})
		wants(t, err, tracking.CodeInvalid, "pickup.lat")
	})
}

func TestDispatch_Assign(t *testing.T) {
	t.Parallel()
	assign := func(t *testing.T, o *office, r tracking.Record, to tracking.Actor) (tracking.Record, error) {
		return o.Assign(t.Context(), o.actor, r.Delivery.ID, to.CourierID, nil)
	}
	t.Run("gives and gives again", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		r := o.create(t, tracking.ID{})
		r, err := assign(t, o, r, o.sam)
		if err != nil || statuses(r) != "1:created 2:assigned" {
			t.Fatalf("%s, %v", statuses(r), err)
		}
		same, err := assign(t, o, r, o.sam)
		if err != nil || same.Delivery.Rev != r.Delivery.Rev {
			t.Errorf("the same again: rev %d after %d, %v", same.Delivery.Rev, r.Delivery.Rev, err)
		}
		r, err = assign(t, o, r, o.max)
		if err != nil || statuses(r) != "1:created 2:assigned 3:created 4:assigned" || r.Delivery.CourierID != o.max.CourierID {
			t.Fatalf("%s, %v", statuses(r), err)
		}
		if r.Events[2].CourierID != o.sam.CourierID || r.Events[3].CourierID != o.max.CourierID {
			t.Errorf("events %+v", r.Events[2:])
		}
		if got := r.Concerned(); !slices.Equal(got, []tracking.ID{o.max.CourierID, o.sam.CourierID}) {
			t.Errorf("concerned %v, want both couriers", got)
		}
	})
	t.Run("not once it has been picked up", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		r := o.create(t, o.sam.CourierID)
		o.through(t, r.Delivery.ID, tracking.PickedUp)
		for _, to := range []tracking.Actor{o.sam, o.max} {
			_, err := assign(t, o, r, to)
			wants(t, err, tracking.CodeIllegalMove, "picked_up", "allowed now: en_route, failed, cancelled")
		}
	})
	t.Run("not to nobody, to a stranger or before the first place", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		r := o.create(t, tracking.ID{})
		_, err := assign(t, o, r, o.stranger)
		wants(t, err, tracking.CodeInvalid, "courier_id")
		before := -1
		_, err = o.Assign(t.Context(), o.actor, r.Delivery.ID, o.sam.CourierID, &before)
		wants(t, err, tracking.CodeInvalid, "position")
		_, err = o.Assign(t.Context(), o.otherOffice, r.Delivery.ID, o.stranger.CourierID, nil)
		wants(t, err, tracking.CodeNotFound)
	})
}

func TestDispatch_Cancel(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	r := o.create(t, o.sam.CourierID)
	o.through(t, r.Delivery.ID, tracking.PickedUp)
	_, err := o.Cancel(t.Context(), o.actor, r.Delivery.ID, strings.Repeat("x", 501))
	wants(t, err, tracking.CodeInvalid, "reason")
	_, err = o.Unassign(t.Context(), o.actor, r.Delivery.ID)
	wants(t, err, tracking.CodeIllegalMove)
	got, err := o.Cancel(t.Context(), o.actor, r.Delivery.ID, "no answer")
	if err != nil || got.Delivery.Status != tracking.Cancelled || got.Delivery.FinishedAt != o.clock || got.Events[3].Reason != "no answer" {
		t.Errorf("got %+v, %v", got, err)
	}
	if got.Delivery.CourierID != o.sam.CourierID {
		t.Error("who had it is forgotten, so nobody can tell their phone")
	}
	_, err = o.Cancel(t.Context(), o.actor, r.Delivery.ID, "again")
	wants(t, err, tracking.CodeIllegalMove, "final")
}

func TestDispatch_Unassign(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	r := o.create(t, o.sam.CourierID)
	o.told.take()
	got, err := o.Unassign(t.Context(), o.actor, r.Delivery.ID)
	if err != nil || got.Delivery.Status != tracking.Created || !got.Delivery.CourierID.IsZero() || got.Events[2].CourierID != o.sam.CourierID {
		t.Errorf("got %+v, %v", got, err)
	}
	if c := got.Concerned(); !slices.Equal(c, []tracking.ID{o.sam.CourierID}) {
		t.Errorf("concerned %v, want the one it was taken from", c)
	}
}

func TestDispatch_RevokeLink(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	r := o.create(t, tracking.ID{})
	for want := 1; want <= 255; want++ {
		got, err := o.RevokeLink(t.Context(), o.actor, r.Delivery.ID)
		if err != nil || int(got.Delivery.LinkGen) != want || got.Delivery.Ver != 1 {
			t.Fatalf("got %+v, %v, want generation %d", got.Delivery, err, want)
		}
	}
	_, err := o.RevokeLink(t.Context(), o.actor, r.Delivery.ID)
	wants(t, err, tracking.CodeConflict) // and never back to generation 0, whose links are revoked
}

func TestDispatch_Report(t *testing.T) {
	t.Parallel()
	picked := tracking.Move{To: tracking.PickedUp, ClientID: "a", Reason: "r"}
	t.Run("the same id and body is answered what the first was, whatever happened since", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		r := o.create(t, o.sam.CourierID)
		first, err := o.Report(t.Context(), o.sam, r.Delivery.ID, picked)
		if err != nil || first.Event.Ver != 3 {
			t.Fatalf("%+v, %v", first, err)
		}
		o.through(t, r.Delivery.ID, tracking.EnRoute, tracking.Arriving, tracking.Delivered)
		o.clock = o.clock.Add(time.Hour)
		again, err := o.Report(t.Context(), o.sam, r.Delivery.ID, picked)
		if err != nil || again.Event != first.Event {
			t.Errorf("first %+v\nagain %+v, %v", first.Event, again.Event, err)
		}
		if again.Record.Delivery.Ver != 6 {
			t.Errorf("the repeat changed the delivery: ver %d", again.Record.Delivery.Ver)
		}
	})
	t.Run("the same id with another body is refused", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		r := o.create(t, o.sam.CourierID)
		if _, err := o.Report(t.Context(), o.sam, r.Delivery.ID, picked); err != nil {
			t.Fatal(err)
		}
		other := picked
		other.Reason = "other"
		_, err := o.Report(t.Context(), o.sam, r.Delivery.ID, other)
		wants(t, err, tracking.CodeEventReused)
		other = picked
		other.To = tracking.EnRoute
		_, err = o.Report(t.Context(), o.sam, r.Delivery.ID, other)
		wants(t, err, tracking.CodeEventReused)
	})
	t.Run("one client id serves two deliveries", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		for range 2 {
			if _, err := o.Report(t.Context(), o.sam, o.create(t, o.sam.CourierID).Delivery.ID, picked); err != nil {
				t.Error(err)
			}
		}
	})
	t.Run("somebody else's delivery does not exist", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		r := o.create(t, o.sam.CourierID)
		for _, who := range []tracking.Actor{o.max, o.stranger} {
			_, err := o.Report(t.Context(), who, r.Delivery.ID, picked)
			wants(t, err, tracking.CodeNotFound)
		}
		_, err := o.Report(t.Context(), o.sam, o.create(t, tracking.ID{}).Delivery.ID, picked)
		wants(t, err, tracking.CodeNotFound)
	})
	t.Run("one that was taken away: a repeat is answered, anything new is not", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		r := o.create(t, o.sam.CourierID)
		o.through(t, r.Delivery.ID, tracking.PickedUp, tracking.Failed)
		if _, err := o.Report(t.Context(), o.max, r.Delivery.ID, tracking.Move{To: tracking.EnRoute, ClientID: "m"}); tracking.CodeOf(err) != tracking.CodeNotFound {
			t.Errorf("got %v", err)
		}
		given := o.create(t, o.sam.CourierID)
		if _, err := o.Assign(t.Context(), o.actor, given.Delivery.ID, o.max.CourierID, nil); err != nil {
			t.Fatal(err)
		}
		_, err := o.Report(t.Context(), o.sam, given.Delivery.ID, picked)
		wants(t, err, tracking.CodeNotFound)
		if _, err := o.Report(t.Context(), o.max, given.Delivery.ID, picked); err != nil {
			t.Error(err)
		}
	})
	t.Run("what a courier may not report is refused before anything is locked", func(t *testing.T) {
		t.Parallel()
		d := tracking.NewDispatch(nil, nil, time.Now)
		actor := tracking.Actor{Role: tracking.RoleCourier}
		for _, to := range []tracking.Status{tracking.Created, tracking.Assigned, tracking.Cancelled, "flying", ""} {
			_, err := d.Report(t.Context(), actor, tracking.NewID(), tracking.Move{To: to, ClientID: "a"})
			wants(t, err, tracking.CodeInvalid, "status")
		}
		_, err := d.Report(t.Context(), actor, tracking.NewID(), tracking.Move{To: tracking.PickedUp})
		wants(t, err, tracking.CodeInvalid, "client_event_id")
	})
}

func TestDispatch_Reorder(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	a, b := o.create(t, o.sam.CourierID).Delivery.ID, o.create(t, o.sam.CourierID).Delivery.ID
	o.told.take()
	wants(t, o.Reorder(t.Context(), o.actor, o.sam.CourierID, []tracking.ID{a, b, a}), tracking.CodeInvalid, "delivery_ids[2]", "twice")
	if err := o.Reorder(t.Context(), o.actor, o.sam.CourierID, []tracking.ID{b, a}); err != nil {
		t.Fatal(err)
	}
	if got := o.told.take(); len(got) != 2 {
		t.Errorf("%d customers told, want both", len(got))
	}
	wants(t, o.Reorder(t.Context(), o.otherOffice, o.sam.CourierID, nil), tracking.CodeNotFound)
}
