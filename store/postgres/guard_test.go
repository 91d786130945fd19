package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"hotfoot/store/postgres"
	"hotfoot/store/private"
	"hotfoot/store/storetest"
	"hotfoot/tracking"
)

// limited is the address of the shop's database for a user of its own who may have so many connections; a superuser may have any number.
func (s shop) limited(t *testing.T, connections int) string {
	t.Helper()
	u, err := url.Parse(s.pool.Config().ConnString())
	must(t, err)
	user := "limited_" + strings.TrimPrefix(u.Path, "/")
	_, err = s.pool.Exec(t.Context(), fmt.Sprintf("CREATE ROLE %s LOGIN IN ROLE pg_read_all_data, pg_write_all_data CONNECTION LIMIT %d", user, connections))
	must(t, err)
	t.Cleanup(func() {
		_, err := s.pool.Exec(context.Background(), "DROP ROLE "+user)
		must(t, err)
	})
	u.User = url.User(user)
	return u.String()
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for !holds() {
		select {
		case <-ticker.C:
		case <-deadline.C:
			t.Fatalf("%s never happens", what)
		}
	}
}

// runBreaker runs a breaker until the test ends.
func runBreaker(t *testing.T, probe func(context.Context) error) *tracking.Breaker {
	t.Helper()
	breaker := tracking.NewBreaker("Postgres", probe, tracking.BreakerConfig{Every: time.Hour}, slog.New(slog.DiscardHandler))
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- breaker.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		<-ended
	})
	return breaker
}

func TestStore_breaker(t *testing.T) {
	t.Parallel()
	t.Run("nothing is asked of a server that is known to be away", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		breaker := runBreaker(t, func(context.Context) error { return errors.New("away") })
		eventually(t, "the breaker opens", func() bool { return breaker.Allow() != nil })
		store := postgres.New(s.pool, breaker)
		before := s.pool.Stat().AcquireCount()
		for name, use := range map[string]func() error{
			"a query":       func() error { _, err := store.Couriers(t.Context(), s.merchant, nil, tracking.ID{}, 1); return err },
			"a row":         func() error { _, err := store.Epoch(t.Context()); return err },
			"a statement":   func() error { return store.MarkPublished(t.Context(), nil) },
			"a transaction": func() error { _, err := store.Bury(t.Context(), tracking.DeadLetter{}); return err },
			"a batch": func() error {
				_, err := store.Store(t.Context(), []tracking.Batch{batchOf(tracking.NewID(), "", 1)})
				return err
			},
		} {
			if err := use(); tracking.CodeOf(err) != tracking.CodeUnavailable || !errors.Is(err, tracking.ErrOpen) {
				t.Errorf("%s: got %v", name, err)
			}
		}
		if used := s.pool.Stat().AcquireCount() - before; used != 0 {
			t.Errorf("%d connections were taken", used)
		}
	})
	t.Run("who waits for an answer when the server is found to be away waits no longer", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		var away atomic.Bool
		breaker := runBreaker(t, func(context.Context) error {
			if away.Load() {
				return errors.New("away")
			}
			return nil
		})
		store := postgres.New(s.pool, breaker)
		lock, err := s.pool.Begin(t.Context())
		must(t, err)
		defer func() { _ = lock.Rollback(context.Background()) }()
		_, err = lock.Exec(t.Context(), "LOCK TABLE epoch, couriers, dead_letters IN ACCESS EXCLUSIVE MODE")
		must(t, err)
		ended := make(chan error)
		for _, use := range []func() error{
			func() error { _, err := store.Couriers(t.Context(), s.merchant, nil, tracking.ID{}, 1); return err },
			func() error { _, err := store.Epoch(t.Context()); return err },
			func() error { _, err := store.Bury(t.Context(), tracking.DeadLetter{ID: tracking.NewID()}); return err },
		} {
			go func() { ended <- use() }()
		}
		eventually(t, "all wait for the lock", func() bool {
			var waiting int
			must(t, s.pool.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'").Scan(&waiting))
			return waiting == 3
		})
		began := time.Now()
		away.Store(true)
		breaker.Doubt()
		for range 3 {
			if err := <-ended; tracking.CodeOf(err) != tracking.CodeUnavailable || !errors.Is(err, tracking.ErrOpen) {
				t.Errorf("got %v", err)
			}
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("took %v", took)
		}
	})
	t.Run("who gets no answer makes the breaker ask", func(t *testing.T) {
		t.Parallel()
		pool, err := postgres.Connect("postgres://127.0.0.1:1/nowhere", 1)
		must(t, err)
		defer pool.Close()
		asked := make(chan struct{}, 100)
		store := postgres.New(pool, runBreaker(t, func(context.Context) error {
			asked <- struct{}{}
			return nil
		}))
		<-asked // at the start, and then for an hour not by itself
		for range 3 {
			_, err := store.Couriers(t.Context(), tracking.ID{}, nil, tracking.ID{}, 1)
			wantCode(t, err, tracking.CodeUnavailable)
			<-asked
		}
	})
}

