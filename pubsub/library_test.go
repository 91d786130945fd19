package pubsub

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/cmd/chaos/proxy"
	"hotfoot/store/storetest"
	"hotfoot/tracking"
)

// What the library has done to others, with our settings. Releases before 9.22.0 lost messages on a busy connection, or hung on an idle one.
func TestLibrary_version(t *testing.T) {
	t.Parallel()
	var major, minor int
	if _, err := fmt.Sscanf(redis.Version(), "%d.%d", &major, &minor); err != nil {
		t.Fatal(err)
	}
	if major < 9 || major == 9 && minor < 22 {
		t.Errorf("go-redis is %s, want 9.22.0 or later", redis.Version())
	}
}

// A deadline bounds a command that is under way, and what was given up confuses nobody later.
func TestLibrary_deadline(t *testing.T) {
	t.Parallel()
	p, client := through(t, storetest.RedisURL(t))
	must(t, client.Ping(t.Context()).Err())
	p.Stall(proxy.Down)
	var hurried sync.WaitGroup
	for range 50 {
		hurried.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 25*time.Millisecond)
			defer cancel()
			began := time.Now()
			if _, err := Waiting(ctx, client); tracking.CodeOf(err) != tracking.CodeUnavailable {
				t.Errorf("got %v, want unavailable", err)
			}
			if took := time.Since(began); took > 500*time.Millisecond {
				t.Errorf("it took %v", took)
			}
		})
	}
	hurried.Wait()
	p.Heal()
	for i := range 100 {
		if got, err := client.Echo(t.Context(), i).Result(); got != strconv.Itoa(i) {
			t.Fatalf("asked for %d, got %q, %v", i, got, err)
		}
	}
}

// A command whose reply is lost is not sent again.
func TestLibrary_sendsOnce(t *testing.T) {
	t.Parallel()
	p, client := through(t, storetest.RedisURL(t))
	must(t, client.Set(t.Context(), "n", 0, 0).Err())
	for turn := range 5 {
		p.LimitData(0)
		if err := client.Incr(t.Context(), "n").Err(); err == nil {
			t.Fatal("the reply was not lost")
		}
		p.Heal()
		if n, err := client.Get(t.Context(), "n").Int(); err != nil || n != turn+1 {
			t.Errorf("after %d commands the number is %d, %v", turn+1, n, err)
		}
	}
}
