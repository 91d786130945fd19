package redisstore_test

import (
	"slices"
	"testing"

	"hotfoot/store/redisstore"
	"hotfoot/tracking"
	"hotfoot/tracking/key"
)

// After a restore of Postgres, Redis remembers a future that did not happen.
func TestStore_SetEpoch(t *testing.T) {
	t.Parallel()
	t.Run("makes a record of a lower epoch a miss", func(t *testing.T) {
		t.Parallel()
		h := newHot(t)
		r := record(9)
		must(t, h.Announce(t.Context(), r))
		restored := r
		restored.Epoch, restored.Delivery.Rev = 2, 4
		h.truth.know(restored)
		if got, err := h.Record(t.Context(), r.Delivery.ID); err != nil || got.Revision() != r.Revision() {
			t.Errorf("before it is known: %+v, %v", got.Revision(), err)
		}
		h.SetEpoch(2)
		if revs, err := h.Revs(t.Context(), []tracking.ID{r.Delivery.ID}); err != nil || revs[0] != (tracking.Revision{}) {
			t.Errorf("revisions %v, %v, want none", revs, err)
		}
		for range 3 {
			if got, err := h.Record(t.Context(), r.Delivery.ID); err != nil || got.Revision() != restored.Revision() {
				t.Errorf("got %+v, %v", got.Revision(), err)
			}
		}
		if n := h.truth.asked.Load(); n != 1 {
			t.Errorf("the truth was asked %d times, want once", n)
		}
		if revs, err := h.Revs(t.Context(), []tracking.ID{r.Delivery.ID}); err != nil || revs[0] != restored.Revision() {
			t.Errorf("revisions %v, %v", revs, err)
		}
	})
	t.Run("does not hide a change that was committed while it was raised", func(t *testing.T) {
		t.Parallel()
		h := newHot(t)
		before := record(4)
		before.Epoch = 2
		h.truth.know(before)
		h.SetEpoch(2)
		_, err := h.Fresh(t.Context(), before.Delivery.ID)
		must(t, err)
		changed := before
		changed.Delivery.Rev = 5
		h.truth.know(changed)
		changed.Epoch = 1 // as it was when the change began
		must(t, h.Announce(t.Context(), changed))
		want := tracking.Revision{Epoch: 2, Rev: 5}
		if got, err := h.Record(t.Context(), before.Delivery.ID); err != nil || got.Revision() != want {
			t.Errorf("it is read as %+v, %v", got.Revision(), err)
		}
		if revs, err := h.Revs(t.Context(), []tracking.ID{before.Delivery.ID}); err != nil || revs[0] != want {
			t.Errorf("revisions %v, %v", revs, err)
		}
	})
	t.Run("takes back what was durable, and what was accepted", func(t *testing.T) {
		t.Parallel()
		h := newHot(t)
		c := h.courier()
		h.SetEpoch(1)
		h.truth.durable = 60
		_, err := h.Place(t.Context(), placement(c, fix(1), 61, 62))
		must(t, err)
		must(t, h.MarkDurable(t.Context(), mark(c, 100)))
		placed, err := h.Place(t.Context(), placement(c, fix(2), 101))
		if err != nil || placed.Durable != 100 || !slices.Equal(placed.Known, []tracking.Span{{First: 61, Last: 62}}) {
			t.Errorf("placed %+v, %v", placed, err)
		}
		asked := h.truth.asked.Load()
		h.SetEpoch(2)
		placed, err = h.Place(t.Context(), placement(c, fix(3), 102))
		if err != nil || placed.Durable != 60 || placed.Known != nil {
			t.Errorf("placed %+v, %v, want 60 durable and nothing accepted: what was may be gone from both stores", placed, err)
		}
		if n := h.truth.asked.Load() - asked; n != 2 {
			t.Errorf("the truth was asked %d times, want for the courier and the session", n)
		}
		placed, err = h.Place(t.Context(), placement(c, fix(4), 103))
		if err != nil || !slices.Equal(placed.Known, []tracking.Span{{First: 102, Last: 102}}) || h.truth.asked.Load()-asked != 2 {
			t.Errorf("placed %+v, %v, with %d questions", placed, err, h.truth.asked.Load()-asked)
		}
		if n := h.waiting(t, c.ID); n != 4 {
			t.Errorf("%d batches wait, want 4", n)
		}
	})
	t.Run("takes back who is on duty", func(t *testing.T) {
		t.Parallel()
		h := newHot(t)
		c := h.courier()
		h.SetEpoch(1)
		_, err := h.Place(t.Context(), placement(c, fix(1), 1))
		must(t, err)
		h.truth.mu.Lock()
		restored := c
		restored.OnDuty, restored.Rev = false, c.Rev-1
		h.truth.couriers[c.ID] = restored
		h.truth.mu.Unlock()
		h.SetEpoch(2)
		_, err = h.Place(t.Context(), placement(c, fix(2), 2))
		wantCode(t, err, tracking.CodeOffShift)
		if newest, err := h.newest(t.Context(), c.ID); err != nil || newest != nil {
			t.Errorf("the newest is %v, %v", newest, err)
		}
	})
	t.Run("lets no news of a lower epoch pass, nor get lost", func(t *testing.T) {
		t.Parallel()
		h := newHot(t)
		behind := redisstore.New(h.client, h.truth, redisstore.Config{})
		behind.SetEpoch(2)
		h.SetEpoch(3)
		h.SetEpoch(1) // it never goes down
		c := h.courier()
		must(t, h.KeepCourier(t.Context(), c))
		must(t, h.MarkDurable(t.Context(), mark(c, 5)))
		c.Rev, c.OnDuty = 90, false
		wantCode(t, behind.KeepCourier(t.Context(), c), tracking.CodeUnavailable)
		must(t, behind.MarkDurable(t.Context(), mark(c, 50)))
		if duty := h.client.HGet(t.Context(), key.Courier(c.ID), "duty").Val(); duty != "1" || h.durable(t, c) != 5 {
			t.Errorf("duty %s, durable %d, want 1 and 5", duty, h.durable(t, c))
		}
		behind.SetEpoch(3)
		must(t, behind.KeepCourier(t.Context(), c))
		if duty := h.client.HGet(t.Context(), key.Courier(c.ID), "duty").Val(); duty != "0" {
			t.Errorf("duty %s, want 0", duty)
		}
	})
	t.Run("compares nothing until it is known", func(t *testing.T) {
		t.Parallel()
		h := newHot(t)
		unknowing := redisstore.New(h.client, h.truth, redisstore.Config{})
		h.SetEpoch(4)
		c := h.courier()
		_, err := h.Place(t.Context(), placement(c, fix(1), 1))
		must(t, err)
		asked := h.truth.asked.Load()
		_, err = unknowing.Place(t.Context(), placement(c, fix(2), 2))
		must(t, err)
		must(t, unknowing.MarkDurable(t.Context(), mark(c, 2)))
		c.Rev++
		must(t, unknowing.KeepCourier(t.Context(), c))
		if fields := h.client.HMGet(t.Context(), key.Courier(c.ID), "rev", "epoch").Val(); fields[0] != "3" || fields[1] != "4" {
			t.Errorf("rev and epoch are %v, want 3 and still 4", fields)
		}
		if placed, err := h.Place(t.Context(), placement(c, fix(3), 3)); err != nil || placed.Durable != 2 || h.truth.asked.Load() != asked {
			t.Errorf("placed %+v, %v", placed, err)
		}
	})
	t.Run("forgets what is owed", func(t *testing.T) {
		t.Parallel()
		h := newHotAt(t, away, redisstore.Config{})
		h.SetEpoch(1)
		c := h.courier()
		wantCode(t, h.MarkDurable(t.Context(), mark(c, 5)), tracking.CodeUnavailable)
		h.SetEpoch(1)
		if waiting, _ := h.Owed(); waiting != 1 {
			t.Errorf("%d are owed, want 1", waiting)
		}
		h.SetEpoch(2)
		if waiting, _ := h.Owed(); waiting != 0 {
			t.Errorf("%d are owed, want none", waiting)
		}
		must(t, h.Settle(t.Context()))
	})
}
