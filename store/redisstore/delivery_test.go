package redisstore_test

import (
	"math/rand/v2"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/store/redisstore"
	"hotfoot/tracking"
	"hotfoot/tracking/key"
	"hotfoot/tracking/wire"
)

func TestStore_Announce(t *testing.T) {
	t.Parallel()
	t.Run("tells the delivery's viewers, the fleet's, and the couriers concerned", func(t *testing.T) {
		t.Parallel()
		h := newHot(t)
		had, has := h.courier(), h.courier()
		r := record(4)
		r.Courier, r.Delivery.CourierID = tracking.Courier{ID: has.ID, MerchantID: r.Merchant.ID}, has.ID
		r.Events = []tracking.Event{{Ver: 1, Status: tracking.Created, CourierID: had.ID, At: noon}, {Ver: 2, Status: tracking.Assigned, CourierID: has.ID, At: noon}}
		r.Delivery.MerchantID = r.Merchant.ID
		fleet := key.Fleet(key.Partition(r.Delivery.ID), r.Merchant.ID)
		arrived := h.listen(t, key.Delivery(r.Delivery.ID), fleet, key.Jobs(had.ID), key.Jobs(has.ID))
		must(t, h.Announce(t.Context(), r))
		got := map[string]string{}
		for _, m := range arrived() {
			got[m.Channel] = m.Payload
		}
		if len(got) != 4 {
			t.Fatalf("told %d channels, want 4: %v", len(got), got)
		}
		if got[key.Delivery(r.Delivery.ID)] != encoded(t, r) || got[fleet] != string(wire.FleetRecord([]byte(encoded(t, r)))) {
			t.Errorf("told %v", got)
		}
		if kept, err := h.Record(t.Context(), r.Delivery.ID); err != nil || encoded(t, kept) != encoded(t, r) || h.truth.asked.Load() != 0 {
			t.Errorf("kept %+v, %v", kept, err)
		}
	})
	t.Run("repeats what is not newer, and never what is older", func(t *testing.T) {
		t.Parallel()
		h := newHot(t)
		r := record(5)
		arrived := h.listen(t, key.Delivery(r.Delivery.ID))
		for _, step := range []struct {
			epoch, rev int64
			told       bool
		}{{1, 5, true}, {1, 5, true}, {1, 4, false}, {2, 1, true}, {1, 9, false}, {2, 2, true}} {
			r.Epoch, r.Delivery.Rev = step.epoch, step.rev
			must(t, h.Announce(t.Context(), r))
			if told := len(arrived()) == 1; told != step.told {
				t.Errorf("epoch %d, rev %d: told is %v", step.epoch, step.rev, told)
			}
		}
	})
	t.Run("ends with the newest whatever order writers come in", func(t *testing.T) {
		t.Parallel()
		h := newHot(t)
		r, c := record(1), h.courier()
		revs := rand.Perm(60)
		arrived := h.listen(t, key.Delivery(r.Delivery.ID))
		var writers sync.WaitGroup
		for part := range 6 {
			writers.Go(func() {
				for _, rev := range revs[part*10 : part*10+10] {
					r, c := r, c
					r.Delivery.Rev, c.Rev, c.OnDuty = int64(rev)+1, int64(rev)+10, rev%2 == 1
					if err := h.Announce(t.Context(), r); err != nil {
						t.Error(err)
					}
					if err := h.KeepCourier(t.Context(), c); err != nil {
						t.Error(err)
					}
				}
			})
		}
		writers.Wait()
		kept, err := h.Record(t.Context(), r.Delivery.ID)
		must(t, err)
		if kept.Delivery.Rev != 60 {
			t.Errorf("rev %d is kept, want 60", kept.Delivery.Rev)
		}
		if duty := h.client.HMGet(t.Context(), key.Courier(c.ID), "rev", "duty").Val(); duty[0] != "69" || duty[1] != "1" {
			t.Errorf("rev and duty of the courier are %v, want 69 and 1", duty)
		}
		before := int64(0)
		for _, m := range arrived() {
			told, err := wire.Record([]byte(m.Payload))
			must(t, err)
			if told.Delivery.Rev <= before {
				t.Errorf("rev %d was told after %d", told.Delivery.Rev, before)
			}
			before = told.Delivery.Rev
		}
	})
}

