package postgres_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"hotfoot/store/postgres"
	"hotfoot/store/private"
	"hotfoot/store/storetest"
	"hotfoot/tracking"
)

const patience = time.Minute

func startServer(t *testing.T, dir string) *private.Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	server, err := private.StartPostgres(ctx, private.Config{Dir: dir})
	must(t, err)
	t.Cleanup(server.Kill)
	return server
}

func TestStore_outage(t *testing.T) {
	t.Parallel()
	dir := storetest.Dir(t)
	server := startServer(t, dir)
	storetest.Migrate(t, server.URL())
	pool, err := postgres.Connect(server.URL(), 4)
	must(t, err)
	defer pool.Close()
	s := shop{Store: postgres.New(pool, nil), pool: pool}
	m, err := s.Merchant(t.Context(), "Corner Kitchen", now())
	must(t, err)
	s.merchant, s.actor = m.ID, tracking.Actor{Role: tracking.RoleMerchant, MerchantID: m.ID}
	r := s.create(t, tracking.Courier{})

	server.Kill()
	for range 6 { // more than the pool has connections
		began := time.Now()
		_, err := s.dispatch().Cancel(t.Context(), s.actor, r.Delivery.ID, "gone")
		wantCode(t, err, tracking.CodeUnavailable)
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("saying so took %v", took)
		}
	}
	_, err = s.Store.Store(t.Context(), []tracking.Batch{batchOf(tracking.NewID(), "", 1)})
	wantCode(t, err, tracking.CodeUnavailable)

	startServer(t, dir)
	after, err := s.Record(t.Context(), r.Delivery.ID)
	must(t, err)
	if after.Delivery.Status != tracking.Created {
		t.Errorf("it is %s", after.Delivery.Status)
	}
	_, err = s.dispatch().Cancel(t.Context(), s.actor, r.Delivery.ID, "back again")
	must(t, err)
}

// A server that hangs, asked by somebody who set no deadline: nothing on the way would ever end the wait.
func TestStore_frozen_server(t *testing.T) {
	t.Parallel()
	server := startServer(t, storetest.Dir(t))
	storetest.Migrate(t, server.URL())
	pool, err := postgres.Connect(server.URL(), 2)
	must(t, err)
	defer pool.Close()
	store := postgres.New(pool, nil)
	_, err = store.Epoch(t.Context())
	must(t, err)
	server.Pause()
	began := time.Now()
	var asking sync.WaitGroup
	for _, ask := range []func() error{ // more than there are connections
		func() error { _, err := store.Epoch(t.Context()); return err },
		func() error { _, err := store.Couriers(t.Context(), tracking.ID{}, nil, tracking.ID{}, 1); return err },
		func() error { _, err := store.Bury(t.Context(), tracking.DeadLetter{}); return err },
		func() error { return store.MarkPublished(t.Context(), nil) },
	} {
		asking.Go(func() { wantCode(t, ask(), tracking.CodeUnavailable) })
	}
	asking.Wait()
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("they waited %v", took)
	}
	server.Resume()
	_, err = store.Epoch(t.Context())
	must(t, err)
}
