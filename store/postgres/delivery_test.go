package postgres_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"hotfoot/store/postgres"
	"hotfoot/store/storetest"
	"hotfoot/tracking"
)

// shop is a merchant with a courier, in a database of its own.
type shop struct {
	*postgres.Store
	pool     *pgxpool.Pool
	merchant tracking.ID
	courier  tracking.Courier
	actor    tracking.Actor
	phone    tracking.Actor
}

func newShop(t testing.TB) shop {
	t.Helper()
	// As in production, with its limits on locks and statements.
	pool, err := postgres.Connect(storetest.PostgresURL(t), 16)
	must(t, err)
	t.Cleanup(pool.Close)
	s := shop{Store: postgres.New(pool, nil), pool: pool}
	m, err := s.Merchant(t.Context(), "Corner Kitchen", time.Now())
	must(t, err)
	s.merchant = m.ID
	s.actor = tracking.Actor{Role: tracking.RoleMerchant, MerchantID: m.ID, KeyID: tracking.NewID()}
	s.courier = s.hire(t, "Sam")
	s.phone = s.phoneOf(s.courier)
	return s
}

func (s shop) hire(t testing.TB, name string) tracking.Courier {
	t.Helper()
	c := tracking.Courier{ID: tracking.NewID(), MerchantID: s.merchant, Name: name, Vehicle: tracking.Bike, Rev: 1, CreatedAt: now()}
	key, _ := tracking.NewKey(s.merchant, tracking.RoleCourier, c.ID, "")
	must(t, s.CreateCourier(t.Context(), c, key))
	return c
}

func (s shop) phoneOf(c tracking.Courier) tracking.Actor {
	return tracking.Actor{Role: tracking.RoleCourier, MerchantID: s.merchant, CourierID: c.ID, KeyID: tracking.NewID()}
}

// dispatch is the use case over this database, telling nobody.
func (s shop) dispatch() *tracking.Dispatch {
	return tracking.NewDispatch(s.Store, tracking.NewRelay(s.Store, deaf{}, tracking.RelayConfig{}, nil), now)
}

// create makes a delivery, assigned unless the courier is the zero one.
func (s shop) create(t testing.TB, courier tracking.Courier) tracking.Record {
	t.Helper()
	r, err := s.dispatch().Create(t.Context(), s.actor, tracking.Draft{Pickup: shopPlace, Dropoff: home, CourierID: courier.ID}, tracking.Once{})
	must(t, err)
	return r
}

func (s shop) report(t testing.TB, r tracking.Record, statuses ...tracking.Status) tracking.Record {
	t.Helper()
	for _, status := range statuses {
		reported, err := s.dispatch().Report(t.Context(), s.phone, r.Delivery.ID, tracking.Move{To: status, ClientID: tracking.NewID().String(), Actor: s.phone})
		must(t, err)
		r = reported.Record
	}
	return r
}

// stops are the ids of a courier's route in order, failed ones last; every stop must count those before it.
func (s shop) stops(t *testing.T, courier tracking.Courier) (ids []tracking.ID) {
	t.Helper()
	route, err := s.Route(t.Context(), courier.ID)
	must(t, err)
	for i, r := range route {
		if r.Delivery.Status.OnRoute() && r.Delivery.StopsBefore != i {
			t.Errorf("stop %d of the route says that %d come before", i, r.Delivery.StopsBefore)
		}
		ids = append(ids, r.Delivery.ID)
	}
	return ids
}

type deaf struct{}

func (deaf) Announce(context.Context, ...tracking.Record) error  { return nil }
func (deaf) KeepCourier(context.Context, tracking.Courier) error { return nil }

