package redisstore_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"hotfoot/store/private"
	"hotfoot/store/redisstore"
	"hotfoot/store/storetest"
	"hotfoot/tracking"
	"hotfoot/tracking/key"
)

// in has everything be in one run of a server from now on, as when it was started anew, or a replica took over.
func (h hot) in(run string) {
	var runs redisstore.Runs
	for p := range runs {
		runs[p] = run
	}
	h.SetRuns(runs)
}

// A server that is back may have slept through changes that nobody will tell it again.
func TestStore_SetRuns(t *testing.T) {
	t.Parallel()
	t.Run("reads a record again that is left of another run", func(t *testing.T) {
		t.Parallel()
		h := newHot(t)
		h.in("first")
		old := record(3)
		h.truth.know(old)
		_, err := h.Record(t.Context(), old.Delivery.ID)
		must(t, err)
		ended := old
		ended.Delivery.Rev, ended.Delivery.Status = 5, tracking.Delivered
		h.truth.know(ended)
		if got, err := h.Record(t.Context(), old.Delivery.ID); err != nil || got.Revision() != old.Revision() || h.truth.asked.Load() > 1 {
			t.Errorf("in the same run: %+v, %v", got.Revision(), err)
		}
		h.in("second")
		if revs, err := h.Revs(t.Context(), []tracking.ID{old.Delivery.ID}); err != nil || revs[0] != (tracking.Revision{}) {
			t.Errorf("revisions %v, %v, want none", revs, err)
		}
		for range 3 {
			if got, err := h.Record(t.Context(), old.Delivery.ID); err != nil || got.Delivery.Status != tracking.Delivered {
				t.Errorf("got %+v, %v", got.Revision(), err)
			}
		}
		if revs, err := h.Revs(t.Context(), []tracking.ID{old.Delivery.ID}); err != nil || revs[0] != ended.Revision() {
			t.Errorf("then revisions are %v, %v", revs, err)
		}
		if n := h.truth.asked.Load(); n != 2 {
			t.Errorf("the truth was asked %d times, want once in each run", n)
		}
	})
	t.Run("reads a record again that was read in a run which has ended meanwhile", func(t *testing.T) {
		t.Parallel()
		h := newHot(t)
		h.in("first")
		old := record(1)
		h.truth.know(old)
		h.truth.way = make(chan struct{})
		var readers sync.WaitGroup
		defer readers.Wait()
		defer close(h.truth.way)
		readers.Go(func() {
			_, err := h.Record(t.Context(), old.Delivery.ID)
			wantCode(t, err, "")
		})
		await(t, "the record is on its way", func() bool { return h.truth.read.Load() == 1 })
		// It is changed, which is announced to a server that is killed and knows nothing of it when it is back.
		changed := old
		changed.Delivery.Rev, changed.Delivery.Status = 3, tracking.EnRoute
		h.truth.know(changed)
		h.in("second")
		readers.Go(func() {
			if got, err := h.Record(t.Context(), old.Delivery.ID); err != nil || got.Delivery.Rev != 3 {
				t.Errorf("who asks after that gets %+v, %v, want rev 3", got.Revision(), err)
			}
		})
		awaitWaiting(t, 2)
	})
	t.Run("takes creation for all that there was, and a later change not", func(t *testing.T) {
		t.Parallel()
		h := newHot(t)
		h.in("first")
		created, changed := record(1), record(2)
		created.Delivery.CreatedAt = time.Now()
		for _, r := range []tracking.Record{created, changed} {
			must(t, h.Announce(t.Context(), r))
		}
		later := changed
		later.Delivery.Rev = 3
		h.truth.know(later)
		if got, err := h.Record(t.Context(), created.Delivery.ID); err != nil || got.Revision() != created.Revision() || h.truth.asked.Load() > 0 {
			t.Errorf("what was created: %+v, %v", got.Revision(), err)
		}
		if got, err := h.Record(t.Context(), changed.Delivery.ID); err != nil || got.Revision() != later.Revision() {
			t.Errorf("what was changed: %+v, %v", got.Revision(), err)
		}
	})
	t.Run("does not take a creation for all that there was which others may have been quicker than", func(t *testing.T) {
		t.Parallel()
		h := newHot(t)
		h.in("first")
		overtaken, old := record(1), record(1)
		overtaken.Delivery.CreatedAt, old.Delivery.CreatedAt = time.Now(), time.Now().Add(-time.Minute)
		for _, r := range []tracking.Record{overtaken, old} {
			changed := r
			changed.Delivery.Rev = 2
			h.truth.know(changed)
		}
		// The change of the first is announced before its creation, and evicted. That of the other was announced so long ago that nothing is known of it.
		changed := overtaken
		changed.Delivery.Rev = 2
		must(t, h.Announce(t.Context(), changed))
		must(t, h.client.Del(t.Context(), key.Delivery(changed.Delivery.ID)).Err())
		for _, r := range []tracking.Record{overtaken, old} {
			must(t, h.Announce(t.Context(), r))
			if got, err := h.Record(t.Context(), r.Delivery.ID); err != nil || got.Delivery.Rev != 2 {
				t.Errorf("got %+v, %v, want rev 2", got.Revision(), err)
			}
		}
	})
	t.Run("does not take one late announcement for all that there was", func(t *testing.T) {
		t.Parallel()
		h := newHot(t)
		h.in("first")
		r := record(3)
		must(t, h.Announce(t.Context(), r))
		last := r
		last.Delivery.Rev = 6
		h.truth.know(last)
		h.in("second")
		r.Delivery.Rev = 4
		must(t, h.Announce(t.Context(), r))
		if got, err := h.Record(t.Context(), r.Delivery.ID); err != nil || got.Revision() != last.Revision() {
			t.Errorf("got %+v, %v, want rev 6", got.Revision(), err)
		}
		last.Delivery.Rev = 7
		must(t, h.Announce(t.Context(), last))
		if got, err := h.Record(t.Context(), r.Delivery.ID); err != nil || got.Revision() != last.Revision() || h.truth.asked.Load() != 1 {
			t.Errorf("got %+v, %v, after %d questions", got.Revision(), err, h.truth.asked.Load())
		}
	})
	t.Run("keeps what was accepted and asks how far a session has come, and who is on duty", func(t *testing.T) {
		t.Parallel()
		h := newHot(t)
		h.in("first")
		c := h.courier()
		_, err := h.Place(t.Context(), placement(c, fix(1), 1, 2))
		must(t, err)
		must(t, h.MarkDurable(t.Context(), mark(c, 1)))
		h.truth.durable = 60
		h.in("second")
		must(t, h.MarkDurable(t.Context(), mark(c, 2))) // one commit's: others may have come further
		asked := h.truth.asked.Load()
		placed, err := h.Place(t.Context(), placement(c, fix(2), 61))
		if err != nil || placed.Durable != 60 || !slices.Equal(placed.Known, []tracking.Span{{First: 1, Last: 2}}) {
			t.Errorf("placed %+v, %v", placed, err)
		}
		_, err = h.Place(t.Context(), placement(c, fix(3), 62))
		must(t, err)
		if n := h.truth.asked.Load() - asked; n != 2 {
			t.Errorf("the truth was asked %d times, want once for each", n)
		}
		h.truth.mu.Lock()
		off := c
		off.OnDuty, off.Rev = false, c.Rev+1
		h.truth.couriers[c.ID] = off
		h.truth.mu.Unlock()
		h.in("third")
		_, err = h.Place(t.Context(), placement(c, fix(4), 63))
		wantCode(t, err, tracking.CodeOffShift)
	})
	t.Run("answers the newer of two places", func(t *testing.T) {
		t.Parallel()
		h := newHot(t)
		h.in("first")
		ahead, behind, gone := h.courier(), h.courier(), h.courier()
		ids := []tracking.ID{ahead.ID, behind.ID, gone.ID}
		for _, c := range []tracking.Courier{ahead, behind} {
			_, err := h.Place(t.Context(), placement(c, fix(10), 1))
			must(t, err)
		}
		h.truth.newest = map[tracking.ID]*tracking.Position{ahead.ID: fix(9), behind.ID: fix(11), gone.ID: fix(12)}
		newest, err := h.NewestOf(t.Context(), ids)
		if err != nil || !newest[0].RecordedAt.Equal(at(10)) || !newest[1].RecordedAt.Equal(at(10)) {
			t.Errorf("in the same run: %v, %v", newest, err)
		}
		h.in("second")
		// Who is on duty is known again, and yet where they are is not.
		waits := placement(behind, nil, 2)
		waits.Keep = false
		_, err = h.Place(t.Context(), waits)
		must(t, err)
		newest, err = h.NewestOf(t.Context(), ids)
		if err != nil || !newest[0].RecordedAt.Equal(at(10)) || !newest[1].RecordedAt.Equal(at(11)) || !newest[2].RecordedAt.Equal(at(12)) {
			t.Errorf("in another: %v, %v", newest, err)
		}
		if one, err := h.newest(t.Context(), behind.ID); err != nil || !one.RecordedAt.Equal(at(11)) {
			t.Errorf("of one: %v, %v", one, err)
		}
		_, err = h.Place(t.Context(), placement(ahead, fix(13), 3))
		must(t, err)
		asked := h.truth.asked.Load()
		if one, err := h.newest(t.Context(), ahead.ID); err != nil || !one.RecordedAt.Equal(at(13)) || h.truth.asked.Load() != asked {
			t.Errorf("of one who has moved since: %v, %v", one, err)
		}
		h.truth.mu.Lock()
		h.truth.away = true
		h.truth.mu.Unlock()
		newest, err = h.NewestOf(t.Context(), ids)
		if err != nil || !newest[1].RecordedAt.Equal(at(10)) || newest[2] != nil {
			t.Errorf("without the truth: %v, %v", newest, err)
		}
	})
	t.Run("does with what is left while the truth is away", func(t *testing.T) {
		t.Parallel()
		h := newHot(t)
		h.in("first")
		c, r := h.courier(), record(3)
		_, err := h.Place(t.Context(), placement(c, fix(1), 1))
		must(t, err)
		must(t, h.MarkDurable(t.Context(), mark(c, 1)))
		must(t, h.Announce(t.Context(), r))
		h.truth.mu.Lock()
		h.truth.away = true
		h.truth.mu.Unlock()
		h.in("second")
		placed, err := h.Place(t.Context(), placement(c, fix(2), 2))
		if err != nil || placed.Durable != 1 || placed.Moved == 0 {
			t.Errorf("placed %+v, %v", placed, err)
		}
		other := placement(c, fix(3), 1)
		other.Batch.Session = "another"
		if placed, err := h.Place(t.Context(), other); err != nil || placed.Durable != 0 {
			t.Errorf("placed %+v, %v", placed, err)
		}
		if got, err := h.Record(t.Context(), r.Delivery.ID); err != nil || got.Revision() != r.Revision() {
			t.Errorf("got %+v, %v", got.Revision(), err)
		}
		unknown := tracking.Courier{ID: tracking.NewID(), MerchantID: tracking.NewID()}
		_, err = h.Place(t.Context(), placement(unknown, fix(1), 1))
		wantCode(t, err, tracking.CodeUnavailable)
		// What was done with in the meantime does not count as known.
		h.truth.mu.Lock()
		h.truth.away, h.truth.durable = false, 40
		h.truth.mu.Unlock()
		if placed, err := h.Place(t.Context(), placement(c, fix(4), 41)); err != nil || placed.Durable != 40 {
			t.Errorf("with the truth back: %+v, %v", placed, err)
		}
	})
}

