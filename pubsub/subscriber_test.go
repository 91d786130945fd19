package pubsub

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/store/storetest"
)

// ear notes what a listener hears, in order: messages, and "+" for live and "-" for not.
type ear struct {
	mu     sync.Mutex
	heard  []string
	change chan struct{}
}

func newEar() *ear { return &ear{change: make(chan struct{})} }

func (e *ear) note(what string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.heard = append(e.heard, what)
	close(e.change)
	e.change = make(chan struct{})
}

func (e *ear) listener() Listener {
	return Listener{
		Message: func(b []byte) { e.note(string(b)) },
		Live: func(live bool) {
			if live {
				e.note("+")
			} else {
				e.note("-")
			}
		},
	}
}

// await answers everything heard once the condition holds.
func (e *ear) await(t *testing.T, what string, holds func(heard []string) bool) []string {
	t.Helper()
	deadline := time.After(patience)
	for {
		e.mu.Lock()
		heard, change := slices.Clone(e.heard), e.change
		e.mu.Unlock()
		if holds(heard) {
			return heard
		}
		select {
		case <-change:
		case <-deadline:
			t.Fatalf("waited for %s, heard %q", what, heard)
		}
	}
}

// hears waits until one thing was heard this often.
func (e *ear) hears(t *testing.T, what string, times int) []string {
	t.Helper()
	return e.await(t, fmt.Sprintf("%q %d times", what, times), func(heard []string) bool {
		n := 0
		for _, h := range heard {
			if h == what {
				n++
			}
		}
		return n >= times
	})
}

func ready(t testing.TB, subscriptions ...*Subscription) {
	t.Helper()
	deadline := time.After(patience)
	for _, s := range subscriptions {
		select {
		case <-s.Ready():
		case <-deadline:
			t.Fatalf("%s is not ready in time", s.name)
		}
	}
}

// mustPublish sends a message that must be heard by as many.
func mustPublish(t *testing.T, client redis.UniversalClient, channel, message string, heardBy int64) {
	t.Helper()
	n, err := client.Publish(t.Context(), channel, message).Result()
	must(t, err)
	if n != heardBy {
		t.Errorf("%q on %q was heard by %d connections, want %d", message, channel, n, heardBy)
	}
}

func newSubscriber(t *testing.T) (*Subscriber, redis.UniversalClient) {
	t.Helper()
	client := connect(t, storetest.RedisURL(t))
	s := NewSubscriber(client, silent)
	s.sweepEvery = 20 * time.Millisecond
	run(t, s.Run)
	return s, client
}

func TestSubscriber(t *testing.T) {
	t.Parallel()
	t.Run("is confirmed before it is ready, and then brings everything in order", func(t *testing.T) {
		t.Parallel()
		s, client := newSubscriber(t)
		e := newEar()
		sub := s.Subscribe("news", e.listener())
		ready(t, sub)
		if !sub.Live() {
			t.Error("ready, but not live")
		}
		var want []string
		for i := range 2000 {
			mustPublish(t, client, "news", strconv.Itoa(i), 1)
			want = append(want, strconv.Itoa(i))
		}
		got := slices.DeleteFunc(e.hears(t, "1999", 1), func(h string) bool { return h == "+" })
		if !slices.Equal(got, want) {
			t.Errorf("heard %d messages, or not in order", len(got))
		}
	})
	t.Run("takes names as short as one letter, and long ones", func(t *testing.T) {
		t.Parallel()
		s, client := newSubscriber(t)
		for _, name := range []string{"x", "ab", "{p1}", strings.Repeat("long", 5000)} {
			e := newEar()
			sub := s.Subscribe(name, e.listener())
			ready(t, sub)
			mustPublish(t, client, name, "hello", 1)
			e.hears(t, "hello", 1)
		}
	})
	t.Run("serves all listeners of a channel over one subscription", func(t *testing.T) {
		t.Parallel()
		s, client := newSubscriber(t)
		first, second := newEar(), newEar()
		a := s.Subscribe("news", first.listener())
		ready(t, a)
		b := s.Subscribe("news", second.listener())
		ready(t, b)
		if !b.Live() {
			t.Error("the second listener of a confirmed channel is not live")
		}
		mustPublish(t, client, "news", "for two", 1)
		first.hears(t, "for two", 1)
		second.hears(t, "for two", 1)
		a.Close()
		a.Close()
		mustPublish(t, client, "news", "for one", 1)
		second.hears(t, "for one", 1)
		if slices.Contains(first.await(t, "anything", func([]string) bool { return true }), "for one") {
			t.Error("a closed listener heard a message")
		}
		b.Close()
		awaitChannels(t, client, 0)
	})
	t.Run("is there again when closed and opened in a hurry", func(t *testing.T) {
		t.Parallel()
		s, client := newSubscriber(t)
		var last *Subscription
		e := newEar()
		for range 200 {
			s.Subscribe("news", newEar().listener()).Close()
		}
		last = s.Subscribe("news", e.listener())
		ready(t, last)
		// Confirmations of earlier turns may still come, and each says: read again.
		e.await(t, "a message that arrives", func(heard []string) bool {
			_ = client.Publish(t.Context(), "news", "hello").Err()
			return slices.Contains(heard, "hello")
		})
		mustPublish(t, client, "news", "in peace", 1)
		e.hears(t, "in peace", 1)
		last.Close()
		awaitChannels(t, client, 0)
	})
	t.Run("takes thousands of channels at once", func(t *testing.T) {
		t.Parallel()
		s, client := newSubscriber(t)
		var subs []*Subscription
		ears := make([]*ear, 2000)
		for i := range ears {
			ears[i] = newEar()
			subs = append(subs, s.Subscribe(fmt.Sprint("channel ", i), ears[i].listener()))
		}
		ready(t, subs...)
		for i, e := range ears {
			mustPublish(t, client, fmt.Sprint("channel ", i), "hello", 1)
			e.hears(t, "hello", 1)
		}
		for _, sub := range subs {
			sub.Close()
		}
		awaitChannels(t, client, 0)
	})
	t.Run("may be used before it runs", func(t *testing.T) {
		t.Parallel()
		client := connect(t, storetest.RedisURL(t))
		s := NewSubscriber(client, silent)
		e := newEar()
		sub := s.Subscribe("news", e.listener())
		select {
		case <-sub.Ready():
			t.Error("ready before it runs")
		default:
		}
		if sub.Live() {
			t.Error("live before it runs")
		}
		run(t, s.Run)
		ready(t, sub)
	})
}

// awaitChannels waits until the server has exactly so many channels.
func awaitChannels(t *testing.T, client redis.UniversalClient, want int) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		channels, err := client.PubSubChannels(t.Context(), "*").Result()
		must(t, err)
		if len(channels) == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the server has %d channels, want %d", len(channels), want)
		}
	}
}
