package postgres_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"hotfoot/tracking"
)

func (s shop) amend(t *testing.T, change func(*tracking.Merchant)) tracking.Merchant {
	t.Helper()
	m, err := s.UpdateMerchant(t.Context(), s.merchant, func(m tracking.Merchant) (tracking.Merchant, error) {
		change(&m)
		return m, nil
	})
	must(t, err)
	return m
}

func TestStore_UpdateMerchant(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	r := s.create(t, s.courier)
	want := tracking.Merchant{ID: s.merchant, Name: "Corner Kitchen", VisibleStops: 7, VisibleFrom: tracking.Arriving, RoundingM: 250, Delay: 90 * time.Second}
	got := s.amend(t, func(m *tracking.Merchant) { *m = want })
	read, err := s.MerchantOf(t.Context(), s.merchant)
	must(t, err)
	again, err := s.Merchant(t.Context(), "Corner Kitchen", now())
	must(t, err)
	r, err = s.Record(t.Context(), r.Delivery.ID)
	must(t, err)
	for what, m := range map[string]tracking.Merchant{"answered": got, "read": read, "found by its name": again, "in a record": r.Merchant} {
		if m != want {
			t.Errorf("%s: %+v, want %+v", what, m, want)
		}
	}
	_, err = s.UpdateMerchant(t.Context(), s.merchant, func(m tracking.Merchant) (tracking.Merchant, error) {
		m.RoundingM = 1
		return m, tracking.Invalid("rounding_m", "no")
	})
	wantCode(t, err, tracking.CodeInvalid)
	_, err = s.UpdateMerchant(t.Context(), tracking.NewID(), func(m tracking.Merchant) (tracking.Merchant, error) { return m, nil })
	wantCode(t, err, tracking.CodeNotFound)
	_, err = s.MerchantOf(t.Context(), tracking.NewID())
	wantCode(t, err, tracking.CodeNotFound)
	if read, err = s.MerchantOf(t.Context(), s.merchant); err != nil || read != want {
		t.Errorf("it has become %+v, %v", read, err)
	}
}

func TestStore_hiddenZones(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	r := s.create(t, s.courier)
	zones := []tracking.Zone{{Lat: 37.78, Lon: -122.41, RadiusM: 50}, {Lat: -90, Lon: 180, RadiusM: 2000}}
	c, records, err := s.UpdateCourier(t.Context(), s.merchant, s.courier.ID, func(c tracking.Courier) (tracking.Courier, error) {
		c.HiddenZones = zones
		return c, nil
	})
	must(t, err)
	r, err = s.Record(t.Context(), r.Delivery.ID)
	must(t, err)
	for what, got := range map[string][]tracking.Zone{"answered": c.HiddenZones, "announced": records[0].Courier.HiddenZones, "in the record": r.Courier.HiddenZones} {
		if !slices.Equal(got, zones) {
			t.Errorf("%s: %v, want %v", what, got, zones)
		}
	}
}

// passOn goes on until nobody is owed anything, and answers who was told in each step.
func (s shop) passOn(t *testing.T, couriers int) (steps [][]tracking.Record) {
	t.Helper()
	for {
		records, owing, err := s.PassOn(t.Context(), couriers, now())
		must(t, err)
		if !owing {
			return steps
		}
		steps = append(steps, records)
	}
}

