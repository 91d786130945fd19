package redisstore_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"hotfoot/store/redisstore"
	"hotfoot/tracking"
	"hotfoot/tracking/key"
)

// An empty Redis must not cost Postgres a query for everybody who watches.
func TestStore_Record_shares_queries(t *testing.T) {
	t.Parallel()
	h := newHot(t)
	h.BePatient()
	const deliveries = 5000
	ids := make([]tracking.ID, deliveries)
	for i := range ids {
		r := record(int64(i) + 1)
		ids[i] = r.Delivery.ID
		h.truth.know(r)
	}
	h.truth.hold = make(chan struct{})
	var readers sync.WaitGroup
	var failures atomic.Int64
	for i, id := range ids {
		readers.Go(func() {
			if got, err := h.Record(t.Context(), id); err != nil || got.Delivery.ID != id || got.Delivery.Rev != int64(i)+1 {
				failures.Add(1)
			}
		})
	}
	awaitMisses(t, h.client, deliveries)
	close(h.truth.hold)
	readers.Wait()
	if n := failures.Load(); n > 0 {
		t.Errorf("%d of %d readers got nothing or something else", n, deliveries)
	}
	asked, largest := h.truth.asked.Load(), h.truth.largest.Load()
	// Two run with one delivery each; the rest would be 25 full ones, were nobody late.
	if asked > 60 || largest > 200 {
		t.Errorf("%d queries of at most %d deliveries, want some thirty of at most 200", asked, largest)
	}
	t.Logf("%d queries of at most %d deliveries for %d readers", asked, largest, deliveries)
	revs, err := h.Revs(t.Context(), ids)
	must(t, err)
	kept := 0
	for i, rev := range revs {
		if rev.Rev == int64(i)+1 {
			kept++
		}
	}
	if kept < deliveries {
		t.Errorf("%d of %d are kept", kept, deliveries)
	}
}

func TestStore_Record_finds_the_others_beside_one_that_cannot_be_read(t *testing.T) {
	t.Parallel()
	h := newHot(t)
	ids := make([]tracking.ID, 50)
	for i := range ids {
		r := record(1)
		ids[i] = r.Delivery.ID
		h.truth.know(r)
	}
	h.truth.poison, h.truth.hold = ids[33], make(chan struct{})
	unknown := tracking.NewID()
	var readers sync.WaitGroup
	for _, id := range append(ids, unknown) {
		readers.Go(func() {
			want := tracking.Code("")
			switch id {
			case ids[33]:
				want = tracking.CodeInternal
			case unknown:
				want = tracking.CodeNotFound
			}
			_, err := h.Record(t.Context(), id)
			wantCode(t, err, want)
		})
	}
	awaitMisses(t, h.client, len(ids)+1)
	close(h.truth.hold)
	readers.Wait()
}

func TestStore_Record_is_bounded(t *testing.T) {
	t.Parallel()
	h := newHotAt(t, away, redisstore.Config{})
	h.truth.hold = make(chan struct{})
	// Readers that do not wait leave their deliveries in the queue.
	gone, leave := context.WithCancel(t.Context())
	leave()
	queued := 0
	for ; queued < 11_000; queued++ {
		if _, err := h.Record(gone, tracking.NewID()); tracking.CodeOf(err) != tracking.CodeUnavailable {
			wantCode(t, err, tracking.CodeOverloaded)
			break
		}
	}
	// Two queries may have taken one each, or one may have taken what was there by then.
	if queued < 10_000 || queued > 10_400 {
		t.Errorf("%d deliveries were taken, want ten thousand and what was under way", queued)
	}
	close(h.truth.hold)
	must(t, h.Run(gone)) // waits for the queries
	if n := h.truth.asked.Load(); n > 60 {
		t.Errorf("they cost %d queries", n)
	}
	_, err := h.Record(t.Context(), tracking.NewID())
	wantCode(t, err, tracking.CodeUnavailable)
}

// With Redis away, whoever polls asks the truth, in one query.
func TestStore_without_Redis(t *testing.T) {
	t.Parallel()
	h := newHotAt(t, away, redisstore.Config{})
	h.SetEpoch(1)
	r, c := record(3), h.courier()
	h.truth.know(r)
	h.truth.newest[c.ID] = fix(7)
	unknown := tracking.NewID()
	if revs, err := h.Revs(t.Context(), []tracking.ID{unknown, r.Delivery.ID}); err != nil || revs[0] != (tracking.Revision{}) || revs[1] != r.Revision() {
		t.Errorf("revisions %v, %v", revs, err)
	}
	if newest, err := h.NewestOf(t.Context(), []tracking.ID{c.ID, unknown}); err != nil || *newest[0] != *fix(7) || newest[1] != nil {
		t.Errorf("newest %v, %v", newest, err)
	}
	if n := h.truth.asked.Load(); n != 2 {
		t.Errorf("%d queries, want 2", n)
	}
	h.truth.away = true
	_, err := h.Revs(t.Context(), []tracking.ID{r.Delivery.ID})
	wantCode(t, err, tracking.CodeUnavailable)
	_, err = h.NewestOf(t.Context(), []tracking.ID{c.ID})
	wantCode(t, err, tracking.CodeUnavailable)
	_, err = h.Record(t.Context(), r.Delivery.ID)
	wantCode(t, err, tracking.CodeUnavailable)
	if revs, err := h.Revs(t.Context(), nil); err != nil || len(revs) != 0 {
		t.Errorf("of nothing: %v, %v", revs, err)
	}
}

// A reply that says "none" may come before the one that says why there are no more.
func TestStore_Revs_in_part(t *testing.T) {
	t.Parallel()
	h := newHot(t)
	r, broken, c := record(3), record(4), h.courier()
	h.truth.know(r)
	h.truth.know(broken)
	must(t, h.client.Set(t.Context(), key.Delivery(broken.Delivery.ID), "no hash", 0).Err())
	if revs, err := h.Revs(t.Context(), []tracking.ID{r.Delivery.ID, broken.Delivery.ID}); err != nil || revs[0] != r.Revision() || revs[1] != broken.Revision() {
		t.Errorf("revisions %v, %v", revs, err)
	}
	h.truth.newest[c.ID] = fix(7)
	other := tracking.NewID()
	must(t, h.client.Set(t.Context(), key.Courier(c.ID), "no hash", 0).Err())
	if newest, err := h.NewestOf(t.Context(), []tracking.ID{other, c.ID}); err != nil || newest[0] != nil || *newest[1] != *fix(7) {
		t.Errorf("newest %v, %v", newest, err)
	}
}
