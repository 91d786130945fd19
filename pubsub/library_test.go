package pubsub

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
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

// The shortest messages there are arrive although nothing comes after them.
func TestLibrary_idleConnection(t *testing.T) {
	t.Parallel()
	client := connect(t, storetest.RedisURL(t))
	s := NewSubscriber(client, silent)
	s.canaryEvery, s.canaryLimit = time.Hour, time.Hour // it would push along what hangs
	run(t, s.Run)
	for _, name := range []string{"x", "yz", "abcdef", "abcdefg"} {
		e := newEar()
		ready(t, s.Subscribe(name, e.listener()))
		for i, message := range []string{"", "", "1", "a longer one"} {
			mustPublish(t, client, name, message, 1)
			e.await(t, fmt.Sprintf("message %d on %s", i, name), func(heard []string) bool { return len(heard) == i+2 })
		}
	}
}

// Whatever their sizes, and wherever the connection's buffer ends, all messages arrive, whole and in order.
func TestLibrary_losesNothing(t *testing.T) {
	t.Parallel()
	const (
		messages = 200_000
		flight   = 2000 // sent at once: the server cuts whoever lags by megabytes
	)
	client := connect(t, storetest.RedisURL(t))
	s := NewSubscriber(client, silent)
	run(t, s.Run)
	var heard, wrong atomic.Int64
	done := make(chan struct{}, messages/flight)
	random := rand.New(rand.NewPCG(1, 2))
	lengths := make([]int, messages)
	for i := range lengths {
		lengths[i] = random.IntN(random.IntN(3000) + 1) // mostly short, and some of several buffers
	}
	lengths[messages/2] = 1 << 20
	channels := []string{"x", "{p17}:courier:0193a7e0-0000-7000-8000-000000000000", strings.Repeat("long", 100)}
	for _, name := range channels {
		ready(t, s.Subscribe(name, Listener{Live: func(bool) {}, Message: func(b []byte) {
			n := heard.Add(1)
			if len(b) != lengths[n-1] || name != channels[int(n-1)%len(channels)] || len(b) > 0 && (b[0] != byte(n-1) || b[len(b)-1] != byte(n-1)) {
				wrong.Add(1)
			}
			if n%flight == 0 {
				done <- struct{}{}
			}
		}}))
	}
	for from := 0; from < messages; from += flight {
		pipe := client.Pipeline()
		for i := from; i < from+flight; i++ {
			pipe.Publish(t.Context(), channels[i%len(channels)], strings.Repeat(string([]byte{byte(i)}), lengths[i]))
		}
		_, err := pipe.Exec(t.Context())
		must(t, err)
		select {
		case <-done:
		case <-time.After(patience):
			t.Fatalf("%d of %d messages arrived", heard.Load(), from+flight)
		}
	}
	if wrong.Load() > 0 || s.Gaps() > 0 {
		t.Errorf("%d messages are not as they were sent, and there were %d gaps", wrong.Load(), s.Gaps())
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
