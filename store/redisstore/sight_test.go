package redisstore_test

import (
	"strings"
	"sync"
	"testing"

	"hotfoot/store/redisstore"
	"hotfoot/tracking"
	"hotfoot/tracking/key"
)

// underway is a record whose courier is on the way, both known to the truth.
func (h hot) underway() tracking.Record {
	r, c := record(3), h.courier()
	r.Delivery.Status, r.Delivery.CourierID, r.Courier = tracking.EnRoute, c.ID, c
	r.Courier.Rev = 0 // it does not travel
	h.truth.know(r)
	return r
}

func TestStore_Sight(t *testing.T) {
	t.Parallel()
	t.Run("costs one round trip and no record once it was read", func(t *testing.T) {
		t.Parallel()
		h := newHot(t)
		r := h.underway()
		must(t, h.Announce(t.Context(), r))
		_, err := h.Place(t.Context(), placement(h.truth.couriers[r.Courier.ID], fix(1)))
		must(t, err)
		for i := range 2 {
			stop := h.monitor(t)
			sight, err := h.Sight(t.Context(), r.Delivery.ID)
			commands := stop()
			if err != nil || sight.Record.Revision() != r.Revision() || sight.Newest == nil || !sight.Newest.RecordedAt.Equal(at(1)) || !sight.Live {
				t.Errorf("got %+v, %v", sight, err)
			}
			want := []string{`"` + key.Delivery(r.Delivery.ID) + `" "run" "rec"`, `"` + key.Courier(r.Courier.ID) + `" "pos" "posrun"`}
			if i > 0 {
				want[0] = `"` + key.Delivery(r.Delivery.ID) + `" "run" "epoch" "rev"`
			}
			if len(commands) != 2 || !strings.HasSuffix(commands[0], want[0]) || !strings.HasSuffix(commands[1], want[1]) {
				t.Errorf("read %d costs %q", i, commands)
			}
		}
		if asked := h.truth.asked.Load(); asked != 1 { // for the courier, by Place
			t.Errorf("the truth was asked %d times", asked)
		}
	})
	t.Run("asks in a few round trips where a courier is whose record many have waited for", func(t *testing.T) {
		t.Parallel()
		const readers = 200
		h := newHot(t)
		r := h.underway()
		h.truth.know(r)
		_, err := h.Place(t.Context(), placement(h.truth.couriers[r.Courier.ID], fix(1)))
		must(t, err)
		h.truth.hold = make(chan struct{})
		var reading sync.WaitGroup
		for range readers {
			reading.Go(func() {
				sight, err := h.Sight(t.Context(), r.Delivery.ID)
				if err != nil || sight.Newest == nil || !sight.Newest.RecordedAt.Equal(at(1)) || !sight.Live {
					t.Errorf("got %+v, %v", sight, err)
				}
			})
		}
		awaitWaiting(t, readers)
		stop := h.monitor(t)
		close(h.truth.hold)
		reading.Wait()
		asked := 0
		for _, command := range stop() {
			if strings.Contains(command, key.Courier(r.Courier.ID)) {
				asked++
			}
		}
		// Each on its own would be as many as they are.
		if asked < 1 || asked > readers/2 {
			t.Errorf("%d readers asked %d times", readers, asked)
		}
	})
	t.Run("sees every change at once, whoever made it", func(t *testing.T) {
		t.Parallel()
		h := newHot(t)
		other := redisstore.New(h.client, h.truth, redisstore.Config{})
		r := h.underway()
		must(t, h.Announce(t.Context(), r))
		next := h.courier()
		_, err := h.Place(t.Context(), placement(next, fix(5)))
		must(t, err)
		for rev := r.Delivery.Rev; rev < 20; rev++ {
			r.Delivery.Rev = rev
			if rev == 10 {
				r.Delivery.CourierID, r.Courier = next.ID, next
			}
			must(t, other.Announce(t.Context(), r))
			sight, err := h.Sight(t.Context(), r.Delivery.ID)
			if err != nil || sight.Record.Delivery.Rev != rev || (sight.Newest != nil) != (rev >= 10) {
				t.Errorf("rev %d: %+v, %v", rev, sight, err)
			}
			if got, err := h.Record(t.Context(), r.Delivery.ID); err != nil || got.Delivery.Rev != rev {
				t.Errorf("rev %d: %+v, %v", rev, got.Revision(), err)
			}
		}
	})
	t.Run("reads nothing of a courier who is not on the way", func(t *testing.T) {
		t.Parallel()
		h := newHot(t)
		r := record(1)
		must(t, h.Announce(t.Context(), r))
		for range 2 {
			stop := h.monitor(t)
			sight, err := h.Sight(t.Context(), r.Delivery.ID)
			if commands := stop(); err != nil || !sight.Live || sight.Newest != nil || len(commands) != 1 {
				t.Errorf("got %+v, %v for %q", sight, err, commands)
			}
		}
	})
	t.Run("reads both of the truth without Redis, and says so", func(t *testing.T) {
		t.Parallel()
		h := newHotAt(t, away, redisstore.Config{})
		r := h.underway()
		h.truth.newest[r.Courier.ID] = fix(7)
		if sight, err := h.Sight(t.Context(), r.Delivery.ID); err != nil || sight.Record.Revision() != r.Revision() || !sight.Newest.RecordedAt.Equal(at(7)) || sight.Live {
			t.Errorf("got %+v, %v", sight, err)
		}
		h.truth.away = true
		_, err := h.Sight(t.Context(), r.Delivery.ID)
		wantCode(t, err, tracking.CodeUnavailable)
	})
	t.Run("answers the newer of what it holds and what Redis has come back with", func(t *testing.T) {
		t.Parallel()
		h := newHot(t)
		old := h.underway()
		seen := old
		seen.Delivery.Rev++
		must(t, h.Announce(t.Context(), seen))
		_, err := h.Record(t.Context(), old.Delivery.ID)
		must(t, err)
		for _, lost := range []func(){
			func() {
				must(t, h.client.Del(t.Context(), key.Delivery(old.Delivery.ID), key.Told(old.Delivery.ID)).Err())
			},
			func() {
				must(t, h.client.Del(t.Context(), key.Delivery(old.Delivery.ID), key.Told(old.Delivery.ID)).Err())
				must(t, redisstore.New(h.client, h.truth, redisstore.Config{}).Announce(t.Context(), old))
			},
		} {
			lost()
			h.truth.know(old) // as read by a fill that began before
			if got, err := h.Record(t.Context(), old.Delivery.ID); err != nil || got.Revision() != seen.Revision() {
				t.Errorf("got %+v, %v, want what it has seen", got.Revision(), err)
			}
			h.truth.know(seen)
			if got, err := h.Record(t.Context(), old.Delivery.ID); err != nil || got.Revision() != seen.Revision() {
				t.Errorf("then %+v, %v", got.Revision(), err)
			}
			if rev := h.client.HGet(t.Context(), key.Delivery(old.Delivery.ID), "rev").Val(); rev != "4" {
				t.Errorf("Redis still has rev %s", rev)
			}
		}
	})
	t.Run("takes what is kept of a delivery away that is not there any more", func(t *testing.T) {
		t.Parallel()
		h := newHot(t)
		r := record(3)
		must(t, h.Announce(t.Context(), r))
		_, err := h.Record(t.Context(), r.Delivery.ID)
		must(t, err)
		_, err = h.Fresh(t.Context(), r.Delivery.ID)
		wantCode(t, err, tracking.CodeNotFound)
		if n := h.client.Exists(t.Context(), key.Delivery(r.Delivery.ID)).Val(); n != 0 {
			t.Error("Redis still has it")
		}
		_, err = h.Record(t.Context(), r.Delivery.ID)
		wantCode(t, err, tracking.CodeNotFound)
	})
}

// Readers of one process share what it holds; nobody may change it.
func TestStore_Sight_of_many(t *testing.T) {
	t.Parallel()
	h := newHot(t)
	r := h.underway()
	must(t, h.Announce(t.Context(), r))
	var readers sync.WaitGroup
	for range 8 {
		readers.Go(func() {
			for range 50 {
				sight, err := h.Sight(t.Context(), r.Delivery.ID)
				if err != nil || sight.Record.Delivery.ID != r.Delivery.ID {
					t.Errorf("got %+v, %v", sight, err)
				}
			}
		})
	}
	for rev := range int64(50) {
		r.Delivery.Rev = rev + 3
		must(t, h.Announce(t.Context(), r))
	}
	readers.Wait()
}