func TestStore_PassOn(t *testing.T) {
	t.Parallel()
	t.Run("reaches every delivery under way, in steps, and no other", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		if steps := s.passOn(t, 2); steps != nil {
			t.Errorf("nothing was changed, and told were %v", steps)
		}
		under := map[tracking.ID]int64{}
		var others []tracking.Record
		for range 5 {
			c := s.hire(t, "Kim")
			s.phone = s.phoneOf(c)
			for range 2 {
				r := s.report(t, s.create(t, c), tracking.PickedUp, tracking.EnRoute)
				under[r.Delivery.ID] = 0
			}
			others = append(others, s.create(t, c), s.report(t, s.create(t, c), tracking.PickedUp, tracking.Failed))
		}
		for id := range under {
			r, err := s.Record(t.Context(), id)
			must(t, err)
			under[id] = r.Delivery.Rev
		}
		s.amend(t, func(m *tracking.Merchant) { m.RoundingM = 500 })
		steps := s.passOn(t, 2)
		if len(steps) != 3 {
			t.Errorf("it took %d steps for five couriers, want 3", len(steps))
		}
		told := 0
		for _, records := range steps {
			if len(records) > 4 {
				t.Errorf("%d were told in one step", len(records))
			}
			for _, r := range records {
				told++
				if rev, there := under[r.Delivery.ID]; !there || r.Delivery.Rev <= rev || r.Merchant.RoundingM != 500 || len(r.Events) != 4 {
					t.Errorf("told was %+v", r)
				}
			}
		}
		if told != len(under) {
			t.Errorf("%d were told, want %d", told, len(under))
		}
		for _, r := range others {
			if after, err := s.Record(t.Context(), r.Delivery.ID); err != nil || after.Delivery.UpdatedAt.After(r.Delivery.UpdatedAt) && after.Delivery.StopsBefore == r.Delivery.StopsBefore {
				t.Errorf("%s was touched: %+v, %v", r.Delivery.Status, after, err)
			}
		}
		s.amend(t, func(*tracking.Merchant) {})
		if steps := s.passOn(t, 2); steps != nil {
			t.Errorf("nothing was changed again, and told were %v", steps)
		}
	})
	t.Run("leaves what it could not announce to the sweep", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		r := s.report(t, s.create(t, s.courier), tracking.PickedUp, tracking.EnRoute)
		must(t, s.MarkPublished(t.Context(), []tracking.Record{r}))
		s.amend(t, func(m *tracking.Merchant) { m.VisibleStops = 0 })
		s.passOn(t, 10) // and whoever did it is gone
		left, err := s.Unpublished(t.Context(), now().Add(time.Second), 10)
		must(t, err)
		if len(left) != 1 || left[0].Merchant.VisibleStops != 0 {
			t.Errorf("left is %+v", left)
		}
	})
	t.Run("begins anew when settings change while it is at it", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		for range 3 {
			s.phone = s.phoneOf(s.hire(t, "Kim"))
			s.report(t, s.create(t, tracking.Courier{ID: s.phone.CourierID}), tracking.PickedUp, tracking.EnRoute)
		}
		s.amend(t, func(m *tracking.Merchant) { m.RoundingM = 500 })
		_, owing, err := s.PassOn(t.Context(), 1, now())
		must(t, err)
		s.amend(t, func(m *tracking.Merchant) { m.RoundingM = 600 })
		told := map[tracking.ID]bool{}
		for _, records := range s.passOn(t, 1) {
			for _, r := range records {
				told[r.Delivery.ID] = r.Merchant.RoundingM == 600
			}
		}
		if !owing || len(told) != 3 {
			t.Errorf("owing %v; told of the newest were %v", owing, told)
		}
	})
	t.Run("waits for who is just setting out", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		r := s.report(t, s.create(t, s.courier), tracking.PickedUp)
		setting, err := s.pool.Begin(t.Context())
		must(t, err)
		defer func() { _ = setting.Rollback(context.WithoutCancel(t.Context())) }()
		_, err = setting.Exec(t.Context(), "SELECT FROM couriers WHERE id = $1 FOR NO KEY UPDATE", s.courier.ID)
		must(t, err)
		_, err = setting.Exec(t.Context(), "UPDATE deliveries SET status = 'en_route', rev = rev + 1 WHERE id = $1", r.Delivery.ID)
		must(t, err)
		s.amend(t, func(m *tracking.Merchant) { m.RoundingM = 500 })
		told := make(chan []tracking.Record, 1)
		go func() {
			records, _, err := s.PassOn(t.Context(), 10, now())
			if err != nil {
				t.Error(err)
			}
			told <- records
		}()
		for waiting := false; !waiting; {
			select {
			case records := <-told:
				t.Fatalf("told of %v before it is known who sets out", records)
			default:
			}
			must(t, s.pool.QueryRow(t.Context(), "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'").Scan(&waiting))
		}
		must(t, setting.Commit(t.Context()))
		if records := <-told; len(records) != 1 || records[0].Delivery.Status != tracking.EnRoute || records[0].Merchant.RoundingM != 500 {
			t.Errorf("told was %+v", records)
		}
	})
	// A courier sets out while the merchant changes its mind: whichever is first, the last that is announced has the new settings.
	t.Run("misses nobody who sets out meanwhile, and ends in no deadlock", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		const couriers, rounds = 6, 12
		phones := make([]tracking.Actor, couriers)
		for i := range phones {
			phones[i] = s.phoneOf(s.hire(t, "Kim"))
		}
		var mu sync.Mutex
		newest := map[tracking.ID]tracking.Record{}
		tell := func(records ...tracking.Record) {
			mu.Lock()
			defer mu.Unlock()
			for _, r := range records {
				if old, there := newest[r.Delivery.ID]; !there || r.NewerThan(&old) {
					newest[r.Delivery.ID] = r
				}
			}
		}
		dispatch := tracking.NewDispatch(s.Store, tracking.NewRelay(s.Store, listener{tell: tell}, tracking.RelayConfig{}, nil), now)
		stop, ended := context.WithCancel(t.Context())
		var passing, riding sync.WaitGroup
		for range 2 {
			passing.Go(func() {
				for stop.Err() == nil {
					records, _, err := s.PassOn(t.Context(), 2, now())
					if err != nil {
						t.Error(err)
					}
					tell(records...)
				}
			})
		}
		for _, phone := range phones {
			riding.Go(func() {
				for range rounds {
					r, err := dispatch.Create(t.Context(), s.actor, tracking.Draft{Pickup: shopPlace, Dropoff: home, CourierID: phone.CourierID}, tracking.Once{})
					for _, status := range []tracking.Status{tracking.PickedUp, tracking.EnRoute} {
						if err == nil {
							_, err = dispatch.Report(t.Context(), phone, r.Delivery.ID, tracking.Move{To: status, ClientID: tracking.NewID().String(), Actor: phone})
						}
					}
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		last := 0
		for round := range rounds {
			last = tracking.MinRoundingM + round
			s.amend(t, func(m *tracking.Merchant) { m.RoundingM = last })
		}
		riding.Wait()
		ended()
		passing.Wait()
		for _, records := range s.passOn(t, 2) {
			tell(records...)
		}
		for id, r := range newest {
			if r.Delivery.Status.Underway() && r.Merchant.RoundingM != last {
				t.Errorf("%s was last announced with %d of %d", id, r.Merchant.RoundingM, last)
			}
		}
	})
}

// listener is an Announcer that hears everything.
type listener struct {
	deaf
	tell func(...tracking.Record)
}

func (l listener) Announce(_ context.Context, records ...tracking.Record) error {
	l.tell(records...)
	return nil
}
