package private

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"hotfoot/store/storetest/scratch"
)

// asOwner, when set, makes the test binary an owner of servers in that folder, which reports that they are up and then waits for
// its end.
const asOwner = "HOTFOOT_TEST_OWNER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(asOwner); dir != "" {
		if err := ownServers(dir); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	goleak.VerifyTestMain(m)
}

func ownServers(dir string) error {
	postgres, err := StartPostgres(context.Background(), Config{Dir: dir})
	if err != nil {
		return err
	}
	redis, err := StartRedis(context.Background(), Config{Dir: dir})
	if err != nil {
		return err
	}
	fmt.Println(postgres.PID(), postgres.URL(), redis.PID(), redis.URL())
	select {}
}

// testDir is a folder that does not exist yet, in one that every account can walk through.
func testDir(t testing.TB) string {
	t.Helper()
	return filepath.Join(scratch.Dir(t), "data")
}

// kind lets a test speak of either server.
type kind struct {
	name  string
	start func(context.Context, Config) (*Server, error)
	write func(t testing.TB, url, value string)
	read  func(t testing.TB, url string) string
}

var kinds = []kind{
	{"postgres", StartPostgres, writePostgres, readPostgres},
	{"redis", StartRedis, writeRedis, readRedis},
}

func (k kind) mustStart(t testing.TB, dir string) *Server {
	t.Helper()
	s, err := k.start(patient(t), Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mustStop(t, s) })
	return s
}

func mustStop(t testing.TB, s *Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := s.Stop(ctx); err != nil {
		t.Error(err)
	}
}

func patient(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func waitUntil(t testing.TB, what string, holds func() bool) {
	t.Helper()
	ctx := patient(t)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-ctx.Done():
			t.Fatalf("waited a minute, and it is not so that %s", what)
		case <-tick.C:
		}
	}
}

func writePostgres(t testing.TB, url, value string) {
	t.Helper()
	queryPostgres(t, url, "CREATE TABLE IF NOT EXISTS kept (value text)")
	queryPostgres(t, url, "INSERT INTO kept VALUES ('"+value+"')")
}

func readPostgres(t testing.TB, url string) string {
	t.Helper()
	return queryPostgres(t, url, "SELECT value FROM kept")
}

// queryPostgres returns the first column of the first row as text.
func queryPostgres(t testing.TB, url, query string) string {
	t.Helper()
	conn, err := pgx.Connect(patient(t), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	results, err := conn.PgConn().Exec(patient(t), query).ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	if len(results[0].Rows) == 0 {
		return ""
	}
	return string(results[0].Rows[0][0])
}

func writeRedis(t testing.TB, url, value string) {
	t.Helper()
	onRedis(t, url, func(c *redis.Client) error {
		// With everysec the last second may be lost, which is Redis's promise and not what is tested here.
		if err := c.ConfigSet(patient(t), "appendfsync", "always").Err(); err != nil {
			return err
		}
		return c.Set(patient(t), "kept", value, 0).Err()
	})
}

func readRedis(t testing.TB, url string) (value string) {
	t.Helper()
	onRedis(t, url, func(c *redis.Client) (err error) {
		value, err = c.Get(patient(t), "kept").Result()
		return err
	})
	return value
}

func onRedis(t testing.TB, url string, do func(*redis.Client) error) {
	t.Helper()
	options, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(options)
	defer client.Close()
	if err := do(client); err != nil {
		t.Fatal(err)
	}
}
