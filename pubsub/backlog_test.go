package pubsub

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/store/storetest"
	"hotfoot/tracking"
	"hotfoot/tracking/key"
	"hotfoot/tracking/wire"
)

// newBacklog makes a Backlog that does not wait long for what will not come.
func newBacklog(client redis.UniversalClient, consumer string) *Backlog {
	b := NewBacklog(client, consumer, silent)
	b.blockFor = 20 * time.Millisecond
	return b
}

// put appends a batch as the hot store does, and answers its courier.
func put(t *testing.T, client redis.UniversalClient) tracking.ID {
	t.Helper()
	courier := tracking.NewID()
	batch := tracking.Batch{CourierID: courier, Session: "s", ReceivedAt: time.Now(), Fixes: []tracking.Fix{{Seq: 1, Position: tracking.Position{RecordedAt: time.Now()}}}}
	must(t, client.XAdd(t.Context(), &redis.XAddArgs{
		Stream: key.Positions(key.Partition(courier)), Values: []any{"b", wire.AppendBatch(nil, batch)},
	}).Err())
	return courier
}

// read reads until something comes.
func read(t *testing.T, b *Backlog) []tracking.Entry {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		entries, err := b.Read(t.Context(), 500)
		must(t, err)
		if len(entries) > 0 {
			return entries
		}
	}
	t.Fatal("nothing comes")
	return nil
}

// empty reads until it is sure that nothing waits: what is pending and then what is new.
func empty(t *testing.T, b *Backlog) {
	t.Helper()
	for range 3 {
		entries, err := b.Read(t.Context(), 500)
		must(t, err)
		if len(entries) > 0 {
			t.Errorf("there are still %d entries", len(entries))
		}
	}
}

func couriers(entries []tracking.Entry) (ids []tracking.ID) {
	for _, e := range entries {
		ids = append(ids, e.Batch.CourierID)
	}
	slices.SortFunc(ids, func(a, b tracking.ID) int { return slices.Compare(a[:], b[:]) })
	return ids
}

