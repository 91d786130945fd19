package storetest_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"hotfoot/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

func TestPostgres(t *testing.T) {
	t.Parallel()
	t.Run("has the whole schema, and no other test's rows", func(t *testing.T) {
		t.Parallel()
		mine, other := storetest.Postgres(t), storetest.Postgres(t)
		if _, err := mine.Exec(t.Context(), "UPDATE epoch SET epoch = 7"); err != nil {
			t.Fatal(err)
		}
		if got := epoch(t, mine); got != 7 {
			t.Errorf("epoch is %d where it was written, want 7", got)
		}
		if got := epoch(t, other); got != 1 {
			t.Errorf("epoch is %d in the other database, want 1", got)
		}
	})
	t.Run("can be opened again by its ConnString", func(t *testing.T) {
		t.Parallel()
		pool := storetest.Postgres(t)
		again, err := pgxpool.New(t.Context(), pool.Config().ConnString())
		if err != nil {
			t.Fatal(err)
		}
		defer again.Close()
		if _, err := pool.Exec(t.Context(), "UPDATE epoch SET epoch = 3"); err != nil {
			t.Fatal(err)
		}
		if got := epoch(t, again); got != 3 {
			t.Errorf("epoch is %d through the second pool, want 3", got)
		}
	})
	t.Run("is dropped at the end, even with a connection left open", func(t *testing.T) {
		t.Parallel()
		var left *pgxpool.Pool
		t.Run("a test that leaves one", func(t *testing.T) {
			var err error
			if left, err = pgxpool.New(context.Background(), storetest.PostgresURL(t)); err != nil {
				t.Fatal(err)
			}
			epoch(t, left)
		})
		defer left.Close()
		_, err := left.Exec(t.Context(), "SELECT 1")
		if err == nil {
			t.Fatal("the connection still works, want it cut")
		}
		_, err = left.Exec(t.Context(), "SELECT 1")
		if refused, ok := errors.AsType[*pgconn.PgError](err); !ok || refused.Code != noSuchDatabase {
			t.Errorf("a new connection got %v, want that there is no such database", err)
		}
	})
}

const noSuchDatabase = "3D000"

func TestRedis_publish_is_not_heard_by_another_test(t *testing.T) {
	t.Parallel()
	mine, other := storetest.Redis(t), storetest.Redis(t)
	sub := mine.Subscribe(t.Context(), "news")
	defer sub.Close()
	if _, err := sub.Receive(t.Context()); err != nil {
		t.Fatal(err)
	}
	if heard := other.Publish(t.Context(), "news", "theirs").Val(); heard != 0 {
		t.Errorf("%d subscribers heard the other server, want 0", heard)
	}
	if heard := mine.Publish(t.Context(), "news", "mine").Val(); heard != 1 {
		t.Errorf("%d subscribers heard this server, want 1", heard)
	}
	message, err := sub.ReceiveMessage(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if message.Payload != "mine" {
		t.Errorf("heard %q, want mine", message.Payload)
	}
}

// Every test of the product runs against servers on which nobody can look at everything there is, so that nothing in it does.
func TestRedis_refuses_what_looks_at_everything(t *testing.T) {
	t.Parallel()
	client := storetest.Redis(t)
	for _, command := range [][]any{{"KEYS", "*"}, {"FLUSHALL"}, {"SMEMBERS", "set"}} {
		if err := client.Do(t.Context(), command...).Err(); err == nil || !strings.HasPrefix(err.Error(), "ERR unknown command") {
			t.Errorf("%v: got %v, want that the command is unknown", command, err)
		}
	}
	if err := client.FlushDB(t.Context()).Err(); err != nil {
		t.Errorf("a test's own server cannot be emptied: %v", err)
	}
}

func epoch(t *testing.T, pool *pgxpool.Pool) (n int64) {
	t.Helper()
	if err := pool.QueryRow(t.Context(), "SELECT epoch FROM epoch").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func BenchmarkPostgres(b *testing.B) {
	storetest.PostgresURL(b) // starts the shared server
	for b.Loop() {
		storetest.PostgresURL(b)
	}
}

func BenchmarkRedis(b *testing.B) {
	for b.Loop() {
		storetest.RedisURL(b)
	}
}
