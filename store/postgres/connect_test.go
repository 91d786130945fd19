package postgres_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"hotfoot/store/postgres"
	"hotfoot/store/private"
	"hotfoot/store/storetest"
)

func TestConnect(t *testing.T) {
	t.Parallel()
	t.Run("does not need the server", func(t *testing.T) {
		t.Parallel()
		pool, err := postgres.Connect("postgres://127.0.0.1:1/nowhere", 1)
		must(t, err)
		defer pool.Close()
		if err := postgres.CheckSettings(t.Context(), pool); err == nil || errors.Is(err, postgres.ErrUnsafe) || errors.Is(err, postgres.ErrTooOld) {
			t.Errorf("a server that is not there is said to be unfit: %v", err)
		}
	})
	t.Run("names the setting when the address is wrong", func(t *testing.T) {
		t.Parallel()
		if _, err := postgres.Connect("postgres://%zz", 1); err == nil || !strings.Contains(err.Error(), "DATABASE_URL") {
			t.Errorf("got %v", err)
		}
		if _, err := postgres.NewPinger("postgres://%zz"); err == nil || !strings.Contains(err.Error(), "DATABASE_URL") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("sets what our promises need, whatever the server's own defaults are", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		for name, want := range map[string]string{
			"synchronous_commit": "on", "statement_timeout": "6s", "lock_timeout": "2s", "idle_in_transaction_session_timeout": "10s", "TimeZone": "UTC",
		} {
			var got string
			must(t, s.pool.QueryRow(t.Context(), "SELECT current_setting($1)", name).Scan(&got))
			if got != want {
				t.Errorf("%s is %s, want %s", name, got, want)
			}
		}
	})
}

func TestCheckSettings(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	check := func(arguments ...string) error {
		server, err := private.StartPostgres(ctx, private.Config{Dir: storetest.Dir(t), Arguments: arguments})
		must(t, err)
		defer server.Kill()
		pool, err := postgres.Connect(server.URL(), 1)
		must(t, err)
		defer pool.Close()
		return postgres.CheckSettings(ctx, pool)
	}
	if err := check(); err != nil {
		t.Errorf("the server of the tests is refused: %v", err)
	}
	err := check("-c", "full_page_writes=off", "-c", "fsync=off", "-c", "synchronous_commit=off")
	// synchronous_commit is ours to set, and set.
	if !errors.Is(err, postgres.ErrUnsafe) || !strings.HasSuffix(err.Error(), "set fsync=on and full_page_writes=on") {
		t.Errorf("got %v", err)
	}
}

func TestPinger(t *testing.T) {
	t.Parallel()
	ping := func(t *testing.T, p *postgres.Pinger) error {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		return p.Ping(ctx)
	}
	t.Run("hears whether a server answers, through its death and its return", func(t *testing.T) {
		t.Parallel()
		dir := storetest.Dir(t)
		server := startServer(t, dir)
		p, err := postgres.NewPinger(server.URL() + "&pool_max_conns=3")
		must(t, err)
		defer p.Close()
		for range 2 {
			must(t, ping(t, p))
		}
		server.Kill()
		for range 2 {
			if ping(t, p) == nil {
				t.Error("a dead server answers")
			}
		}
		server = startServer(t, dir)
		must(t, ping(t, p))

		server.Pause()
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		began := time.Now()
		if p.Ping(ctx) == nil {
			t.Error("a frozen server answers")
		}
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("it waited %v", took)
		}
		server.Resume()
		must(t, ping(t, p))
	})
	t.Run("takes a refusal for an answer", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		p, err := postgres.NewPinger(s.limited(t, 0))
		must(t, err)
		defer p.Close()
		must(t, ping(t, p))
	})
	t.Run("asks again when its own connection was ended", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		p, err := postgres.NewPinger(s.pool.Config().ConnString())
		must(t, err)
		defer p.Close()
		must(t, ping(t, p))
		var ended int
		must(t, s.pool.QueryRow(t.Context(), `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
			WHERE application_name = 'hotfoot breaker' AND datname = current_database()`).Scan(&ended))
		if ended != 1 {
			t.Errorf("it has %d connections, want one", ended)
		}
		must(t, ping(t, p))
	})
	t.Run("needs no closing before it asked, and may be closed twice", func(t *testing.T) {
		t.Parallel()
		p, err := postgres.NewPinger("postgres://127.0.0.1:1/nowhere")
		must(t, err)
		p.Close()
		p.Close()
	})
}