func TestStore_Record(t *testing.T) {
	t.Parallel()
	t.Run("reads the truth once for a hundred who miss together, and then not at all", func(t *testing.T) {
		t.Parallel()
		h := newHot(t)
		r := record(3)
		h.truth.records[r.Delivery.ID], h.truth.hold = r, make(chan struct{})
		var readers sync.WaitGroup
		var waiting sync.WaitGroup
		for range 100 {
			waiting.Add(1)
			readers.Go(func() {
				waiting.Done()
				if got, err := h.Record(t.Context(), r.Delivery.ID); err != nil || got.Delivery.Rev != 3 {
					t.Errorf("got %+v, %v", got, err)
				}
			})
		}
		waiting.Wait()
		awaitWaiting(t, 100)
		close(h.truth.hold)
		readers.Wait()
		asked := h.truth.asked.Load()
		if asked != 1 {
			t.Errorf("the truth was asked %d times, want once", asked)
		}
		_, err := h.Record(t.Context(), r.Delivery.ID)
		must(t, err)
		if n := h.truth.asked.Load(); n != asked {
			t.Errorf("what is hot was asked of the truth")
		}
	})
	t.Run("tells nobody of what it filled in", func(t *testing.T) {
		t.Parallel()
		h := newHot(t)
		r := record(3)
		h.truth.records[r.Delivery.ID] = r
		arrived := h.listen(t, key.Delivery(r.Delivery.ID))
		_, err := h.Record(t.Context(), r.Delivery.ID)
		must(t, err)
		if messages := arrived(); len(messages) > 0 {
			t.Errorf("it told %v", messages)
		}
	})
	t.Run("does not remember that there was none", func(t *testing.T) {
		t.Parallel()
		h := newHot(t)
		r := record(1)
		_, err := h.Record(t.Context(), r.Delivery.ID)
		wantCode(t, err, tracking.CodeNotFound)
		h.truth.records[r.Delivery.ID] = r
		_, err = h.Record(t.Context(), r.Delivery.ID)
		must(t, err)
	})
	t.Run("reads the truth when Redis is away, or holds what cannot be read", func(t *testing.T) {
		t.Parallel()
		r := record(3)
		without := newHotAt(t, away, redisstore.Config{})
		without.truth.know(r)
		if got, err := without.Record(t.Context(), r.Delivery.ID); err != nil || got.Delivery.Rev != 3 {
			t.Errorf("got %+v, %v", got, err)
		}
		h := newHot(t)
		h.truth.records[r.Delivery.ID] = r
		must(t, h.client.HSet(t.Context(), key.Delivery(r.Delivery.ID), "rec", "{", "epoch", 1, "rev", 3).Err())
		if got, err := h.Record(t.Context(), r.Delivery.ID); err != nil || got.Delivery.Rev != 3 {
			t.Errorf("got %+v, %v", got, err)
		}
		if healed := h.client.HGet(t.Context(), key.Delivery(r.Delivery.ID), "rec").Val(); healed != encoded(t, r) {
			t.Errorf("Redis still holds %q", healed)
		}
	})
	t.Run("goes on for the others when who asked first goes away", func(t *testing.T) {
		t.Parallel()
		h := newHot(t)
		r := record(3)
		h.truth.records[r.Delivery.ID], h.truth.hold = r, make(chan struct{})
		first, leave := cancellable(t)
		var readers, leaving sync.WaitGroup
		leaving.Go(func() {
			_, err := h.Record(first, r.Delivery.ID)
			wantCode(t, err, tracking.CodeUnavailable)
		})
		awaitMisses(t, h.client, 1)
		readers.Go(func() {
			if got, err := h.Record(t.Context(), r.Delivery.ID); err != nil || got.Delivery.Rev != 3 {
				t.Errorf("got %+v, %v", got, err)
			}
		})
		awaitMisses(t, h.client, 2)
		leave()
		leaving.Wait()
		close(h.truth.hold)
		readers.Wait()
	})
}

