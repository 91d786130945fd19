package trackingtest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"hotfoot/tracking"
)

// Shop is an empty ledger and the people in it.
type Shop struct {
	Ledger tracking.Ledger
	// Office may dispatch; Sam and Max are couriers of its merchant, Stranger one of another's.
	Office             tracking.Actor
	Sam, Max, Stranger tracking.Actor
}

// Ledger is what every tracking.Ledger must pass.
func Ledger(t *testing.T, open func(t *testing.T) Shop) {
	for name, test := range map[string]func(*testing.T, Shop){
		"a delivery is made with its events":                         createsWithEvents,
		"an Idempotency-Key makes a creation repeatable":             createsOnce,
		"an external_id is one merchant's, once":                     externalIDs,
		"nobody changes what is not theirs":                          notTheirs,
		"a decision's error changes nothing":                         errorChangesNothing,
		"a decision without a change writes nothing":                 noChange,
		"a decision is told of the event that its client id made":    priorEvent,
		"stops are counted again when a route changes":               countsStops,
		"changes that race are decided one after another":            racingChanges,
		"a route is put in order, what is not named keeps its order": reorders,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

var (
	shop = tracking.Place{Lat: 37.7812, Lon: -122.4112}
	home = tracking.Place{Lat: 37.7893, Lon: -122.4010}
)

func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// draft is a delivery that has just been created.
func (s Shop) draft() (tracking.Delivery, []tracking.Event) {
	at := now()
	d := tracking.Delivery{
		ID: tracking.NewID(), MerchantID: s.Office.MerchantID, Status: tracking.Created, Ver: 1, Rev: 1, Pickup: shop, Dropoff: home,
		CreatedAt: at, UpdatedAt: at,
	}
	return d, []tracking.Event{{Ver: 1, Status: tracking.Created, At: at, Actor: s.Office}}
}

// deliver makes a delivery, given to a courier when the id is not zero.
func (s Shop) deliver(t *testing.T, courier tracking.ID) tracking.Record {
	t.Helper()
	d, events := s.draft()
	r, err := s.Ledger.Create(t.Context(), d, events, tracking.Once{})
	must(t, err)
	if courier.IsZero() {
		return r
	}
	records, err := s.assign(t, d.ID, courier)
	must(t, err)
	return records[0]
}

func (s Shop) assign(t *testing.T, delivery, courier tracking.ID) ([]tracking.Record, error) {
	return s.Ledger.Change(t.Context(), s.Office.MerchantID, delivery, courier, "", func(d tracking.Delivery, _ *tracking.Event) (tracking.Change, error) {
		d, event, err := d.Apply(tracking.Move{To: tracking.Assigned, Actor: s.Office}, now())
		d.CourierID, event.CourierID = courier, courier
		return tracking.Change{Delivery: d, Events: []tracking.Event{event}}, err
	})
}

func (s Shop) move(t *testing.T, delivery tracking.ID, m tracking.Move) ([]tracking.Record, error) {
	m.Actor = s.Sam
	return s.Ledger.Change(t.Context(), s.Office.MerchantID, delivery, tracking.ID{}, m.ClientID, func(d tracking.Delivery, _ *tracking.Event) (tracking.Change, error) {
		d, event, err := d.Apply(m, now())
		return tracking.Change{Delivery: d, Events: []tracking.Event{event}}, err
	})
}

// read is a delivery as it stands.
func (s Shop) read(t *testing.T, delivery tracking.ID) tracking.Record {
	t.Helper()
	records, err := s.Ledger.Change(t.Context(), s.Office.MerchantID, delivery, tracking.ID{}, "", keep)
	must(t, err)
	return records[0]
}

func keep(d tracking.Delivery, _ *tracking.Event) (tracking.Change, error) {
	return tracking.Change{Delivery: d}, nil
}

func createsWithEvents(t *testing.T, s Shop) {
	r := s.deliver(t, s.Sam.CourierID)
	if r.Delivery.Status != tracking.Assigned || r.Delivery.Ver != 2 || len(r.Events) != 2 || r.Courier.ID != s.Sam.CourierID || r.Delivery.StopsBefore != 0 {
		t.Errorf("got %+v", r)
	}
	if r.Epoch < 1 || r.Merchant.ID != s.Office.MerchantID {
		t.Errorf("epoch %d, merchant %s", r.Epoch, r.Merchant.ID)
	}
}

func createsOnce(t *testing.T, s Shop) {
	once := tracking.Once{Key: "k", Hash: tracking.HashOf([]byte("body"))}
	create := func(once tracking.Once) (tracking.Record, error) {
		d, events := s.draft()
		return s.Ledger.Create(t.Context(), d, events, once)
	}
	first, err := create(once)
	must(t, err)
	again, err := create(once)
	must(t, err)
	if first.Delivery.ID != again.Delivery.ID {
		t.Error("the same key and hash made a second delivery")
	}
	_, err = create(tracking.Once{Key: "k", Hash: tracking.HashOf([]byte("other"))})
	wants(t, err, tracking.CodeIdempotencyUsed)
}

func externalIDs(t *testing.T, s Shop) {
	create := func(merchant tracking.ID) error {
		d, events := s.draft()
		d.ExternalID, d.MerchantID = "order-1", merchant
		_, err := s.Ledger.Create(t.Context(), d, events, tracking.Once{})
		return err
	}
	must(t, create(s.Office.MerchantID))
	wants(t, create(s.Office.MerchantID), tracking.CodeConflict)
	must(t, create(s.Stranger.MerchantID))
}

func notTheirs(t *testing.T, s Shop) {
	r := s.deliver(t, s.Sam.CourierID)
	never := func(tracking.Delivery, *tracking.Event) (tracking.Change, error) {
		t.Error("it came to a decision")
		return tracking.Change{}, errors.New("no")
	}
	_, err := s.Ledger.Change(t.Context(), s.Stranger.MerchantID, r.Delivery.ID, tracking.ID{}, "", never)
	wants(t, err, tracking.CodeNotFound)
	_, err = s.Ledger.Change(t.Context(), s.Office.MerchantID, tracking.NewID(), tracking.ID{}, "", never)
	wants(t, err, tracking.CodeNotFound)
	for _, joining := range []tracking.ID{s.Stranger.CourierID, tracking.NewID()} {
		_, err = s.Ledger.Change(t.Context(), s.Office.MerchantID, r.Delivery.ID, joining, "", never)
		wants(t, err, tracking.CodeInvalid)
		d, events := s.draft()
		d.Status, d.CourierID = tracking.Assigned, joining
		_, err = s.Ledger.Create(t.Context(), d, events, tracking.Once{})
		wants(t, err, tracking.CodeInvalid)
	}
	_, err = s.Ledger.Reorder(t.Context(), s.Stranger.MerchantID, s.Sam.CourierID, nil, now())
	wants(t, err, tracking.CodeNotFound)
}

func errorChangesNothing(t *testing.T, s Shop) {
	before := s.deliver(t, s.Sam.CourierID)
	refusal := tracking.Errorf(tracking.CodeIllegalMove, "no")
	_, err := s.Ledger.Change(t.Context(), s.Office.MerchantID, before.Delivery.ID, s.Max.CourierID, "", func(d tracking.Delivery, _ *tracking.Event) (tracking.Change, error) {
		d.Status, d.CourierID = tracking.Cancelled, s.Max.CourierID
		return tracking.Change{Delivery: d}, refusal
	})
	if !errors.Is(err, error(refusal)) {
		t.Errorf("the error became %v", err)
	}
	if after := s.read(t, before.Delivery.ID); after.Delivery != before.Delivery || len(after.Events) != len(before.Events) {
		t.Errorf("before %+v\nafter  %+v", before, after)
	}
}

func noChange(t *testing.T, s Shop) {
	before := s.deliver(t, s.Sam.CourierID)
	if after := s.read(t, before.Delivery.ID); after.Delivery.Rev != before.Delivery.Rev {
		t.Errorf("rev went from %d to %d", before.Delivery.Rev, after.Delivery.Rev)
	}
}

func priorEvent(t *testing.T, s Shop) {
	r := s.deliver(t, s.Sam.CourierID)
	m := tracking.Move{To: tracking.PickedUp, ClientID: "a", Reason: "r", DeviceAt: now(), Proof: tracking.Proof{LeftAt: "l", Name: "n"}}
	_, err := s.move(t, r.Delivery.ID, m)
	must(t, err)
	for clientID, known := range map[string]bool{"a": true, "b": false, "": false} {
		_, err := s.Ledger.Change(t.Context(), s.Office.MerchantID, r.Delivery.ID, tracking.ID{}, clientID, func(d tracking.Delivery, prior *tracking.Event) (tracking.Change, error) {
			if (prior != nil) != known {
				t.Errorf("client id %q: prior %+v", clientID, prior)
			}
			if prior != nil && (prior.Ver != 3 || prior.Hash != m.Fingerprint() || prior.Actor.CourierID != s.Sam.CourierID || prior.Status != tracking.PickedUp) {
				t.Errorf("prior %+v", prior)
			}
			return tracking.Change{Delivery: d}, nil
		})
		must(t, err)
	}
}

func countsStops(t *testing.T, s Shop) {
	var ids []tracking.ID
	for range 4 {
		ids = append(ids, s.deliver(t, s.Sam.CourierID).Delivery.ID)
	}
	s.stops(t, ids, 0, 1, 2, 3)
	records, err := s.move(t, ids[1], tracking.Move{To: tracking.Created})
	must(t, err)
	if len(records) != 3 || records[0].Delivery.ID != ids[1] {
		t.Errorf("%d records for a stop taken out and two that moved up", len(records))
	}
	s.stops(t, []tracking.ID{ids[0], ids[2], ids[3]}, 0, 1, 2)
	for _, to := range []tracking.Status{tracking.PickedUp, tracking.Failed} {
		_, err = s.move(t, ids[0], tracking.Move{To: to})
		must(t, err)
	}
	s.stops(t, []tracking.ID{ids[2], ids[3]}, 0, 1)
	_, err = s.move(t, ids[0], tracking.Move{To: tracking.EnRoute})
	must(t, err)
	s.stops(t, []tracking.ID{ids[0], ids[2], ids[3]}, 0, 1, 2)
	_, err = s.assign(t, ids[1], s.Max.CourierID)
	must(t, err)
	s.stops(t, []tracking.ID{ids[1]}, 0)
}

func (s Shop) stops(t *testing.T, ids []tracking.ID, want ...int) {
	t.Helper()
	for i, id := range ids {
		if got := s.read(t, id).Delivery.StopsBefore; got != want[i] {
			t.Errorf("stop %d has %d before it, want %d", i, got, want[i])
		}
	}
}

func racingChanges(t *testing.T, s Shop) {
	r := s.deliver(t, s.Sam.CourierID)
	for _, to := range []tracking.Status{tracking.PickedUp, tracking.EnRoute} {
		_, err := s.move(t, r.Delivery.ID, tracking.Move{To: to})
		must(t, err)
	}
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			// To arriving and back again: whatever the order, one of the two is legal.
			for _, to := range []tracking.Status{tracking.Arriving, tracking.EnRoute} {
				if _, err := s.move(t, r.Delivery.ID, tracking.Move{To: to, ClientID: fmt.Sprint(to, i)}); err != nil && tracking.CodeOf(err) != tracking.CodeIllegalMove {
					t.Errorf("a race ended with %v", err)
				}
			}
		})
	}
	wait.Wait()
	after := s.read(t, r.Delivery.ID)
	if after.Delivery.Ver != int64(len(after.Events)) {
		t.Errorf("ver %d after %d events", after.Delivery.Ver, len(after.Events))
	}
	for i, e := range after.Events {
		if e.Ver != int64(i+1) || i > 0 && !after.Events[i-1].Status.CanBecome(e.Status) {
			t.Errorf("event %d is %+v after %s", i, e, after.Events[max(0, i-1)].Status)
		}
	}
}