func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantCode(t *testing.T, err error, want tracking.Code) {
	t.Helper()
	if tracking.CodeOf(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

var (
	shopPlace = tracking.Place{Lat: 37.7812, Lon: -122.4112, Name: "Corner Kitchen"}
	home      = tracking.Place{Lat: 37.7893, Lon: -122.4010, Address: "1 Main Street"}
)

func TestStore_Create(t *testing.T) {
	t.Parallel()
	t.Run("keeps everything that was said", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		draft := tracking.Draft{
			ExternalID: "order-1042", Pickup: shopPlace, Dropoff: home, Recipient: tracking.Recipient{Name: "Noor", Phone: "+1 415 555 0100"},
			Window: tracking.Window{From: now(), To: now().Add(time.Hour)}, Note: "ring twice", CourierID: s.courier.ID,
		}
		made, err := s.dispatch().Create(t.Context(), s.actor, draft, tracking.Once{})
		must(t, err)
		read, err := s.Record(t.Context(), made.Delivery.ID)
		must(t, err)
		for _, r := range []tracking.Record{made, read} {
			d := r.Delivery
			if d.ExternalID != "order-1042" || d.Pickup != shopPlace || d.Dropoff != home || d.Recipient != draft.Recipient || d.Note != draft.Note ||
				!d.Window.From.Equal(draft.Window.From) || !d.Window.To.Equal(draft.Window.To) {
				t.Errorf("kept %+v", d)
			}
			if d.Status != tracking.Assigned || d.Ver != 2 || d.CourierID != s.courier.ID || len(r.Events) != 2 || r.Epoch != 1 ||
				r.Courier.Name != "Sam" || r.Merchant.Name != "Corner Kitchen" || r.Merchant.VisibleStops != 2 {
				t.Errorf("kept %+v", r)
			}
		}
		_, err = s.dispatch().Create(t.Context(), s.actor, draft, tracking.Once{})
		wantCode(t, err, tracking.CodeConflict)
	})
	t.Run("refuses a courier of somebody else, naming the field", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		other, err := s.Merchant(t.Context(), "Other Kitchen", now())
		must(t, err)
		s.merchant = other.ID
		theirs := s.hire(t, "Theirs")
		_, err = s.dispatch().Create(t.Context(), s.actor, tracking.Draft{Pickup: shopPlace, Dropoff: home, CourierID: theirs.ID}, tracking.Once{})
		wantCode(t, err, tracking.CodeInvalid)
	})
	t.Run("makes one delivery for one key, however many ask at once", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		draft := tracking.Draft{ExternalID: "order-1", Pickup: shopPlace, Dropoff: home, CourierID: s.courier.ID}
		once := tracking.Once{Key: "k", Hash: tracking.HashOf([]byte("body"))}
		ids := make([]tracking.ID, 12)
		var asking sync.WaitGroup
		for i := range ids {
			asking.Go(func() {
				r, err := s.dispatch().Create(t.Context(), s.actor, draft, once)
				if err != nil {
					t.Errorf("request %d: %v", i, err)
				}
				ids[i] = r.Delivery.ID
			})
		}
		asking.Wait()
		if len(slices.Compact(ids)) != 1 {
			t.Errorf("one key made %v", ids)
		}
		if stops := s.stops(t, s.courier); len(stops) != 1 {
			t.Errorf("the route has %d stops", len(stops))
		}
		once.Hash = tracking.HashOf([]byte("another body"))
		_, err := s.dispatch().Create(t.Context(), s.actor, draft, once)
		wantCode(t, err, tracking.CodeIdempotencyUsed)
		other := once
		other.Key = "k2"
		_, err = s.dispatch().Create(t.Context(), s.actor, draft, other)
		wantCode(t, err, tracking.CodeConflict)
	})
}