func TestProbe_Tell(t *testing.T) {
	t.Parallel()
	server := startRedis(t, storetest.Dir(t))
	probe, err := redisstore.NewProbe(server.URL())
	must(t, err)
	defer probe.Close()
	var told redisstore.Runs
	probe.Tell(func(runs redisstore.Runs) { told = runs })
	must(t, probe.Ping(t.Context()))
	first := told
	must(t, probe.Ping(t.Context()))
	if told != first || first[0] == "" || slices.ContainsFunc(first[:], func(run string) bool { return run != first[0] }) {
		t.Errorf("runs are %q, and then %q", first, told)
	}
	server.Kill()
	if probe.Ping(t.Context()) == nil || told != first {
		t.Errorf("without a server runs are %q", told)
	}
	startRedis(t, server.dir)
	must(t, probe.Ping(t.Context()))
	if told == first || told[key.Partitions-1] == "" {
		t.Errorf("after a restart runs are %q, as before", told)
	}
}

func TestProbe_Tell_of_a_cluster(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cluster, err := private.StartCluster(ctx, private.Config{Dir: storetest.Dir(t)}, 2)
	must(t, err)
	t.Cleanup(cluster.Kill)
	probe, err := redisstore.NewProbe(cluster.URL())
	must(t, err)
	defer probe.Close()
	var told redisstore.Runs
	probe.Tell(func(runs redisstore.Runs) { told = runs })
	ask := func() error {
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		return probe.Ping(ctx)
	}
	must(t, ask())
	before := told
	cluster.Masters[0].Kill()
	must(t, ask())
	if told != before {
		t.Errorf("of a master that is gone the run is %q, was %q", told, before)
	}
	_, err = cluster.StartMaster(ctx, 0)
	must(t, err)
	await(t, "the master is heard", func() bool { return ask() == nil && told != before })
	changed := 0
	for p := range told {
		if told[p] != before[p] {
			changed++
		}
	}
	if changed == 0 || changed == key.Partitions {
		t.Errorf("%d partitions are in another run, want those of one master of two", changed)
	}
}