func TestBacklog(t *testing.T) {
	t.Parallel()
	t.Run("joins an empty Redis, and brings what was there before", func(t *testing.T) {
		t.Parallel()
		client := connect(t, storetest.RedisURL(t))
		early := put(t, client)
		b := newBacklog(client, "w1")
		entries := read(t, b)
		if len(entries) != 1 || entries[0].Batch.CourierID != early || entries[0].Batch.Fixes[0].Seq != 1 {
			t.Fatalf("read %+v", entries)
		}
		must(t, b.Ack(t.Context(), entries))
		empty(t, b)
		if n := client.XLen(t.Context(), key.Positions(key.Partition(early))).Val(); n != 0 {
			t.Errorf("%d entries are left in the stream", n)
		}
		// Another worker finds the group made.
		second := newBacklog(client, "w2")
		late := put(t, client)
		if entries := read(t, second); entries[0].Batch.CourierID != late {
			t.Errorf("read %+v", entries)
		}
	})
	t.Run("brings each entry to one worker", func(t *testing.T) {
		t.Parallel()
		client := connect(t, storetest.RedisURL(t))
		workers := []*Backlog{newBacklog(client, "w1"), newBacklog(client, "w2")}
		var want, got []tracking.ID
		for range 300 {
			want = append(want, put(t, client))
		}
		for len(got) < len(want) {
			for _, b := range workers {
				entries, err := b.Read(t.Context(), 64)
				must(t, err)
				must(t, b.Ack(t.Context(), entries))
				got = append(got, couriers(entries)...)
			}
		}
		for _, ids := range [][]tracking.ID{want, got} {
			slices.SortFunc(ids, func(a, b tracking.ID) int { return slices.Compare(a[:], b[:]) })
		}
		if !slices.Equal(got, want) {
			t.Errorf("read %d entries, not the %d that there were", len(got), len(want))
		}
	})
	t.Run("reads again what was not settled, before anything new", func(t *testing.T) {
		t.Parallel()
		client := connect(t, storetest.RedisURL(t))
		b := newBacklog(client, "w1")
		put(t, client)
		put(t, client)
		first := read(t, b)
		for len(first) < 2 {
			first = append(first, read(t, b)...)
		}
		must(t, b.Ack(t.Context(), first[:1]))
		put(t, client)
		again := read(t, b)
		if len(again) != 1 || again[0].Handle != first[1].Handle {
			t.Errorf("read %+v, want the one that was left", again)
		}
		must(t, b.Ack(t.Context(), again))
		must(t, b.Ack(t.Context(), read(t, b)))
		empty(t, b)
	})
	t.Run("finds after a crash what it had in hand", func(t *testing.T) {
		t.Parallel()
		client := connect(t, storetest.RedisURL(t))
		put(t, client)
		had := read(t, newBacklog(client, "w1"))
		put(t, client)
		b := newBacklog(client, "w1")
		found := read(t, b)
		if len(found) != 1 || found[0].Handle != had[0].Handle {
			t.Errorf("found %+v, want %+v first", found, had)
		}
		must(t, b.Ack(t.Context(), found))
		must(t, b.Ack(t.Context(), read(t, b)))
		empty(t, b)
	})
	t.Run("takes over what a dead worker had in hand, and not what a living one has", func(t *testing.T) {
		t.Parallel()
		client := connect(t, storetest.RedisURL(t))
		put(t, client)
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
	})
	t.Run("asks again for what was in a reply that did not arrive", func(t *testing.T) {
		t.Parallel()
		client := connect(t, storetest.RedisURL(t))
		b := newBacklog(client, "w1")
		empty(t, b)
		courier := put(t, client)
		client.AddHook(&loseReply{})
		if _, err := b.Read(t.Context(), 500); tracking.CodeOf(err) != tracking.CodeUnavailable {
			t.Fatalf("got %v, want unavailable", err)
		}
		if entries := read(t, b); entries[0].Batch.CourierID != courier {
			t.Errorf("read %+v", entries)
		}
	})
	t.Run("buries what cannot be read, and goes on", func(t *testing.T) {
		t.Parallel()
		client := connect(t, storetest.RedisURL(t))
		b := newBacklog(client, "w1")
		for _, values := range [][]any{{"b", "nonsense"}, {"b", ""}, {"c", "no batch"}} {
			must(t, client.XAdd(t.Context(), &redis.XAddArgs{Stream: key.Positions(0), Values: values}).Err())
		}
		good := put(t, client)
		if entries := read(t, b); len(entries) != 1 || entries[0].Batch.CourierID != good {
			t.Errorf("read %+v", entries)
		} else {
			must(t, b.Bury(t.Context(), entries[0], errors.New("a latitude of 91")))
		}
		empty(t, b)
		dead := client.XRange(t.Context(), deadStream, "-", "+").Val()
		if len(dead) != 4 || dead[3].Values["reason"] != "a latitude of 91" || dead[0].Values["b"] != "nonsense" {
			t.Errorf("buried are %v", dead)
		}
		buried, err := wire.Batch([]byte(dead[3].Values["b"].(string)))
		if err != nil || buried.CourierID != good {
			t.Errorf("buried is %+v, %v", buried, err)
		}
	})
	t.Run("lets go of what was deleted while it was in hand", func(t *testing.T) {
		t.Parallel()
		client := connect(t, storetest.RedisURL(t))
		courier := put(t, client)
		b := newBacklog(client, "w1")
		read(t, b)
		must(t, client.XTrimMaxLen(t.Context(), key.Positions(key.Partition(courier)), 0).Err())
		empty(t, b)
		if pending := client.XPending(t.Context(), key.Positions(key.Partition(courier)), group).Val(); pending.Count != 0 {
			t.Errorf("%d are pending for ever", pending.Count)
		}
	})
	t.Run("makes its group anew in a Redis that came back empty", func(t *testing.T) {
		t.Parallel()
		client := connect(t, storetest.RedisURL(t))
		b := newBacklog(client, "w1")
		put(t, client)
		held := read(t, b)
		must(t, client.FlushAll(t.Context()).Err())
		fresh := put(t, client)
		_, err := b.Read(t.Context(), 500)
		if tracking.CodeOf(err) != tracking.CodeUnavailable {
			t.Errorf("got %v, want unavailable once", err)
		}
		if entries := read(t, b); entries[0].Batch.CourierID != fresh {
			t.Errorf("read %+v", entries)
		}
		must(t, b.Ack(t.Context(), held)) // of a stream that is gone
	})
	t.Run("says that Redis is away, and goes on when it is back", func(t *testing.T) {
		t.Parallel()
		dir := storetest.Dir(t)
		server := startServer(t, dir)
		client := connect(t, server.URL())
		b := newBacklog(client, "w1")
		put(t, client)
		held := read(t, b)
		server.Kill()
		_, err := b.Read(t.Context(), 500)
		if tracking.CodeOf(err) != tracking.CodeUnavailable || tracking.CodeOf(b.Ack(t.Context(), held)) != tracking.CodeUnavailable {
			t.Errorf("got %v, want unavailable", err)
		}
		startServer(t, dir)
		// What was appended in the last second may be lost with a power cut, which is why it is no acknowledgement; what is there comes again.
		put(t, client)
		read(t, b)
	})
	t.Run("waits no longer than its caller", func(t *testing.T) {
		t.Parallel()
		b := NewBacklog(connect(t, storetest.RedisURL(t)), "w1", silent)
		b.blockFor = patience
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		began := time.Now()
		var err error
		for err == nil { // the first looks for what is pending
			_, err = b.Read(ctx, 500)
		}
		if took := time.Since(began); took > patience/2 {
			t.Errorf("it waited %v and said %v", took, err)
		}
	})
}

// loseReply loses the first reply, as a connection does that breaks after the server has done its part.
type loseReply struct{ lost bool }

func (l *loseReply) DialHook(next redis.DialHook) redis.DialHook { return next }

func (l *loseReply) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (l *loseReply) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if !l.lost {
			l.lost, err = true, io.EOF
			cmd.SetErr(err)
		}
		return err
	}
}
