package postgres_test

import (
	"context"
	"testing"
	"time"

	"hotfoot/store/postgres"
	"hotfoot/store/storetest"
	"hotfoot/tracking"
)

// shop is a merchant with a courier, in a database of its own.
type shop struct {
	*postgres.Store
	merchant tracking.ID
	courier  tracking.Courier
	actor    tracking.Actor
	phone    tracking.Actor
}

func newShop(t *testing.T) shop {
	t.Helper()
	s := shop{Store: postgres.New(storetest.Postgres(t))}
	m, err := s.Merchant(t.Context(), "Corner Kitchen", time.Now())
	must(t, err)
	s.merchant = m.ID
	s.actor = tracking.Actor{Role: tracking.RoleMerchant, MerchantID: m.ID, KeyID: tracking.NewID()}
	s.courier = s.hire(t, "Sam")
	s.phone = tracking.Actor{Role: tracking.RoleCourier, MerchantID: m.ID, CourierID: s.courier.ID, KeyID: tracking.NewID()}
	return s
}

func (s shop) hire(t *testing.T, name string) tracking.Courier {
	t.Helper()
	c := tracking.Courier{ID: tracking.NewID(), MerchantID: s.merchant, Name: name, Vehicle: tracking.Bike, Rev: 1, CreatedAt: now()}
	key, _ := tracking.NewKey(s.merchant, tracking.RoleCourier, c.ID, "")
	must(t, s.CreateCourier(t.Context(), c, key))
	return c
}

// dispatch is the use case over this database, telling nobody.
func (s shop) dispatch() *tracking.Dispatch {
	return tracking.NewDispatch(s.Store, tracking.NewRelay(s.Store, deaf{}, tracking.RelayConfig{}, nil), now)
}

type deaf struct{}

func (deaf) Announce(context.Context, ...tracking.Record) error { return nil }

func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var (
	shopPlace = tracking.Place{Lat: 37.7812, Lon: -122.4112, Name: "Corner Kitchen"}
	home      = tracking.Place{Lat: 37.7893, Lon: -122.4010, Address: "1 Main Street"}
)

func TestStore_Change(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	d := s.dispatch()
	made, err := d.Create(t.Context(), s.actor, tracking.Draft{Pickup: shopPlace, Dropoff: home, CourierID: s.courier.ID}, tracking.Once{})
	must(t, err)
	if made.Delivery.Status != tracking.Assigned || made.Delivery.Ver != 2 || len(made.Events) != 2 || made.Delivery.CourierID != s.courier.ID {
		t.Fatalf("created and assigned in one: got %+v", made)
	}
	got, err := d.Report(t.Context(), s.phone, made.Delivery.ID, tracking.Move{To: tracking.PickedUp, ClientID: "a"})
	must(t, err)
	if got.Event.Ver != 3 || got.Record.Delivery.Status != tracking.PickedUp {
		t.Fatalf("reported: got %+v", got)
	}
}
