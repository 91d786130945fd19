package pubsub

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/store/private"
	"hotfoot/store/redisstore"
	"hotfoot/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

const patience = 30 * time.Second

var silent = slog.New(slog.DiscardHandler)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// connect opens a client with the product's settings.
func connect(t *testing.T, url string) redis.UniversalClient {
	t.Helper()
	client, err := redisstore.Connect(url)
	must(t, err)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// startServer starts a Redis that the test may kill, freeze and start again in the same folder.
func startServer(t *testing.T, dir string) *private.Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	server, err := private.StartRedis(ctx, private.Config{Dir: dir})
	must(t, err)
	t.Cleanup(server.Kill)
	return server
}

// run runs a loop until the test ends.
func run(t *testing.T, loop func(context.Context) error) {
	ctx, stop := context.WithCancel(context.Background())
	var wait sync.WaitGroup
	wait.Go(func() {
		if err := loop(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		stop()
		wait.Wait()
	})
}