func TestStore_full_server(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	address := s.limited(t, 0)
	pool, err := postgres.Connect(address, 4)
	must(t, err)
	defer pool.Close()
	store := postgres.New(pool, nil)
	_, err = store.Epoch(t.Context())
	wantCode(t, err, tracking.CodeUnavailable)
	_, err = store.Epoch(t.Context())
	wantCode(t, err, tracking.CodeUnavailable)
	if !strings.Contains(err.Error(), "max_connections") {
		t.Errorf("it was asked again at once, or does not say what to change: %v", err)
	}
	u, err := url.Parse(address)
	must(t, err)
	_, err = s.pool.Exec(t.Context(), fmt.Sprintf("ALTER ROLE %s CONNECTION LIMIT 1", u.User.Username()))
	must(t, err)
	eventually(t, "it serves again", func() bool {
		_, err := store.Epoch(t.Context())
		return err == nil
	})
	// The one connection serves, also while there is no second one.
	busy, err := pool.Acquire(t.Context())
	must(t, err)
	_, err = store.Epoch(t.Context())
	wantCode(t, err, tracking.CodeUnavailable)
	busy.Release()
	_, err = store.Epoch(t.Context())
	must(t, err)
}

// Connections of before a failover lead to a server that only reads, and would for as long as they live.
func TestStore_failover(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	readOnly := func(value string) {
		_, err := s.pool.Exec(t.Context(), fmt.Sprintf(`DO $$ BEGIN
			EXECUTE format('ALTER DATABASE %%I SET default_transaction_read_only = %s', current_database()); END $$`, value))
		must(t, err)
	}
	readOnly("on")
	pool, err := postgres.Connect(s.pool.Config().ConnString(), 2)
	must(t, err)
	defer pool.Close()
	store := postgres.New(pool, nil)
	_, err = store.RaiseEpoch(t.Context())
	wantCode(t, err, tracking.CodeUnavailable)
	_, err = store.Epoch(t.Context()) // reads go on
	must(t, err)
	readOnly("off")
	eventually(t, "a write succeeds", func() bool {
		_, err := store.RaiseEpoch(t.Context())
		return err == nil
	})
}

// A commit that is told to stop waiting for its standby says that it committed.
func TestStore_commit_without_its_standby_is_not_acknowledged(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	dir := storetest.Dir(t)
	server := startServer(t, dir)
	storetest.Migrate(t, server.URL())
	must(t, server.Stop(ctx))
	server, err := private.StartPostgres(ctx, private.Config{Dir: dir, Arguments: []string{"-c", "synchronous_standby_names=nobody"}})
	must(t, err)
	defer server.Kill()
	pool, err := postgres.Connect(server.URL(), 4)
	must(t, err)
	defer pool.Close()
	store := postgres.New(pool, nil)
	for name, change := range map[string]func(context.Context) error{
		"a row": func(ctx context.Context) error { _, err := store.RaiseEpoch(ctx); return err },
		"a transaction": func(ctx context.Context) error {
			_, err := store.Bury(ctx, tracking.DeadLetter{ID: tracking.NewID()})
			return err
		},
		"a statement": func(ctx context.Context) error { return store.EnsurePartitions(ctx, now(), now()) },
	} {
		changing, giveUp := context.WithCancel(ctx)
		outcome := make(chan error, 1)
		go func() { outcome <- change(changing) }()
		eventually(t, name+" is committed and waits for its standby", func() (waits bool) {
			must(t, pool.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep')").Scan(&waits))
			return waits
		})
		giveUp()
		if err := <-outcome; tracking.CodeOf(err) != tracking.CodeUnavailable {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if epoch, err := store.Epoch(ctx); err != nil || epoch < 2 {
		t.Errorf("the epoch is %d, %v: the test no longer tests what it says, since nothing was committed", epoch, err)
	}
}

// Postgres refuses a statement that was prepared before a migration changed its result, and every connection has several. Nobody hears of it.
func TestStore_changed_plan(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	d := s.create(t, s.courier).Delivery
	pool, err := postgres.Connect(s.pool.Config().ConnString(), 2)
	must(t, err)
	defer pool.Close()
	store := postgres.New(pool, nil)
	uses := map[string]func() error{
		"a row":         func() error { _, err := store.Epoch(t.Context()); return err },
		"a query":       func() error { _, err := store.Records(t.Context(), []tracking.ID{d.ID}); return err },
		"a transaction": func() error { _, err := store.Reorder(t.Context(), s.merchant, s.courier.ID, nil, now()); return err },
		"a courier":     func() error { _, err := store.Courier(t.Context(), s.merchant, s.courier.ID); return err },
	}
	for i := range 3 {
		_, err := s.pool.Exec(t.Context(), fmt.Sprintf(`
			ALTER TABLE epoch ALTER COLUMN epoch TYPE %[1]s;
			ALTER TABLE deliveries ALTER COLUMN stops_before TYPE %[1]s;
			ALTER TABLE couriers ALTER COLUMN rev TYPE %[1]s`, []string{"int", "bigint"}[i%2]))
		must(t, err)
		for name, use := range uses {
			for range 2 { // the second time it is prepared
				if err := use(); err != nil {
					t.Errorf("%s after migration %d: %v", name, i, err)
				}
			}
		}
	}
}
