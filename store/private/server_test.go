package private

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
)

func TestServer_keeps_its_data_and_its_address(t *testing.T) {
	t.Parallel()
	ends := map[string]func(*testing.T, *Server){
		"stopped": func(t *testing.T, s *Server) { mustStop(t, s) },
		"killed":  func(_ *testing.T, s *Server) { s.Kill() },
		"killed by somebody else": func(t *testing.T, s *Server) {
			if err := syscall.Kill(s.PID(), syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			<-s.Done()
		},
	}
	for _, k := range kinds {
		for how, end := range ends {
			t.Run(k.name+" "+how, func(t *testing.T) {
				t.Parallel()
				dir := testDir(t)
				first := k.mustStart(t, dir)
				k.write(t, first.URL(), "precious")
				end(t, first)
				second := k.mustStart(t, dir)
				if first.URL() != second.URL() {
					t.Errorf("the address changed from %s to %s", first.URL(), second.URL())
				}
				if got := k.read(t, second.URL()); got != "precious" {
					t.Errorf("read %q, want precious", got)
				}
			})
		}
	}
}

func TestServer_Stop(t *testing.T) {
	t.Parallel()
	for _, k := range kinds {
		t.Run(k.name+" may be stopped and killed again", func(t *testing.T) {
			t.Parallel()
			s := k.mustStart(t, testDir(t))
			mustStop(t, s)
			mustStop(t, s)
			s.Kill()
			if running(s.PID()) {
				t.Error("the process is still there")
			}
		})
		t.Run(k.name+" is killed when it does not end in time", func(t *testing.T) {
			t.Parallel()
			s := k.mustStart(t, testDir(t))
			s.Pause()
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
			defer cancel()
			if err := s.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Stop says %v, want the deadline", err)
			}
			if running(s.PID()) {
				t.Error("the process is still there")
			}
		})
	}
}

// A backend in the middle of a query notices its postmaster's death late, and keeps the shared memory that a new one refuses to
// start beside.
func TestServer_Kill_ends_busy_backends(t *testing.T) {
	t.Parallel()
	dir := testDir(t)
	s := kinds[0].mustStart(t, dir)
	conn, err := pgx.Connect(patient(t), s.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	var backend int
	if err := conn.QueryRow(patient(t), "SELECT pg_backend_pid()").Scan(&backend); err != nil {
		t.Fatal(err)
	}
	busy := make(chan error)
	go func() {
		_, err := conn.Exec(patient(t), "SELECT count(*) FROM generate_series(1, 1e12::bigint)")
		busy <- err
	}()
	state := fmt.Sprintf("SELECT state FROM pg_stat_activity WHERE pid = %d", backend)
	waitUntil(t, "the query runs", func() bool { return queryPostgres(t, s.URL(), state) == "active" })
	s.Kill()
	if running(backend) {
		t.Error("the backend is still there")
	}
	if err := <-busy; err == nil {
		t.Error("the query came to its end, want it cut")
	}
	kinds[0].mustStart(t, dir)
}

func TestServer_Pause_freezes_open_connections(t *testing.T) {
	t.Parallel()
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		s := kinds[0].mustStart(t, testDir(t))
		conn, err := pgx.Connect(patient(t), s.URL())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.Background())
		testPause(t, s, func() error { _, err := conn.Exec(patient(t), "SELECT 1"); return err })
	})
	t.Run("redis", func(t *testing.T) {
		t.Parallel()
		s := kinds[1].mustStart(t, testDir(t))
		onRedis(t, s.URL(), func(c *redis.Client) error {
			testPause(t, s, func() error { return c.Ping(patient(t)).Err() })
			return nil
		})
	})
}

func testPause(t *testing.T, s *Server, ask func() error) {
	t.Helper()
	if err := ask(); err != nil {
		t.Fatal(err)
	}
	s.Pause()
	answer := make(chan error, 1)
	go func() { answer <- ask() }()
	select {
	case err := <-answer:
		t.Errorf("a paused server answered: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	s.Resume()
	if err := <-answer; err != nil {
		t.Errorf("after Resume: %v", err)
	}
}

func TestStart_that_fails(t *testing.T) {
	t.Parallel()
	for _, k := range kinds {
		t.Run(k.name+" gives the folder back when its context ends", func(t *testing.T) {
			t.Parallel()
			dir := testDir(t)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if _, err := k.start(ctx, Config{Dir: dir}); !errors.Is(err, context.Canceled) {
				t.Errorf("start says %v, want that it was canceled", err)
			}
			k.mustStart(t, dir)
		})
		t.Run(k.name+" quotes the server when that ends at once", func(t *testing.T) {
			t.Parallel()
			dir := testDir(t)
			mustStop(t, k.mustStart(t, dir))
			spoil(t, dir)
			_, err := k.start(patient(t), Config{Dir: dir})
			if !contains(err, "spoiled") {
				t.Errorf("start says %v, want the server's own complaint about what was spoiled", err)
			}
		})
	}
}

// spoil writes nonsense into whichever file a server cannot start without.
func spoil(t *testing.T, dir string) {
	t.Helper()
	for _, file := range []string{"postgres/data/postgresql.conf", "redis/appendonlydir/appendonly.aof.manifest"} {
		path := filepath.Join(dir, file)
		if _, err := os.Stat(path); err != nil {
			continue
		}
		if err := os.WriteFile(path, []byte("spoiled = yes\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestStart_settings(t *testing.T) {
	t.Parallel()
	t.Run("postgres is durable and not on TCP", func(t *testing.T) {
		t.Parallel()
		s := kinds[0].mustStart(t, testDir(t))
		for setting, want := range map[string]string{
			"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "listen_addresses": "",
			"server_encoding": "UTF8", "lc_collate": "C", "unix_socket_permissions": "0700", "max_connections": "200",
		} {
			if got := queryPostgres(t, s.URL(), "SHOW "+setting); got != want {
				t.Errorf("%s is %q, want %q", setting, got, want)
			}
		}
	})
	t.Run("redis is durable, never evicts and not on TCP", func(t *testing.T) {
		t.Parallel()
		s := kinds[1].mustStart(t, testDir(t))
		onRedis(t, s.URL(), func(c *redis.Client) error {
			for setting, want := range map[string]string{
				"appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction", "port": "0",
			} {
				if got := c.ConfigGet(patient(t), setting).Val()[setting]; got != want {
					t.Errorf("%s is %q, want %q", setting, got, want)
				}
			}
			return nil
		})
	})
}

// running is false for a zombie, which is for its parent to reap.
func running(pid int) bool {
	for other, line := range commandLines() {
		if other == pid && !strings.HasPrefix(line, "(") {
			return true
		}
	}
	return false
}

func BenchmarkStart(b *testing.B) {
	for _, k := range kinds {
		b.Run(k.name+" cold", func(b *testing.B) {
			measure(b, k, func() string { return testDir(b) })
		})
		b.Run(k.name+" warm", func(b *testing.B) {
			dir := testDir(b)
			mustStop(b, k.mustStart(b, dir))
			measure(b, k, func() string { return dir })
		})
	}
}

// measure reports starting and stopping apart.
func measure(b *testing.B, k kind, dir func() string) {
	var start, stop time.Duration
	for b.Loop() {
		begin := time.Now()
		s := k.mustStart(b, dir())
		up := time.Now()
		mustStop(b, s)
		start, stop = start+up.Sub(begin), stop+time.Since(up)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(start.Milliseconds())/float64(b.N), "start-ms")
	b.ReportMetric(float64(stop.Milliseconds())/float64(b.N), "stop-ms")
}
