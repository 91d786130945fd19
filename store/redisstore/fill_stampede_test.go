package redisstore_test

import (
	"context"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/store/private"
	"hotfoot/store/redisstore"
	"hotfoot/store/storetest"
	"hotfoot/tracking"
	"hotfoot/tracking/key"
)

// processes are stores with clients of their own over one Redis and one truth, as those of so many nodes.
func processes(t testing.TB, n int) []hot {
	t.Helper()
	stores := hurried(t, n)
	for i, h := range stores {
		options := *h.client.(*redis.Client).Options()
		options.ReadTimeout, options.WriteTimeout, options.DialTimeout, options.PoolTimeout = time.Minute, time.Minute, time.Minute, time.Minute
		client := redis.NewClient(&options)
		t.Cleanup(func() { _ = client.Close() })
		stores[i] = hot{redisstore.New(client, h.truth, redisstore.Config{}), client, h.truth}
		stores[i].BePatient()
	}
	return stores
}

// hurried are processes with the patience of production.
func hurried(t testing.TB, n int) []hot {
	t.Helper()
	url, truth := storetest.RedisURL(t), newTruth()
	stores := make([]hot, n)
	for i := range stores {
		client, err := redisstore.Connect(url)
		must(t, err)
		t.Cleanup(func() { _ = client.Close() })
		stores[i] = hot{redisstore.New(client, truth, redisstore.Config{}), client, truth}
	}
	return stores
}

// A link that goes round reaches a thousand people at once, on all nodes.
func TestStore_Record_of_a_thousand_on_three_nodes(t *testing.T) {
	t.Parallel()
	stores := processes(t, 3)
	truth := stores[0].truth
	for range 10 {
		r := record(3)
		truth.know(r)
		truth.mu.Lock()
		truth.slow = 50 * time.Millisecond
		truth.mu.Unlock()
		before := truth.asked.Load()
		begin := make(chan struct{})
		took := make([]time.Duration, 1000)
		var readers sync.WaitGroup
		for i := range took {
			readers.Go(func() {
				<-begin
				began := time.Now()
				if got, err := stores[i%3].Record(t.Context(), r.Delivery.ID); err != nil || got.Revision() != r.Revision() {
					t.Errorf("got %+v, %v", got.Revision(), err)
				}
				took[i] = time.Since(began)
			})
		}
		close(begin)
		readers.Wait()
		if n := truth.asked.Load() - before; n != 1 {
			t.Errorf("a thousand misses cost %d reads of the truth, want one", n)
		}
		slices.Sort(took)
		t.Logf("a fill of 50 ms: half of the readers wait %v, 99%% at most %v", took[500].Round(time.Millisecond), took[989].Round(time.Millisecond))
		if n := stores[0].client.Exists(t.Context(), key.Fill(r.Delivery.ID)).Val(); n != 0 {
			t.Error("the placeholder is left")
		}
	}
}

// Whoever died on the way to the truth holds the others up for a second at most.
func TestStore_Record_when_the_filler_dies(t *testing.T) {
	t.Parallel()
	stores := hurried(t, 2)
	r := record(3)
	stores[0].truth.know(r)
	must(t, stores[0].client.SetNX(t.Context(), key.Fill(r.Delivery.ID), "one who died", time.Second).Err())
	began := time.Now()
	var readers sync.WaitGroup
	for _, h := range stores {
		readers.Go(func() {
			if got, err := h.Record(t.Context(), r.Delivery.ID); err != nil || got.Revision() != r.Revision() {
				t.Errorf("got %+v, %v", got.Revision(), err)
			}
		})
	}
	readers.Wait()
	if took := time.Since(began); took < 500*time.Millisecond {
		t.Errorf("it took %v, want the life of a placeholder", took)
	}
	if n := stores[0].truth.asked.Load(); n != 1 {
		t.Errorf("the truth was asked %d times, want once", n)
	}
}