func TestStore_Change(t *testing.T) {
	t.Parallel()
	t.Run("numbers fifty reports that come at once without a hole", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		r := s.report(t, s.create(t, s.courier), tracking.PickedUp, tracking.EnRoute)
		var reporting sync.WaitGroup
		for i := range 50 {
			reporting.Go(func() {
				to := []tracking.Status{tracking.Arriving, tracking.EnRoute}[i%2]
				// Until its turn has come: the other kind must go first.
				for {
					_, err := s.dispatch().Report(t.Context(), s.phone, r.Delivery.ID, tracking.Move{To: to, ClientID: fmt.Sprint(i), Actor: s.phone})
					if tracking.CodeOf(err) == tracking.CodeIllegalMove {
						continue
					}
					if err != nil {
						t.Error(err)
					}
					return
				}
			})
		}
		reporting.Wait()
		events, err := s.Events(t.Context(), s.merchant, r.Delivery.ID)
		must(t, err)
		if len(events) != 54 {
			t.Errorf("%d events, want 54", len(events))
		}
		for i, e := range events {
			if e.Ver != int64(i)+1 {
				t.Fatalf("event %d has ver %d", i, e.Ver)
			}
			if i > 0 && !events[i-1].Status.CanBecome(e.Status) {
				t.Errorf("%s follows %s", e.Status, events[i-1].Status)
			}
		}
	})
	t.Run("answers a repeated report as the first time, and refuses the id for anything else", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		r := s.create(t, s.courier)
		move := tracking.Move{To: tracking.PickedUp, ClientID: "a", Reason: "as agreed", DeviceAt: now(), Where: &tracking.Position{Lat: 1, Lon: 2}, Actor: s.phone}
		first, err := s.dispatch().Report(t.Context(), s.phone, r.Delivery.ID, move)
		must(t, err)
		later := s.report(t, r, tracking.EnRoute)
		again, err := s.dispatch().Report(t.Context(), s.phone, r.Delivery.ID, move)
		must(t, err)
		if again.Event.Ver != 3 || again.Event.Status != tracking.PickedUp || !again.Event.At.Equal(first.Event.At) || again.Record.Delivery.Rev != later.Delivery.Rev {
			t.Errorf("the repeat answers %+v, the first time %+v", again, first.Event)
		}
		move.Reason = "changed"
		_, err = s.dispatch().Report(t.Context(), s.phone, r.Delivery.ID, move)
		wantCode(t, err, tracking.CodeEventReused)
	})
	t.Run("answers one event to one id that comes many times at once", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		r := s.create(t, s.courier)
		var reporting sync.WaitGroup
		for range 10 {
			reporting.Go(func() {
				reported, err := s.dispatch().Report(t.Context(), s.phone, r.Delivery.ID, tracking.Move{To: tracking.PickedUp, ClientID: "a", Actor: s.phone})
				if err != nil || reported.Event.Ver != 3 {
					t.Errorf("got %+v, %v", reported.Event, err)
				}
			})
		}
		reporting.Wait()
	})
	t.Run("reassigns with two events and counts the stops of both couriers again", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		kim := s.hire(t, "Kim")
		a, b, c := s.create(t, s.courier), s.create(t, s.courier), s.create(t, kim)
		got, err := s.Change(t.Context(), s.merchant, a.Delivery.ID, kim.ID, "", reassign(s, kim))
		must(t, err)
		if len(got) != 2 || got[0].Delivery.ID != a.Delivery.ID || got[1].Delivery.ID != b.Delivery.ID || got[1].Delivery.StopsBefore != 0 {
			t.Errorf("changed are %+v", got)
		}
		events := got[0].Events
		if len(events) != 4 || events[2].Status != tracking.Created || events[2].CourierID != s.courier.ID || events[3].CourierID != kim.ID {
			t.Errorf("the events are %+v", events)
		}
		if got := s.stops(t, kim); !slices.Equal(got, []tracking.ID{c.Delivery.ID, a.Delivery.ID}) {
			t.Errorf("Kim's route is %v", got)
		}
		if got := s.stops(t, s.courier); !slices.Equal(got, []tracking.ID{b.Delivery.ID}) {
			t.Errorf("Sam's route is %v", got)
		}
	})
	t.Run("changes nothing when nothing was decided, or an error", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		r := s.create(t, s.courier)
		_, err := s.Change(t.Context(), s.merchant, r.Delivery.ID, tracking.ID{}, "", func(d tracking.Delivery, _ *tracking.Event) (tracking.Change, error) {
			return tracking.Change{Delivery: d}, nil
		})
		must(t, err)
		_, err = s.dispatch().Report(t.Context(), s.phone, r.Delivery.ID, tracking.Move{To: tracking.Delivered, ClientID: "x", Actor: s.phone})
		wantCode(t, err, tracking.CodeIllegalMove)
		after, err := s.Record(t.Context(), r.Delivery.ID)
		must(t, err)
		if after.Delivery.Rev != r.Delivery.Rev || len(after.Events) != 2 {
			t.Errorf("it has become %+v", after)
		}
		_, err = s.Change(t.Context(), tracking.NewID(), r.Delivery.ID, tracking.ID{}, "", nil)
		wantCode(t, err, tracking.CodeNotFound)
	})
}

func reassign(s shop, to tracking.Courier) tracking.Decide {
	return func(d tracking.Delivery, _ *tracking.Event) (tracking.Change, error) {
		freed, first, err := d.Apply(tracking.Move{To: tracking.Created, Actor: s.actor}, now())
		if err != nil {
			return tracking.Change{}, err
		}
		assigned, second, err := freed.Apply(tracking.Move{To: tracking.Assigned, Actor: s.actor}, now())
		assigned.CourierID, second.CourierID = to.ID, to.ID
		return tracking.Change{Delivery: assigned, Events: []tracking.Event{first, second}}, err
	}
}

