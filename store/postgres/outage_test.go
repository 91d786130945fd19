package postgres_test

import (
	"context"
	"strings"
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
	pool, err := postgres.Connect(t.Context(), server.URL(), 4)
	must(t, err)
	defer pool.Close()
	s := shop{Store: postgres.New(pool), pool: pool}
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

func TestConnect(t *testing.T) {
	t.Parallel()
	t.Run("refuses a server that would forget what it said it had stored", func(t *testing.T) {
		t.Parallel()
		server := startServer(t, storetest.Dir(t))
		pool, err := postgres.Connect(t.Context(), server.URL(), 1)
		must(t, err)
		_, err = pool.Exec(t.Context(), "ALTER SYSTEM SET full_page_writes = off")
		must(t, err)
		_, err = pool.Exec(t.Context(), "SELECT pg_reload_conf()")
		must(t, err)
		pool.Close()
		deadline := time.Now().Add(patience)
		for {
			pool, err := postgres.Connect(t.Context(), server.URL(), 1)
			if err != nil {
				if !strings.Contains(err.Error(), "full_page_writes=on") {
					t.Errorf("the error does not say what to change: %v", err)
				}
				return
			}
			pool.Close()
			if time.Now().After(deadline) {
				t.Fatal("it connects")
			}
		}
	})
	t.Run("names the setting when the address is wrong", func(t *testing.T) {
		t.Parallel()
		if _, err := postgres.Connect(t.Context(), "postgres://%zz", 1); err == nil || !strings.Contains(err.Error(), "DATABASE_URL") {
			t.Errorf("got %v", err)
		}
	})
}
