package pubsub

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/store/storetest"
	"hotfoot/tracking"
	"hotfoot/tracking/key"
)

// shelf is a durable history that notes how often each courier's batch was stored.
type shelf struct {
	mu     sync.Mutex
	stored map[tracking.ID]int
	enough func(stored map[tracking.ID]int) bool
	done   context.CancelFunc
}

func (s *shelf) Store(_ context.Context, batches []tracking.Batch) ([]tracking.Mark, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range batches {
		s.stored[b.CourierID]++
	}
	if s.enough(s.stored) {
		s.done()
	}
	return make([]tracking.Mark, len(batches)), nil
}

func (s *shelf) Bury(context.Context, tracking.DeadLetter) (tracking.Mark, error) {
	panic("every entry can be read")
}

func (s *shelf) MarkDurable(context.Context, []tracking.Mark) error { return nil }

// store runs one loop for each backlog until every courier's batch is stored, and answers how often each was.
func store(t *testing.T, couriers int, backlogs ...*Backlog) map[tracking.ID]int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	s := &shelf{stored: map[tracking.ID]int{}, enough: func(stored map[tracking.ID]int) bool { return len(stored) == couriers }, done: cancel}
	var loops sync.WaitGroup
	for _, b := range backlogs {
		history := tracking.NewHistory(s, nil, b, s, tracking.HistoryConfig{Retry: time.Millisecond}, silent)
		loops.Go(func() { _ = history.Run(ctx) })
	}
	loops.Wait()
	if len(s.stored) != couriers {
		t.Fatalf("%d of %d batches were stored", len(s.stored), couriers)
	}
	return s.stored
}

func TestBacklog_several(t *testing.T) {
	t.Parallel()
	t.Run("bring each entry to one of them", func(t *testing.T) {
		t.Parallel()
		client := connect(t, storetest.RedisURL(t))
		const n = 6000
		for p := range 3 {
			putIn(t, client, p, newIDs(n/4)...)
		}
		for range n / 4 {
			put(t, client)
		}
		backlogs := []*Backlog{newBacklog(client, "w1a"), newBacklog(client, "w1b"), newBacklog(client, "w2")}
		for courier, times := range store(t, n, backlogs...) {
			if times != 1 {
				t.Errorf("the batch of %s was stored %d times", courier, times)
			}
		}
		// What a loop had stored when it was stopped it finds again.
		for _, b := range backlogs {
			for entries := read1(t, b); len(entries) > 0; entries = read1(t, b) {
				must(t, b.Ack(t.Context(), entries))
			}
		}
		settled(t, client)
	})
	t.Run("lose nothing when they take from each other all the time, and remove each other", func(t *testing.T) {
		t.Parallel()
		client := connect(t, storetest.RedisURL(t))
		const n = 3000
		for p := range 3 {
			putIn(t, client, p, newIDs(n/3)...)
		}
		var backlogs []*Backlog
		for _, name := range []string{"w1", "w2", "w3"} {
			b := newBacklog(client, name)
			b.claimIdle, b.goneIdle = time.Millisecond, 0
			backlogs = append(backlogs, b)
		}
		hurry, calm := context.WithCancel(t.Context())
		var other sync.WaitGroup
		other.Go(func() {
			b := newBacklog(client, "w4")
			b.goneIdle = 0
			for hurry.Err() == nil {
				b.retired = time.Time{}
				b.retire(hurry)
			}
		})
		store(t, n, backlogs...)
		calm()
		other.Wait()
		last := newBacklog(client, "w5")
		last.claimIdle = 0
		for entries := read1(t, last); len(entries) > 0; entries = read1(t, last) {
			must(t, last.Ack(t.Context(), entries))
		}
		for p := range key.Partitions {
			if left := client.XLen(t.Context(), key.Positions(p)).Val(); left != client.XPending(t.Context(), key.Positions(p), group).Val().Count {
				t.Errorf("partition %d has %d entries that are in nobody's hands and will be read by nobody", p, left)
			}
		}
	})
}

// read1 answers what the second of two reads brings, so that what can be taken over is.
func read1(t *testing.T, b *Backlog) []tracking.Entry {
	t.Helper()
	b.claimed = time.Time{}
	var entries []tracking.Entry
	for range 3 {
		var err error
		entries, err = b.Read(t.Context(), 500)
		must(t, err)
		if len(entries) > 0 {
			break
		}
	}
	return entries
}

