package private

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
)

func TestCluster(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cfg := Config{Dir: testDir(t)}
	for round := range 2 {
		c, err := StartCluster(ctx, cfg, 3)
		if err != nil {
			t.Fatal(err)
		}
		client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{c.Addr(0), c.Addr(1), c.Addr(2)}})
		for i := range 50 {
			key := fmt.Sprint("key", i)
			if round == 0 {
				if err := client.Set(ctx, key, i, 0).Err(); err != nil {
					t.Fatal(err)
				}
			} else if n, err := client.Get(ctx, key).Int(); err != nil || n != i {
				t.Errorf("after a restart %s is %d, %v", key, n, err)
			}
		}
		_ = client.Close()
		for _, master := range c.Masters {
			if err := master.Stop(ctx); err != nil {
				t.Error(err)
			}
		}
	}
	if _, err := StartCluster(ctx, cfg, 4); err == nil {
		t.Error("a cluster of three was started as one of four")
	}
}

func TestCopyPostgres(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	original, err := StartPostgres(ctx, Config{Dir: testDir(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(original.Kill)
	run := func(s *Server, sql string) {
		t.Helper()
		conn, err := pgx.Connect(ctx, s.URL())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(ctx)
		if _, err := conn.Exec(ctx, sql); err != nil {
			t.Fatal(err)
		}
	}
	count := func(s *Server) (n int) {
		t.Helper()
		conn, err := pgx.Connect(ctx, s.URL())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(ctx)
		if err := conn.QueryRow(ctx, "SELECT count(*) FROM kept").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	run(original, "CREATE TABLE kept (n int); INSERT INTO kept VALUES (1)")
	backup, standby := Config{Dir: testDir(t)}, Config{Dir: testDir(t)}
	for cfg, follows := range map[*Config]bool{&backup: false, &standby: true} {
		if err := CopyPostgres(ctx, original, *cfg, follows); err != nil {
			t.Fatal(err)
		}
	}
	if err := CopyPostgres(ctx, original, backup, false); err == nil {
		t.Error("a cluster was copied over another")
	}
	follower, err := StartPostgres(ctx, standby)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(follower.Kill)
	run(original, "INSERT INTO kept VALUES (2)")
	for count(follower) != 2 {
		if ctx.Err() != nil {
			t.Fatal("the standby does not follow")
		}
	}
	original.Kill()
	run(follower, "SELECT pg_promote()")
	run(follower, "INSERT INTO kept VALUES (3)")
	restored, err := StartPostgres(ctx, backup)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(restored.Kill)
	if a, b := count(follower), count(restored); a != 3 || b != 1 {
		t.Errorf("the promoted has %d rows, the restored %d; want 3 and 1", a, b)
	}
}
