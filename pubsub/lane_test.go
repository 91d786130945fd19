package pubsub

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/store/storetest"
)

// calls counts how often a server was given a command.
func calls(t *testing.T, client redis.UniversalClient, command string) (n int) {
	t.Helper()
	text, err := client.Info(t.Context(), "commandstats").Result()
	must(t, err)
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, "cmdstat_"+command+":calls="); ok {
			rest, _, _ = strings.Cut(rest, ",")
			n, err = strconv.Atoi(rest)
			must(t, err)
		}
	}
	return n
}

func TestLane_lingers(t *testing.T) {
	t.Parallel()
	t.Run("who comes back soon is live at once, and Redis hears nothing of it", func(t *testing.T) {
		t.Parallel()
		client := connect(t, storetest.RedisURL(t))
		s := NewSubscriber(client, silent)
		s.sweepEvery = time.Hour
		run(t, s.Run)
		ready(t, s.Subscribe("news", newEar().listener()))
		before := calls(t, client, "subscribe")
		for range 100 {
			s.Subscribe("weather", newEar().listener()).Close()
		}
		first := s.Subscribe("weather", newEar().listener())
		ready(t, first)
		for range 100 {
			first.Close()
			e := newEar()
			next := s.Subscribe("weather", e.listener())
			select {
			case <-next.Ready():
			default:
				t.Fatal("it is not ready at once")
			}
			if !next.Live() {
				t.Fatal("it is not live at once")
			}
			mustPublish(t, client, "weather", "rain", 1)
			e.hears(t, "rain", 1)
			first = next
		}
		if n := calls(t, client, "subscribe") - before; n != 1 {
			t.Errorf("Redis was asked %d times, want once", n)
		}
	})
	t.Run("what nobody comes back to is given up in bulk", func(t *testing.T) {
		t.Parallel()
		client := connect(t, storetest.RedisURL(t))
		s := NewSubscriber(client, silent)
		s.sweepEvery = 200 * time.Millisecond
		run(t, s.Run)
		stays := s.Subscribe("stays", newEar().listener())
		var subs []*Subscription
		for i := range 3000 {
			subs = append(subs, s.Subscribe(fmt.Sprint("leaves ", i), newEar().listener()))
		}
		ready(t, append(subs, stays)...)
		for _, sub := range subs {
			sub.Close()
		}
		awaitChannels(t, client, 2) // what stays, and the canary
		if n := calls(t, client, "unsubscribe"); n > 20 {
			t.Errorf("%d commands gave up 3000 channels", n)
		}
	})
	t.Run("no more linger than there is room for", func(t *testing.T) {
		t.Parallel()
		l := newLane(NewSubscriber(nil, silent), "0")
		l.connected = true
		given := 0
		for i := range lingerMax + 500 {
			sub := &Subscription{name: fmt.Sprint(i)}
			l.add(sub)
			l.compare()
			l.remove(sub)
			_, less := l.compare()
			given += len(less)
		}
		if given != 500 || len(l.left) != lingerMax {
			t.Errorf("%d linger and %d are given up, want %d and 500", len(l.left), given, lingerMax)
		}
	})
	t.Run("without a connection nothing is kept that nobody listens to", func(t *testing.T) {
		t.Parallel()
		s := NewSubscriber(nil, silent)
		for i := range 1000 {
			s.Subscribe(fmt.Sprint(i), newEar().listener()).Close()
		}
		for _, l := range s.lanes {
			if len(l.channels)+len(l.touched)+len(l.left) > 0 {
				t.Errorf("it keeps %d channels, %d to compare, %d that linger", len(l.channels), len(l.touched), len(l.left))
			}
		}
	})
}

// A confirmation that belongs to a turn before the last must not count: the channel is about to be given up and asked for again.
func TestLane_counts_the_last_confirmation_alone(t *testing.T) {
	t.Parallel()
	l := newLane(NewSubscriber(nil, silent), "0")
	l.connected = true
	e := newEar()
	sub := &Subscription{name: "x", listener: e.listener()}
	again := &Subscription{name: "x", listener: e.listener()}
	l.add(sub)
	l.compare()
	l.remove(sub)
	l.sweep()
	l.sweep()
	if _, less := l.compare(); len(less) != 1 {
		t.Fatalf("%q are given up", less)
	}
	l.add(again)
	if more, _ := l.compare(); len(more) != 1 {
		t.Fatalf("%q are asked for", more)
	}
	l.confirm([]byte("x"))
	if again.Live() {
		t.Error("live by a confirmation of before")
	}
	if !l.released([]byte("x")) {
		t.Error("what was asked for is taken for a slot that has moved")
	}
	l.confirm([]byte("x"))
	if !again.Live() || !again.isReady {
		t.Error("not live though it is confirmed")
	}
	if l.released([]byte("x")) || l.released([]byte("y")) {
		t.Error("what was not asked for is not taken for a slot that has moved")
	}
	// Given up, and somebody comes and goes before Redis has said so.
	l.remove(again)
	l.sweep()
	l.sweep()
	l.compare()
	last := &Subscription{name: "x", listener: e.listener()}
	l.add(last)
	l.remove(last)
	if !l.released([]byte("x")) {
		t.Error("what was asked for is taken for a slot that has moved, since somebody came and went")
	}
	if len(l.channels) != 0 {
		t.Error("a channel is kept that nobody wants")
	}
}

