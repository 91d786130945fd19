package pubsub

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
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

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// connect opens a client with the product's settings.
func connect(t testing.TB, url string) redis.UniversalClient {
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
func run(t testing.TB, loop func(context.Context) error) {
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

// journal is a log that a test reads while it is written.
type journal struct {
	mu     sync.Mutex
	b      bytes.Buffer
	change chan struct{}
}

func newJournal() *journal { return &journal{change: make(chan struct{})} }

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	close(j.change)
	j.change = make(chan struct{})
	return j.b.Write(b)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.String()
}

func (j *journal) logger() *slog.Logger { return slog.New(slog.NewTextHandler(j, nil)) }

// says waits until something was logged so often.
func (j *journal) says(t *testing.T, what string, times int) {
	t.Helper()
	deadline := time.After(patience)
	for {
		j.mu.Lock()
		n, change := strings.Count(j.b.String(), what), j.change
		j.mu.Unlock()
		if n >= times {
			return
		}
		select {
		case <-change:
		case <-deadline:
			t.Fatalf("waited for %q %d times, it says: %s", what, times, j)
		}
	}
}