// Eight dispatchers do at random, to few couriers and deliveries, whatever takes locks; meanwhile the relay marks. Nobody may wait in a circle.
func TestStore_locks_are_taken_in_one_order(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	couriers := []tracking.Courier{s.courier, s.hire(t, "Kim"), s.hire(t, "Noor")}
	var deliveries []tracking.Record
	for range 12 {
		deliveries = append(deliveries, s.create(t, couriers[rand.N(3)]))
	}
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Second)
	defer stop()
	var done [6]int
	var mu sync.Mutex
	act := func() {
		d, c := deliveries[rand.N(len(deliveries))].Delivery.ID, couriers[rand.N(len(couriers))]
		kind := rand.N(len(done))
		var err error
		switch kind {
		case 0:
			place := rand.N(4)
			_, err = s.dispatch().Assign(t.Context(), s.actor, d, c.ID, &place)
		case 1:
			var route []tracking.Record
			if route, err = s.Route(t.Context(), c.ID); err == nil {
				var ids []tracking.ID
				for _, i := range rand.Perm(len(route)) {
					ids = append(ids, route[i].Delivery.ID)
				}
				err = s.dispatch().Reorder(t.Context(), s.actor, c.ID, ids)
			}
		case 2:
			_, err = s.dispatch().Unassign(t.Context(), s.actor, d)
		case 3:
			_, _, err = s.SetDuty(t.Context(), c.ID, rand.N(2) == 0, now())
		case 4:
			_, err = s.dispatch().Report(t.Context(), s.phoneOf(c), d, tracking.Move{To: tracking.PickedUp, ClientID: tracking.NewID().String(), Actor: s.phoneOf(c)})
		case 5:
			var records []tracking.Record
			if records, err = s.Unpublished(t.Context(), time.Now().Add(time.Hour), 100); err == nil {
				err = s.MarkPublished(t.Context(), records)
			}
		}
		switch code := tracking.CodeOf(err); code {
		case "", tracking.CodeIllegalMove, tracking.CodeInvalid, tracking.CodeNotFound: // somebody else was quicker
		default:
			t.Errorf("action %d: %v", kind, err)
		}
		mu.Lock()
		done[kind]++
		mu.Unlock()
	}
	var acting sync.WaitGroup
	for range 8 {
		acting.Go(func() {
			for ctx.Err() == nil && !t.Failed() {
				act()
			}
		})
	}
	acting.Wait()
	if slices.Min(done[:]) == 0 {
		t.Errorf("some action was never taken: %v", done)
	}
	for _, c := range couriers {
		s.stops(t, c)
	}
	var deadlocks int
	must(t, s.pool.QueryRow(t.Context(), "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()").Scan(&deadlocks))
	if deadlocks > 0 {
		t.Errorf("%d deadlocks", deadlocks)
	}
}

func TestStore_MarkPublished(t *testing.T) {
	t.Parallel()
	t.Run("leaves a record that has changed meanwhile", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		a, b := s.create(t, s.courier), s.create(t, tracking.Courier{})
		old, err := s.Unpublished(t.Context(), time.Now().Add(time.Hour), 10)
		must(t, err)
		if len(old) != 2 || old[0].Delivery.ID != a.Delivery.ID {
			t.Fatalf("unpublished are %+v", old)
		}
		s.report(t, a, tracking.PickedUp)
		must(t, s.MarkPublished(t.Context(), old))
		left, err := s.Unpublished(t.Context(), time.Now().Add(time.Hour), 10)
		must(t, err)
		if len(left) != 1 || left[0].Delivery.ID != a.Delivery.ID || left[0].Delivery.Ver != 3 {
			t.Errorf("left are %+v", left)
		}
		must(t, s.MarkPublished(t.Context(), append(left, b)))
		must(t, s.MarkPublished(t.Context(), old)) // news from long ago
		if left, err = s.Unpublished(t.Context(), time.Now().Add(time.Hour), 10); err != nil || len(left) != 0 {
			t.Errorf("left are %+v, %v", left, err)
		}
	})
	t.Run("is not asked for what has just changed, nor for more than the limit", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		for range 3 {
			s.create(t, tracking.Courier{})
		}
		if early, err := s.Unpublished(t.Context(), time.Now().Add(-time.Minute), 10); err != nil || len(early) != 0 {
			t.Errorf("got %v, %v", early, err)
		}
		if two, err := s.Unpublished(t.Context(), time.Now().Add(time.Minute), 2); err != nil || len(two) != 2 {
			t.Errorf("got %d, %v", len(two), err)
		}
	})
	t.Run("waits for nobody who holds a delivery", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		held, free := s.create(t, tracking.Courier{}), s.create(t, tracking.Courier{})
		tx, err := s.pool.Begin(t.Context())
		must(t, err)
		defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }()
		_, err = tx.Exec(t.Context(), "SELECT FROM deliveries WHERE id = $1 FOR NO KEY UPDATE", held.Delivery.ID)
		must(t, err)
		must(t, s.MarkPublished(t.Context(), []tracking.Record{held, free}))
		left, err := s.Unpublished(t.Context(), time.Now().Add(time.Hour), 10)
		must(t, err)
		if len(left) != 1 || left[0].Delivery.ID != held.Delivery.ID {
			t.Errorf("left are %+v, want the one that is being changed", left)
		}
	})
}