// Several lanes on one server share nothing but the server.
func TestLane_width(t *testing.T) {
	t.Parallel()
	client := connect(t, storetest.RedisURL(t))
	s := NewSubscriber(client, silent)
	s.width, s.sweepEvery = 4, 20*time.Millisecond
	run(t, s.Run)
	var subs []*Subscription
	ears := make([]*ear, 200)
	for i := range ears {
		ears[i] = newEar()
		subs = append(subs, s.Subscribe(fmt.Sprintf("{p%d}:news", i), ears[i].listener()))
	}
	ready(t, subs...)
	if s.Lanes() != 4 {
		t.Errorf("%d lanes, want 4", s.Lanes())
	}
	for i, e := range ears {
		for n := range 5 {
			mustPublish(t, client, fmt.Sprintf("{p%d}:news", i), fmt.Sprint(n), 1)
		}
		if got := slices.DeleteFunc(e.hears(t, "4", 1), func(h string) bool { return h == "+" }); !slices.Equal(got, []string{"0", "1", "2", "3", "4"}) {
			t.Errorf("heard %q", got)
		}
	}
	if s.Messages() != 1000 {
		t.Errorf("%d messages are counted, want 1000", s.Messages())
	}
	for _, sub := range subs {
		sub.Close()
	}
	awaitChannels(t, client, 0)
	eventually(t, "lanes close", func() bool { return s.Lanes() == 0 })
	if s.Messages() != 1000 || s.Gaps() != 0 {
		t.Errorf("%d messages are counted in the end, and %d gaps; want 1000 and none", s.Messages(), s.Gaps())
	}
}

// The worst places to be cut at, and the slowest way to be told.
func TestLane_cut_in_a_message(t *testing.T) {
	t.Parallel()
	serverURL := storetest.RedisURL(t)
	direct := connect(t, serverURL)
	p, client := through(t, serverURL)
	s := NewSubscriber(client, silent)
	run(t, s.Run)
	e := newEar()
	ready(t, s.Subscribe("news", e.listener()))
	for turn, budget := range []int64{1, 5, 17, 30, 36, 40, 60} {
		p.LimitData(budget)
		// It may be the canary that is cut, a moment before: then nobody hears this, and it has been cut in a message all the same.
		must(t, direct.Publish(t.Context(), "news", strings.Repeat("cut", 30)).Err())
		e.hears(t, "-", turn+1)
		p.Heal()
		e.hears(t, "+", turn+2)
	}
	p.Slice()
	mustPublish(t, direct, "news", "byte by byte", 1)
	heard := e.hears(t, "byte by byte", 1)
	for _, h := range heard {
		if h != "+" && h != "-" && h != "byte by byte" && h != strings.Repeat("cut", 30) {
			t.Errorf("heard %q", h)
		}
	}
}

// A listener that is told while others come and go is told exactly what there is to tell.
func TestLane_listeners_come_and_go(t *testing.T) {
	t.Parallel()
	serverURL := storetest.RedisURL(t)
	p, client := through(t, serverURL)
	s := NewSubscriber(client, silent)
	s.sweepEvery, s.canaryEvery = time.Millisecond, 20*time.Millisecond
	run(t, s.Run)
	e := newEar()
	stays := s.Subscribe("channel 0", e.listener())
	ready(t, stays)
	var coming sync.WaitGroup
	for g := range 8 {
		coming.Go(func() {
			for i := range 500 {
				sub := s.Subscribe(fmt.Sprint("channel ", (g+i)%5), Listener{Message: func([]byte) {}, Live: func(bool) {}})
				if i%50 == 0 {
					<-sub.Ready()
				}
				if i == 250 && g == 0 {
					p.LimitData(0)
					p.Heal()
				}
				sub.Close()
			}
		})
	}
	coming.Wait()
	p.Cut()
	e.await(t, "the end", func(heard []string) bool { return len(heard) > 0 && heard[len(heard)-1] == "-" })
	p.Heal()
	e.await(t, "the way back", func(heard []string) bool { return heard[len(heard)-1] == "+" })
	mustPublish(t, connect(t, serverURL), "channel 0", "still here", 1)
	e.hears(t, "still here", 1)
	stays.Close()
	awaitChannels(t, connect(t, serverURL), 0)
}

// Lanes open and close all the time, and whoever comes while one closes is served all the same.
func TestLane_opens_and_closes(t *testing.T) {
	t.Parallel()
	client := connect(t, storetest.RedisURL(t))
	s := NewSubscriber(client, silent)
	s.width, s.sweepEvery = 2, time.Millisecond
	run(t, s.Run)
	var coming sync.WaitGroup
	for g := range 4 {
		coming.Go(func() {
			for i := range 100 {
				e := newEar()
				name := fmt.Sprintf("{p%d}:news", (g+i)%4)
				sub := s.Subscribe(name, e.listener())
				select {
				case <-sub.Ready():
				case <-time.After(patience):
					t.Error("it is not ready")
					return
				}
				// A lane that closes in this moment opens again, and says so.
				what := fmt.Sprint(g, " ", i)
				e.await(t, what, func(heard []string) bool {
					_ = client.Publish(t.Context(), name, what).Err()
					return slices.Contains(heard, what)
				})
				sub.Close()
				if i%10 == 0 {
					eventually(t, "lanes close", func() bool { return s.Lanes() < 2 })
				}
			}
		})
	}
	coming.Wait()
	awaitChannels(t, client, 0)
	eventually(t, "lanes close", func() bool { return s.Lanes() == 0 })
	if s.Gaps() != 0 {
		t.Errorf("%d gaps", s.Gaps())
	}
}

// The shortest messages there are arrive although nothing comes after them.
func TestLane_idle(t *testing.T) {
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
func TestLane_losesNothing(t *testing.T) {
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
