package postgres_test

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"hotfoot/tracking"
)

// someDay is a day that is over.
const someDay = tracking.Day(20_000)

const completeSQL = `
INSERT INTO deliveries (id, merchant_id, status, ver, courier_id, pickup_lat, pickup_lon, dropoff_lat, dropoff_lon, window_to, created_at, updated_at, finished_at)
VALUES ($1, $2, $3, 1, $4, 1, 2, 3, 4, $5, $6, $6, $6)`

// finish adds a delivery that ended at a moment; promised is nil when nobody was promised a time.
func (s shop) finish(t *testing.T, courier tracking.Courier, status tracking.Status, when time.Time, promised *time.Time) tracking.ID {
	t.Helper()
	id := tracking.NewID()
	_, err := s.pool.Exec(t.Context(), completeSQL, id, courier.MerchantID, status, courier.ID, promised, when)
	must(t, err)
	return id
}

func TestStore_Standings(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	want := map[tracking.ID]*tracking.Standing{}
	var completions []tracking.Completion
	couriers := []tracking.Courier{s.courier, s.hire(t, "Max"), s.hire(t, "Kim"), s.hire(t, "Ann"), s.hire(t, "Noor")}
	for range 200 {
		c := couriers[rand.N(4)] // Noor has a day off
		when := someDay.Start().Add(rand.N(24 * time.Hour)).Truncate(time.Microsecond)
		promises := []*time.Time{nil, new(when), new(when.Add(-time.Microsecond))}
		promise := rand.N(3)
		id := s.finish(t, c, tracking.Delivered, when, promises[promise])
		completions = append(completions, tracking.Completion{Delivery: id, Courier: c.ID, Promised: promise > 0, OnTime: promise == 1})
		of := want[c.ID]
		if of == nil {
			of = &tracking.Standing{CourierID: c.ID, Name: c.Name}
			want[c.ID] = of
		}
		of.Delivered++
		of.Promised += min(promise, 1)
		of.OnTime += promise % 2
	}
	// What is not counted: other days, other ends, other merchants.
	s.finish(t, couriers[4], tracking.Delivered, someDay.Start().Add(-time.Microsecond), nil)
	s.finish(t, couriers[4], tracking.Delivered, someDay.Next().Start(), nil)
	s.finish(t, couriers[4], tracking.Returned, someDay.Start(), nil)
	other, err := s.Merchant(t.Context(), "Another kitchen", time.Now())
	must(t, err)
	stranger := s.hire(t, "Stranger")
	stranger.MerchantID = other.ID
	s.finish(t, stranger, tracking.Delivered, someDay.Start(), nil)

	var board []tracking.Standing
	for _, of := range want {
		board = append(board, *of)
	}
	slices.SortFunc(board, func(a, b tracking.Standing) int {
		shareA, _ := a.Share()
		shareB, _ := b.Share()
		return cmp.Or(cmp.Compare(b.Delivered, a.Delivered), cmp.Compare(shareB, shareA), slices.Compare(b.CourierID[:], a.CourierID[:]))
	})
	check := func(t *testing.T) {
		t.Helper()
		got, err := s.Store.Standings(t.Context(), s.merchant, someDay, 100)
		if err != nil || !slices.Equal(got, board) {
			t.Errorf("got  %v, %v\nwant %v", got, err, board)
		}
		if best, err := s.Store.Standings(t.Context(), s.merchant, someDay, 2); err != nil || !slices.Equal(best, board[:2]) {
			t.Errorf("the best two are %v, %v", best, err)
		}
	}
	check(t)
	found, err := s.Completions(t.Context(), s.merchant, someDay)
	byID := func(a, b tracking.Completion) int { return slices.Compare(a.Delivery[:], b.Delivery[:]) }
	slices.SortFunc(found.All, byID)
	slices.SortFunc(completions, byID)
	if err != nil || found.Epoch != 1 || !slices.Equal(found.All, completions) {
		t.Errorf("%d completions of epoch %d, %v, want %d of 1", len(found.All), found.Epoch, err, len(completions))
	}
	if none, err := s.Completions(t.Context(), s.merchant, someDay+9); err != nil || none.Epoch != 1 || len(none.All) != 0 {
		t.Errorf("of a day without any: %v, %v", none, err)
	}

	of := tracking.MerchantDay{Merchant: s.merchant, Day: someDay}
	must(t, s.Seal(t.Context(), leaseOf(7), of))
	check(t)
	// A sealed day stays as it was, whatever becomes of its deliveries.
	_, err = s.pool.Exec(t.Context(), "DELETE FROM deliveries")
	must(t, err)
	check(t)
	must(t, s.Seal(t.Context(), leaseOf(8), of))
	check(t)

	names, err := s.Names(t.Context(), s.merchant, []tracking.ID{couriers[1].ID, couriers[2].ID, tracking.NewID()})
	if err != nil || len(names) != 2 || names[couriers[1].ID] != "Max" || names[couriers[2].ID] != "Kim" {
		t.Errorf("names are %v, %v", names, err)
	}
	if names, err := s.Names(t.Context(), other.ID, []tracking.ID{couriers[1].ID}); err != nil || len(names) != 0 {
		t.Errorf("another merchant is told %v, %v", names, err)
	}
}