// awaitMisses waits until Redis has answered this many reads of nothing: whoever asked is on the way to the truth then.
func awaitMisses(t *testing.T, client redis.UniversalClient, n int) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		info := client.Info(t.Context(), "stats").Val()
		_, rest, _ := strings.Cut(info, "keyspace_misses:")
		count, _, _ := strings.Cut(rest, "\r")
		if atoi(t, count) >= n {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("only %s of %d reads have come", count, n)
		}
	}
}

// awaitWaiting waits until so many goroutines wait for the truth: what they all ask Redis for is asked once. Those of other tests count, too, so that now and then
// some of ours come later than the others.
func awaitWaiting(t *testing.T, n int) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		var stacks strings.Builder
		must(t, pprof.Lookup("goroutine").WriteTo(&stacks, 2))
		waiting := strings.Count(stacks.String(), "redisstore.(*fills).wait(")
		if waiting >= n {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("only %d of %d wait", waiting, n)
		}
	}
}

func TestStore_NewestOf(t *testing.T) {
	t.Parallel()
	h := newHot(t)
	couriers := []tracking.Courier{h.courier(), h.courier(), h.courier()}
	ids := make([]tracking.ID, len(couriers))
	for i, c := range couriers {
		ids[i] = c.ID
		if i != 1 {
			_, err := h.Place(t.Context(), placement(c, fix(float64(i+1))))
			must(t, err)
		}
	}
	got, err := h.NewestOf(t.Context(), ids)
	must(t, err)
	if len(got) != 3 || *got[0] != *fix(1) || got[1] != nil || *got[2] != *fix(3) {
		t.Errorf("got %v", got)
	}
	if none, err := h.NewestOf(t.Context(), nil); err != nil || len(none) != 0 {
		t.Errorf("of nobody: %v, %v", none, err)
	}
}

func TestStore_Near(t *testing.T) {
	t.Parallel()
	h := newHot(t)
	merchant := tracking.NewID()
	var ids []tracking.ID
	for i := range 20 {
		c := h.courier()
		c.MerchantID = merchant
		h.truth.couriers[c.ID] = c
		p := fix(1)
		p.Lat += float64(i) * 0.001 // 111 m apart
		_, err := h.Place(t.Context(), placement(c, p))
		must(t, err)
		ids = append(ids, c.ID)
	}
	stranger := h.courier()
	_, err := h.Place(t.Context(), placement(stranger, fix(1)))
	must(t, err)
	near, err := h.Near(t.Context(), merchant, 37.78, -122.41, 1060, 5)
	must(t, err)
	if len(near) != 5 {
		t.Fatalf("found %d, want 5", len(near))
	}
	for i, n := range near {
		want := tracking.DistanceM(37.78, -122.41, 37.78+float64(i)*0.001, -122.41)
		if n.CourierID != ids[i] || n.DistanceM < want-2 || n.DistanceM > want+2 {
			t.Errorf("%d: %+v, want %s at %.0f m", i, n, ids[i], want)
		}
	}
	if all, err := h.Near(t.Context(), merchant, 37.78, -122.41, 1060, 50); err != nil || len(all) != 10 {
		t.Errorf("%d within the radius, want 10 (%v)", len(all), err)
	}
	// Beyond 85 degrees the map of "near" ends, which must not be an error.
	pole := h.courier()
	p := fix(1)
	p.Lat = 89.9
	_, err = h.Place(t.Context(), placement(pole, p))
	must(t, err)
	if found, err := h.Near(t.Context(), pole.MerchantID, 90, -122.41, 1000, 5); err != nil || len(found) != 1 {
		t.Errorf("at the pole: %v, %v", found, err)
	}
}

// What was written together does not expire together.
func TestStore_Announce_lives(t *testing.T) {
	t.Parallel()
	h := newHot(t)
	records := make([]tracking.Record, 50)
	for i := range records {
		records[i] = record(1)
	}
	must(t, h.Announce(t.Context(), records...))
	lives := map[time.Duration]bool{}
	for _, r := range records {
		lives[h.client.TTL(t.Context(), key.Delivery(r.Delivery.ID)).Val().Truncate(time.Minute)] = true
	}
	// Over four hours; that half of fifty fall into one minute of another happens to nobody.
	if len(lives) < 25 {
		t.Errorf("%d that were written together end in %d different minutes", len(records), len(lives))
	}
}