// What a slow one has read may be older than what was announced meanwhile, of which there may be nothing left to compare it with, or what was redacted since.
func TestStore_Record_when_the_filler_is_late(t *testing.T) {
	t.Parallel()
	for name, meanwhile := range map[string]func(t *testing.T, h hot, r tracking.Record){
		"for an announcement": func(t *testing.T, h hot, r tracking.Record) { must(t, h.Announce(t.Context(), r)) },
		"for an announcement of which nothing is left": func(t *testing.T, h hot, r tracking.Record) {
			must(t, h.Announce(t.Context(), r))
			must(t, h.client.Del(t.Context(), key.Delivery(r.Delivery.ID)).Err())
		},
		"for what was to be forgotten": func(t *testing.T, h hot, r tracking.Record) {
			must(t, h.ForgetRecords(t.Context(), []tracking.ID{r.Delivery.ID}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHot(t)
			old := record(3)
			h.truth.know(old)
			h.truth.hold = make(chan struct{})
			var reader sync.WaitGroup
			reader.Go(func() { _, _ = h.Record(t.Context(), old.Delivery.ID) })
			await(t, "it has a placeholder", func() bool { return h.client.Exists(t.Context(), key.Fill(old.Delivery.ID)).Val() == 1 })
			r := old
			r.Delivery.Rev = 4
			meanwhile(t, h, r)
			must(t, h.client.Persist(t.Context(), key.Told(r.Delivery.ID)).Err()) // however long the test takes
			must(t, h.client.Set(t.Context(), key.Fill(r.Delivery.ID), "the next one", time.Minute).Err())
			before := dump(t, h.client)
			close(h.truth.hold)
			reader.Wait()
			if after := dump(t, h.client); !maps.Equal(before, after) {
				t.Errorf("it changed\n%v\nto\n%v", before, after)
			}
		})
	}
}

// Whoever wants the truth as it is now waits for nobody.
func TestStore_Fresh_waits_for_no_other(t *testing.T) {
	t.Parallel()
	h := newHot(t)
	r := record(3)
	h.truth.know(r)
	must(t, h.client.Set(t.Context(), key.Fill(r.Delivery.ID), "another", time.Minute).Err())
	waiting, leave := context.WithCancel(t.Context())
	var waits sync.WaitGroup
	waits.Go(func() {
		_, err := h.Record(waiting, r.Delivery.ID)
		wantCode(t, err, tracking.CodeUnavailable)
	})
	awaitMisses(t, h.client, 2) // what is kept was looked for by its reader, and behind the placeholder
	leave()
	waits.Wait()
	if got, err := h.Fresh(t.Context(), r.Delivery.ID); err != nil || got.Revision() != r.Revision() {
		t.Errorf("got %+v, %v", got.Revision(), err)
	}
	if n := h.truth.asked.Load(); n != 1 {
		t.Errorf("the truth was asked %d times, want by the one who does not wait", n)
	}
}

// A node ends although another has the placeholder of what it waits for.
func TestStore_Run_ends_under_those_who_wait_for_others(t *testing.T) {
	t.Parallel()
	h := newHot(t)
	r := record(3)
	h.truth.know(r)
	must(t, h.client.Set(t.Context(), key.Fill(r.Delivery.ID), "another", time.Minute).Err())
	var reader sync.WaitGroup
	reader.Go(func() {
		if got, err := h.Record(t.Context(), r.Delivery.ID); err != nil || got.Revision() != r.Revision() {
			t.Errorf("got %+v, %v", got.Revision(), err)
		}
	})
	awaitMisses(t, h.client, 3) // by its reader, behind the placeholder, and once more there
	ended, end := context.WithCancel(t.Context())
	end()
	must(t, h.Run(ended))
	reader.Wait()
}

// Three nodes that come up under many watched deliveries share the work, whoever asks for what.
func TestStore_Record_of_many_on_three_nodes(t *testing.T) {
	t.Parallel()
	stores := processes(t, 3)
	truth := stores[0].truth
	const deliveries = 2000
	records := make([]tracking.Record, deliveries)
	for i := range records {
		records[i] = record(int64(i) + 1)
		truth.know(records[i])
	}
	var readers sync.WaitGroup
	for n, h := range stores {
		for i := range records {
			r := records[(i+n*deliveries/3)%deliveries]
			readers.Go(func() {
				if got, err := h.Record(t.Context(), r.Delivery.ID); err != nil || got.Revision() != r.Revision() {
					t.Errorf("got %+v, %v", got.Revision(), err)
				}
			})
		}
	}
	readers.Wait()
	read := truth.read.Load()
	t.Logf("%d queries for %d records of %d", truth.asked.Load(), read, deliveries)
	if read != deliveries {
		t.Errorf("%d records were read, want each of %d once", read, deliveries)
	}
}

func TestStore_Record_of_a_cluster(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cluster, err := private.StartCluster(ctx, private.Config{Dir: storetest.Dir(t)}, 3)
	must(t, err)
	t.Cleanup(cluster.Kill)
	h := newHotAt(t, cluster.URL(), redisstore.Config{})
	if _, ok := h.client.(*redis.ClusterClient); !ok {
		t.Fatalf("the client is %T", h.client)
	}
	for range 20 {
		r := h.underway()
		_, err := h.Place(ctx, placement(tracking.Courier{ID: r.Courier.ID, MerchantID: r.Courier.MerchantID}, fix(1)))
		must(t, err)
		for range 3 {
			sight, err := h.Sight(ctx, r.Delivery.ID)
			if err != nil || sight.Record.Revision() != r.Revision() || sight.Newest == nil || !sight.Live {
				t.Errorf("got %+v, %v", sight, err)
			}
		}
	}
	if n := h.truth.read.Load(); n != 20 {
		t.Errorf("%d records were read of the truth, want each of 20 once", n)
	}
}