func TestBacklog_claim(t *testing.T) {
	t.Parallel()
	t.Run("takes over what a dead worker had in hand, and not what a living one has", func(t *testing.T) {
		t.Parallel()
		client := connect(t, storetest.RedisURL(t))
		putIn(t, client, 4, tracking.NewID())
		had := read(t, newBacklog(client, "dead"))
		patient := newBacklog(client, "patient")
		empty(t, patient)
		eager := newBacklog(client, "eager")
		eager.claimIdle = time.Millisecond
		taken := read(t, eager)
		if len(taken) != 1 || taken[0].Handle != had[0].Handle {
			t.Errorf("taken %+v, want %+v", taken, had)
		}
		must(t, eager.Ack(t.Context(), taken))
		empty(t, eager)
		settled(t, client)
	})
	t.Run("takes over page by page, each when the last is settled, to the end", func(t *testing.T) {
		t.Parallel()
		client := connect(t, storetest.RedisURL(t))
		const n = 3*claimPage + 50
		putIn(t, client, 4, newIDs(n)...)
		pending(t, client, newBacklog(client, "dead"), 4, n)
		eager := newBacklog(client, "eager")
		eager.claimIdle = time.Millisecond
		inHand := func() int64 {
			return client.XPending(t.Context(), key.Positions(4), group).Val().Consumers["eager"]
		}
		for settledSoFar := 0; settledSoFar < n; {
			entries := read(t, eager)
			if held := inHand(); held > claimPage {
				t.Fatalf("it holds %d entries, want at most %d", held, claimPage)
			}
			must(t, eager.Ack(t.Context(), entries))
			settledSoFar += len(entries)
		}
		if took := time.Since(eager.claimed); took > claimEvery {
			t.Skipf("it took %v: another round may have begun", took)
		}
		empty(t, eager)
		settled(t, client)
	})
	// A worker that was frozen, or cut off, goes on with what another has taken over meanwhile.
	for name, first := range map[string]string{"the other has settled it": "other", "the other still has it in hand": "frozen"} {
		t.Run("harms nothing when its owner comes back and "+name, func(t *testing.T) {
			t.Parallel()
			client := connect(t, storetest.RedisURL(t))
			ids := newIDs(5)
			putIn(t, client, 4, ids...)
			workers := map[string]*Backlog{"frozen": newBacklog(client, "frozen"), "other": newBacklog(client, "other")}
			workers["other"].claimIdle = time.Millisecond
			has := map[string][]tracking.Entry{"frozen": pending(t, client, workers["frozen"], 4, 5)}
			has["other"] = read(t, workers["other"])
			for len(has["other"]) < 5 {
				has["other"] = read(t, workers["other"])
			}
			second := map[string]string{"frozen": "other", "other": "frozen"}[first]
			must(t, workers[first].Ack(t.Context(), has[first]))
			settled(t, client)
			later := tracking.NewID()
			putIn(t, client, 4, later)
			must(t, workers[second].Ack(t.Context(), has[second]))
			if got, want := counted(t, client, 4), len(batchOf(later)); got != want {
				t.Errorf("%d bytes wait, want %d", got, want)
			}
			if entries := drain(t, workers["frozen"], 1); entries[0].Batch.CourierID != later {
				t.Errorf("read %+v, want the new one", entries)
			}
			empty(t, workers["frozen"])
			empty(t, workers["other"])
			settled(t, client)
		})
	}
}

func TestBacklog_retire(t *testing.T) {
	t.Parallel()
	client := connect(t, storetest.RedisURL(t))
	consumers := func() (names []string) {
		for _, c := range client.XInfoConsumers(t.Context(), key.Positions(4), group).Val() {
			names = append(names, c.Name)
		}
		slices.Sort(names)
		return names
	}
	ids := newIDs(2)
	putIn(t, client, 4, ids...)
	busy, idle, living := newBacklog(client, "busy"), newBacklog(client, "idle"), newBacklog(client, "living")
	pending(t, client, busy, 4, 1)
	drain(t, idle, 1)
	empty(t, living)
	if got, want := consumers(), []string{"busy", "idle", "living"}; !slices.Equal(got, want) {
		t.Fatalf("there are %q, want %q", got, want)
	}
	living.retired = time.Time{}
	empty(t, living)
	if got, want := consumers(), []string{"busy", "idle", "living"}; !slices.Equal(got, want) {
		t.Errorf("there are %q, want %q: nobody is gone for long enough", got, want)
	}
	living.goneIdle = 10 * time.Millisecond
	for deadline := time.Now().Add(patience); len(consumers()) > 2; {
		living.retired = time.Time{}
		empty(t, living)
		if time.Now().After(deadline) {
			t.Fatal("nobody is removed")
		}
	}
	if got := consumers(); !slices.Contains(got, "busy") {
		t.Errorf("there are %q, want busy among them: it has an entry in hand", got)
	}
	// Who comes back after all is taken in again.
	putIn(t, client, 4, tracking.NewID())
	drain(t, idle, 1)
	drain(t, busy, 1)
	settled(t, client)
}

func TestBacklog_join(t *testing.T) {
	t.Parallel()
	client := connect(t, storetest.RedisURL(t))
	must(t, client.Set(t.Context(), key.Positions(7), "no stream", 0).Err())
	b := newBacklog(client, "w1")
	if _, err := b.Read(t.Context(), 500); !redis.HasErrorPrefix(err, "WRONGTYPE") || tracking.CodeOf(err) != tracking.CodeUnavailable {
		t.Errorf("got %v, want unavailable because of the wrong type", err)
	}
	must(t, client.Del(t.Context(), key.Positions(7)).Err())
	putIn(t, client, 7, tracking.NewID())
	drain(t, b, 1)
}
