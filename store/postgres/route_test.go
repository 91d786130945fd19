package postgres_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"hotfoot/tracking"
)

func TestStore_Reorder(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	var ids []tracking.ID
	for range 4 {
		ids = append(ids, s.create(t, s.courier).Delivery.ID)
	}
	reorder := func(t *testing.T, order ...tracking.ID) []tracking.Record {
		t.Helper()
		changed, err := s.Reorder(t.Context(), s.merchant, s.courier.ID, order, now())
		must(t, err)
		return changed
	}
	changed := reorder(t, ids[2], ids[0])
	if got := s.stops(t, s.courier); !slices.Equal(got, []tracking.ID{ids[2], ids[0], ids[1], ids[3]}) {
		t.Errorf("the route is %v; those not named must stay behind in their order", got)
	}
	if len(changed) != 3 {
		t.Errorf("%d stops changed, want the three that moved", len(changed))
	}
	for _, r := range changed {
		if r.Delivery.Rev < 2 || len(r.Events) != 2 {
			t.Errorf("changed is %+v", r)
		}
	}
	if again := reorder(t, ids[2], ids[0], ids[1], ids[3]); len(again) != 0 {
		t.Errorf("the same order changes %d", len(again))
	}
	reorder(t)

	other := s.create(t, s.hire(t, "Kim"))
	for _, strange := range []tracking.ID{other.Delivery.ID, tracking.NewID()} {
		_, err := s.Reorder(t.Context(), s.merchant, s.courier.ID, []tracking.ID{ids[0], strange}, now())
		wantCode(t, err, tracking.CodeInvalid)
	}
	_, err := s.Reorder(t.Context(), s.merchant, tracking.NewID(), ids, now())
	wantCode(t, err, tracking.CodeNotFound)
	_, err = s.Reorder(t.Context(), tracking.NewID(), s.courier.ID, ids, now())
	wantCode(t, err, tracking.CodeNotFound)

	// A courier whose row is held by somebody exists all the same.
	tx, err := s.pool.Begin(t.Context())
	must(t, err)
	defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }()
	_, err = tx.Exec(t.Context(), "SELECT FROM couriers WHERE id = $1 FOR UPDATE", s.courier.ID)
	must(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = s.Reorder(ctx, s.merchant, s.courier.ID, ids, now())
	wantCode(t, err, tracking.CodeUnavailable)
}

func TestStore_Change_places_a_stop(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	var want []tracking.ID
	for _, index := range []int{0, 0, 1, 99, 2} {
		r := s.create(t, tracking.Courier{})
		_, err := s.dispatch().Assign(t.Context(), s.actor, r.Delivery.ID, s.courier.ID, &index)
		must(t, err)
		want = slices.Insert(want, min(index, len(want)), r.Delivery.ID)
		if got := s.stops(t, s.courier); !slices.Equal(got, want) {
			t.Fatalf("placed at %d the route is %v, want %v", index, got, want)
		}
	}
	// Moved within the route.
	last := len(want) - 1
	_, err := s.dispatch().Assign(t.Context(), s.actor, want[0], s.courier.ID, &last)
	must(t, err)
	want = append(want[1:], want[0])
	if got := s.stops(t, s.courier); !slices.Equal(got, want) {
		t.Errorf("the route is %v, want %v", got, want)
	}
}

func TestStore_Route_follows_what_happens(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	a, b, c := s.create(t, s.courier), s.create(t, s.courier), s.create(t, s.courier)
	s.report(t, a, tracking.PickedUp, tracking.EnRoute, tracking.Failed)
	if got := s.stops(t, s.courier); !slices.Equal(got, []tracking.ID{b.Delivery.ID, c.Delivery.ID, a.Delivery.ID}) {
		t.Errorf("a failed stop must come last: %v", got)
	}
	s.report(t, b, tracking.PickedUp, tracking.EnRoute, tracking.Arriving, tracking.Delivered)
	if got := s.stops(t, s.courier); !slices.Equal(got, []tracking.ID{c.Delivery.ID, a.Delivery.ID}) {
		t.Errorf("the route is %v", got)
	}
	s.report(t, a, tracking.EnRoute)
	if got := s.stops(t, s.courier); !slices.Equal(got, []tracking.ID{a.Delivery.ID, c.Delivery.ID}) {
		t.Errorf("the second try has its old place: %v", got)
	}
}

func TestStore_Deliveries(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	var made []tracking.ID
	for i := range 7 {
		courier := tracking.Courier{}
		if i%2 == 0 {
			courier = s.courier
		}
		made = append(made, s.create(t, courier).Delivery.ID)
	}
	slices.Reverse(made)
	list := func(f tracking.Filter) (ids []tracking.ID) {
		t.Helper()
		records, err := s.Deliveries(t.Context(), s.merchant, f)
		must(t, err)
		for _, r := range records {
			ids = append(ids, r.Delivery.ID)
		}
		return ids
	}
	var paged []tracking.ID
	for page := list(tracking.Filter{Limit: 3}); len(page) > 0; page = list(tracking.Filter{Limit: 3, Before: paged[len(paged)-1]}) {
		paged = append(paged, page...)
	}
	if !slices.Equal(paged, made) {
		t.Errorf("page by page: %v, want %v", paged, made)
	}
	if got := list(tracking.Filter{Courier: s.courier.ID, Limit: 10}); len(got) != 4 {
		t.Errorf("%d of the courier, want 4", len(got))
	}
	if got := list(tracking.Filter{Statuses: []tracking.Status{tracking.Created, tracking.Delivered}, Limit: 10}); len(got) != 3 {
		t.Errorf("%d created, want 3", len(got))
	}
	if others, err := s.Deliveries(t.Context(), tracking.NewID(), tracking.Filter{Limit: 10}); err != nil || len(others) != 0 {
		t.Errorf("somebody else sees %d, %v", len(others), err)
	}
	if active, err := s.Active(t.Context(), s.merchant, 10); err != nil || len(active) != 7 {
		t.Errorf("%d active, %v", len(active), err)
	}
	counts, err := s.Counts(t.Context(), s.merchant, now(), now().Add(-time.Hour))
	must(t, err)
	if want := (tracking.Counts{Active: 7, Unassigned: 3}); counts != want {
		t.Errorf("the counts are %+v, want %+v", counts, want)
	}
}
