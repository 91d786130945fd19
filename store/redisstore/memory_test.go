package redisstore_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/pubsub"
	"hotfoot/store/redisstore"
	"hotfoot/store/storetest"
	"hotfoot/tracking"
)

// quick rests for no time that a test could notice, so that what is in memory counts only while changes are heard of.
var quick = &tracking.Computation{Name: "quick", Life: time.Hour, Rest: time.Nanosecond, AtOnce: 4}

// switchboard is a watch that a test speaks through.
type switchboard struct {
	mu      sync.Mutex
	changed map[tracking.ID]func()
	live    map[tracking.ID]func(bool)
	ended   int
}

func newSwitchboard() *switchboard {
	return &switchboard{changed: map[tracking.ID]func(){}, live: map[tracking.ID]func(bool){}}
}

func (s *switchboard) watch(id tracking.ID, changed func(), live func(bool)) redisstore.Watch {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changed[id], s.live[id] = changed, live
	return s
}

func (s *switchboard) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended++
}

func TestAside_memory(t *testing.T) {
	t.Parallel()
	t.Run("what is heard of need not be asked for", func(t *testing.T) {
		t.Parallel()
		board := newSwitchboard()
		d := newDesk(t, storetest.RedisURL(t), board.watch, quick)
		q, w := about(quick), &well{}
		d.want(t, q, w, 0, tracking.Computed)
		d.want(t, q, w, 0, tracking.FromHot) // nothing is heard yet
		board.live[q.Segment](true)
		d.want(t, q, w, 0, tracking.FromHot) // what was found before that may have been missed
		d.want(t, q, w, 0, tracking.FromMemory)
		board.changed[q.Segment]()
		d.want(t, q, w, 0, tracking.FromHot)
		d.want(t, q, w, 0, tracking.FromMemory)
		board.live[q.Segment](false)
		d.want(t, q, w, 0, tracking.FromHot)
		d.want(t, q, w, 0, tracking.FromHot)
		board.live[q.Segment](true)
		d.want(t, q, w, 0, tracking.FromHot)
		d.want(t, q, w, 0, tracking.FromMemory)
		d.stop()
		if board.ended != len(board.changed) {
			t.Errorf("%d of %d watches were ended", board.ended, len(board.changed))
		}
	})
	t.Run("what must be new is asked for, and nothing is watched for it", func(t *testing.T) {
		t.Parallel()
		board := newSwitchboard()
		d := newDesk(t, storetest.RedisURL(t), board.watch)
		q, w := about(strict), &well{}
		d.want(t, q, w, 0, tracking.Computed)
		d.want(t, q, w, 0, tracking.FromHot)
		if len(board.changed) > 0 {
			t.Error("it is watched")
		}
	})
	t.Run("however deaf, nothing is shown that is older than its bound", func(t *testing.T) {
		t.Parallel()
		// Two nodes: one that changes things, and one that believes that it hears of all changes and hears of none.
		board := newSwitchboard()
		url := storetest.RedisURL(t)
		here, there := newDesk(t, url, board.watch, quick), newDesk(t, url, unwatched, quick)
		q, w := about(quick), &well{}
		here.want(t, q, w, 0, tracking.Computed)
		board.live[q.Segment](true)
		here.want(t, q, w, 0, tracking.FromHot)
		w.value.Store(1)
		there.changed(t, q.Segment)
		changed := time.Now()
		await(t, "the change is seen", func() bool { value, _ := here.ask(t, q, w); return value == 1 })
		// A second more is for a machine that has other things to do.
		if took := time.Since(changed); took > 6*time.Second {
			t.Errorf("it took %v, want 5 s at most", took)
		}
	})
	t.Run("a change is heard of by every node, within a second", func(t *testing.T) {
		t.Parallel()
		url := storetest.RedisURL(t)
		here, there := newDesk(t, url, feed(t, url), quick), newDesk(t, url, feed(t, url), quick)
		q, w := about(quick), &well{}
		late := 0
		for round := range int64(20) {
			for _, d := range []*desk{here, there} {
				await(t, "it is in memory", func() bool { _, source := d.ask(t, q, w); return source == tracking.FromMemory })
			}
			w.value.Store(round + 1)
			there.changed(t, q.Segment)
			changed := time.Now()
			for _, d := range []*desk{here, there} {
				await(t, "the change is seen", func() bool { value, _ := d.ask(t, q, w); return value == round+1 })
			}
			if time.Since(changed) > time.Second {
				late++
			}
		}
		// The machine may have paused once or twice; without the message each would take five seconds.
		if late > 2 {
			t.Errorf("%d of 20 changes took longer", late)
		}
	})
}

// feed is a node's own connection on which it hears of changes.
func feed(t *testing.T, url string) redisstore.WatchSegment {
	t.Helper()
	client, err := redisstore.Connect(url)
	must(t, err)
	subscriber := pubsub.NewSubscriber(client, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = subscriber.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		// Who waits for a message need not wait to the end.
		if options, ok := client.(*redis.Client); ok {
			_ = options.Do(context.Background(), "CLIENT", "KILL", "TYPE", "pubsub").Err()
		}
		<-ended
		_ = client.Close()
	})
	f := pubsub.NewFeed(subscriber, slog.New(slog.DiscardHandler))
	return func(id tracking.ID, changed func(), live func(bool)) redisstore.Watch {
		return f.Segment(id, changed, live)
	}
}