func reorders(t *testing.T, s Shop) {
	var ids []tracking.ID
	for range 4 {
		ids = append(ids, s.deliver(t, s.Sam.CourierID).Delivery.ID)
	}
	elsewhere := s.deliver(t, s.Max.CourierID)
	records, err := s.Ledger.Reorder(t.Context(), s.Office.MerchantID, s.Sam.CourierID, []tracking.ID{ids[2], ids[1]}, now())
	must(t, err)
	s.stops(t, []tracking.ID{ids[2], ids[1], ids[0], ids[3]}, 0, 1, 2, 3)
	if len(records) != 2 {
		t.Errorf("%d records, want the two stops whose place changed", len(records))
	}
	for _, wrong := range []tracking.ID{elsewhere.Delivery.ID, tracking.NewID()} {
		_, err := s.Ledger.Reorder(t.Context(), s.Office.MerchantID, s.Sam.CourierID, []tracking.ID{wrong}, now())
		wants(t, err, tracking.CodeInvalid)
	}
	s.stops(t, []tracking.ID{ids[2], ids[1], ids[0], ids[3]}, 0, 1, 2, 3)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wants(t *testing.T, err error, code tracking.Code) {
	t.Helper()
	if tracking.CodeOf(err) != code {
		t.Errorf("got %v, want %s", err, code)
	}
}
