package postgres_test

import (
	"context"
	"reflect"
	"testing"
	"time"

	"hotfoot/tracking"
)

func TestStore_MarkCouriersPublished(t *testing.T) {
	t.Parallel()
	unpublished := func(t *testing.T, s shop) []tracking.Courier {
		t.Helper()
		couriers, err := s.UnpublishedCouriers(t.Context(), time.Now().Add(time.Hour), 10)
		must(t, err)
		return couriers
	}
	t.Run("every change of a courier must be told, and what changes nothing need not", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		var told func(what string, want int64)
		told = func(what string, want int64) {
			t.Helper()
			couriers := unpublished(t, s)
			if want == 0 {
				if len(couriers) != 0 {
					t.Errorf("%s: untold are %+v", what, couriers)
				}
				return
			}
			if len(couriers) != 1 || couriers[0].ID != s.courier.ID || couriers[0].Rev != want {
				t.Fatalf("%s: untold are %+v, want rev %d", what, couriers, want)
			}
			must(t, s.MarkCouriersPublished(t.Context(), couriers))
			told(what+", told", 0)
		}
		told("hired: nobody has a copy", 0)
		_, _, err := s.SetDuty(t.Context(), s.courier.ID, false, now())
		must(t, err)
		told("off duty as before", 0)
		_, _, err = s.SetDuty(t.Context(), s.courier.ID, true, now())
		must(t, err)
		told("on duty", 2)
		_, _, err = s.UpdateCourier(t.Context(), s.merchant, s.courier.ID, func(c tracking.Courier) (tracking.Courier, error) {
			c.Phone = "+1"
			return c, nil
		})
		must(t, err)
		told("another phone", 3)
	})
	t.Run("a courier who has changed meanwhile stays untold", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		s.begin(t, s.courier)
		old := unpublished(t, s)
		off, _, err := s.SetDuty(t.Context(), s.courier.ID, false, now())
		must(t, err)
		must(t, s.MarkCouriersPublished(t.Context(), old))
		if left := unpublished(t, s); len(left) != 1 || !reflect.DeepEqual(left[0], off) {
			t.Errorf("left are %+v, want %+v", left, off)
		}
		must(t, s.MarkCouriersPublished(t.Context(), []tracking.Courier{off, old[0]}))
		must(t, s.MarkCouriersPublished(t.Context(), old)) // news from long ago
		if left := unpublished(t, s); len(left) != 0 {
			t.Errorf("left are %+v", left)
		}
	})
	t.Run("is not asked for what has just changed, nor for more than the limit, oldest first", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		s.begin(t, s.courier)
		s.begin(t, s.hire(t, "Kim"))
		if early, err := s.UnpublishedCouriers(t.Context(), time.Now().Add(-time.Minute), 10); err != nil || len(early) != 0 {
			t.Errorf("got %v, %v", early, err)
		}
		if one, err := s.UnpublishedCouriers(t.Context(), time.Now().Add(time.Minute), 1); err != nil || len(one) != 1 || one[0].Name != "Sam" {
			t.Errorf("got %+v, %v", one, err)
		}
		_, _, err := s.SetDuty(t.Context(), s.courier.ID, false, now().Add(time.Second))
		must(t, err)
		if one, err := s.UnpublishedCouriers(t.Context(), time.Now().Add(time.Minute), 1); err != nil || len(one) != 1 || one[0].Name != "Kim" {
			t.Errorf("after Sam changed: %+v, %v", one, err)
		}
	})
	t.Run("waits for nobody who holds a courier", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		s.begin(t, s.courier)
		s.begin(t, s.hire(t, "Kim"))
		tx, err := s.pool.Begin(t.Context())
		must(t, err)
		defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }()
		_, err = tx.Exec(t.Context(), "SELECT FROM couriers WHERE id = $1 FOR NO KEY UPDATE", s.courier.ID)
		must(t, err)
		must(t, s.MarkCouriersPublished(t.Context(), unpublished(t, s)))
		if left := unpublished(t, s); len(left) != 1 || left[0].ID != s.courier.ID {
			t.Errorf("left are %+v, want the one who is being changed", left)
		}
	})
}

// begin puts a courier on duty, which everybody must be told.
func (s *shop) begin(t *testing.T, c tracking.Courier) {
	t.Helper()
	_, _, err := s.SetDuty(t.Context(), c.ID, true, now())
	must(t, err)
}

func TestStore_Revisions(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	a, b := s.create(t, s.courier), s.create(t, tracking.Courier{})
	a = s.report(t, a, tracking.PickedUp)
	// The time, so that a restore to before the last raise does not lead to the same number again.
	raised, err := s.RaiseEpoch(t.Context())
	if age := time.Since(time.Unix(raised, 0)); err != nil || age < 0 || age > time.Minute {
		t.Errorf("the epoch was raised to %d, %v", raised, err)
	}
	if epoch, err := s.Epoch(t.Context()); err != nil || epoch != raised {
		t.Errorf("the epoch is %d, %v", epoch, err)
	}
	if again, err := s.RaiseEpoch(t.Context()); err != nil || again <= raised {
		t.Errorf("raised again at once it is %d after %d, %v", again, raised, err)
	}
	ids := []tracking.ID{b.Delivery.ID, tracking.NewID(), a.Delivery.ID, b.Delivery.ID}
	revisions, err := s.Revisions(t.Context(), ids)
	must(t, err)
	records, err := s.Records(t.Context(), ids)
	must(t, err)
	if len(revisions) != 4 || len(records) != 3 || revisions[1] != (tracking.Revision{}) {
		t.Fatalf("got %+v and %d records", revisions, len(records))
	}
	for i, n := range []int{0, 2, 3} {
		if records[i].Delivery.ID != ids[n] || records[i].Revision() != revisions[n] || revisions[n].Epoch <= raised || revisions[n].Rev < 1 {
			t.Errorf("record %d is %+v, its revision is said to be %+v", i, records[i], revisions[n])
		}
	}
	if len(records[1].Events) != 3 || records[1].Events[2].Status != tracking.PickedUp {
		t.Errorf("the events are %+v", records[1].Events)
	}
	none, err := s.Revisions(t.Context(), nil)
	if err != nil || len(none) != 0 {
		t.Errorf("of nothing: %v, %v", none, err)
	}
}
