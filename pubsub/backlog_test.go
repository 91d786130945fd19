package pubsub

import (
	"context"
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

// batchOf is a batch of one point.
func batchOf(courier tracking.ID) []byte {
	now := time.Now()
	return wire.AppendBatch(nil, tracking.Batch{CourierID: courier, Session: "s", ReceivedAt: now, Fixes: []tracking.Fix{{Seq: 1, Position: tracking.Position{RecordedAt: now}}}})
}

// put appends a batch as the hot store does, and answers its courier.
func put(t testing.TB, client redis.UniversalClient) tracking.ID {
	t.Helper()
	courier := tracking.NewID()
	putIn(t, client, key.Partition(courier), courier)
	return courier
}

// putIn appends batches to one partition in one go.
func putIn(t testing.TB, client redis.UniversalClient, partition int, couriers ...tracking.ID) {
	t.Helper()
	pipe := client.Pipeline()
	for _, courier := range couriers {
		batch := batchOf(courier)
		pipe.XAdd(t.Context(), &redis.XAddArgs{Stream: key.Positions(partition), Values: []any{"b", batch}})
		pipe.IncrBy(t.Context(), key.BacklogBytes(partition), int64(len(batch)))
	}
	_, err := pipe.Exec(t.Context())
	must(t, err)
}

func newIDs(n int) []tracking.ID {
	ids := make([]tracking.ID, n)
	for i := range ids {
		ids[i] = tracking.NewID()
	}
	return ids
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

// drain reads and acknowledges until so many entries have come.
func drain(t *testing.T, b *Backlog, n int) (all []tracking.Entry) {
	t.Helper()
	for len(all) < n {
		entries := read(t, b)
		must(t, b.Ack(t.Context(), entries))
		all = append(all, entries...)
	}
	return all
}

// empty reads until it is sure that nothing waits: what is pending, what can be taken over, and then what is new.
func empty(t *testing.T, b *Backlog) {
	t.Helper()
	for range 4 {
		entries, err := b.Read(t.Context(), 500)
		must(t, err)
		if len(entries) > 0 {
			t.Errorf("there are still %d entries", len(entries))
		}
	}
}

// settled fails unless nothing is left in Redis of what was in the backlog.
func settled(t *testing.T, client redis.UniversalClient) {
	t.Helper()
	for p := range key.Partitions {
		if n := client.XLen(t.Context(), key.Positions(p)).Val(); n != 0 {
			t.Errorf("partition %d: %d entries are left", p, n)
		}
		if pending := client.XPending(t.Context(), key.Positions(p), group).Val(); pending != nil && pending.Count != 0 {
			t.Errorf("partition %d: %d entries are pending for ever", p, pending.Count)
		}
		if n, _ := client.Get(t.Context(), key.BacklogBytes(p)).Int(); n != 0 {
			t.Errorf("partition %d: %d bytes are counted in an empty backlog", p, n)
		}
	}
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
	t.Run("reads again what was not settled, before anything new", func(t *testing.T) {
		t.Parallel()
		client := connect(t, storetest.RedisURL(t))
		b := newBacklog(client, "w1")
		ids := newIDs(3)
		putIn(t, client, 5, ids[0])
		putIn(t, client, 6, ids[1])
		first := read(t, b)
		if len(first) != 2 {
			t.Fatalf("read %+v, want one of each partition", first)
		}
		must(t, b.Ack(t.Context(), first[:1]))
		putIn(t, client, 6, ids[2])
		again := read(t, b)
		if len(again) != 1 || again[0].Handle != first[1].Handle {
			t.Errorf("read %+v, want the one that was left", again)
		}
		must(t, b.Ack(t.Context(), again))
		if next := drain(t, b, 1); next[0].Batch.CourierID != ids[2] {
			t.Errorf("read %+v, want the new one", next)
		}
		empty(t, b)
		settled(t, client)
	})
	t.Run("finds after a crash what it had in hand", func(t *testing.T) {
		t.Parallel()
		client := connect(t, storetest.RedisURL(t))
		putIn(t, client, 7, tracking.NewID())
		had := read(t, newBacklog(client, "w1"))
		putIn(t, client, 7, tracking.NewID())
		b := newBacklog(client, "w1")
		found := read(t, b)
		if len(found) != 1 || found[0].Handle != had[0].Handle {
			t.Errorf("found %+v, want %+v first", found, had)
		}
		must(t, b.Ack(t.Context(), found))
		must(t, b.Ack(t.Context(), read(t, b)))
		empty(t, b)
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
		must(t, client.FlushDB(t.Context()).Err())
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