func leaseOf(fence int64) tracking.Lease {
	return tracking.Lease{Resource: tracking.Resource{Work: "sealing"}, Fence: fence}
}

func TestStore_Unsealed(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	for _, day := range []tracking.Day{someDay - 1, someDay, someDay, someDay + 2, someDay + 3} {
		s.finish(t, s.courier, tracking.Delivered, day.Start(), nil)
	}
	s.finish(t, s.courier, tracking.Returned, (someDay + 1).Start(), nil)
	days := func() (days []tracking.Day) {
		found, err := s.Unsealed(t.Context(), someDay, someDay+3, 10)
		must(t, err)
		for _, of := range found {
			if of.Merchant != s.merchant {
				t.Errorf("a day of %s", of.Merchant)
			}
			days = append(days, of.Day)
		}
		return days
	}
	if got := days(); !slices.Equal(got, []tracking.Day{someDay, someDay + 2}) {
		t.Errorf("unsealed are %v", got)
	}
	if first, err := s.Unsealed(t.Context(), someDay, someDay+3, 1); err != nil || len(first) != 1 || first[0].Day != someDay {
		t.Errorf("the first is %v, %v", first, err)
	}
	must(t, s.Seal(t.Context(), leaseOf(1), tracking.MerchantDay{Merchant: s.merchant, Day: someDay}))
	if got := days(); !slices.Equal(got, []tracking.Day{someDay + 2}) {
		t.Errorf("then unsealed are %v", got)
	}
}

func TestStore_Seal(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	for day := range tracking.Day(4) {
		s.finish(t, s.courier, tracking.Delivered, (someDay + day).Start(), nil)
	}
	seal := func(day tracking.Day, fence int64) error {
		return s.Seal(t.Context(), leaseOf(fence), tracking.MerchantDay{Merchant: s.merchant, Day: someDay + day})
	}
	last := func() int64 {
		fence, err := s.LastFence(t.Context(), leaseOf(0).Resource)
		must(t, err)
		return fence
	}
	if last() != 0 {
		t.Errorf("before any the last fence is %d", last())
	}
	must(t, seal(0, 5))
	must(t, seal(1, 5)) // the same lease goes on
	must(t, seal(2, 9))
	wantCode(t, seal(3, 8), tracking.CodeConflict)
	if last() != 9 {
		t.Errorf("the last fence is %d, want 9", last())
	}
	var sealed int
	must(t, s.pool.QueryRow(t.Context(), "SELECT count(*) FROM sealed_standings").Scan(&sealed))
	if sealed != 3 {
		t.Errorf("%d days are sealed, want 3: what was refused must write nothing", sealed)
	}
	other := tracking.Lease{Resource: tracking.Resource{Work: "sealing", Of: tracking.NewID()}, Fence: 1}
	must(t, s.Seal(t.Context(), other, tracking.MerchantDay{Merchant: s.merchant, Day: someDay + 3}))
}
