package pubsub

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/store/storetest"
	"hotfoot/tracking"
	"hotfoot/tracking/key"
)

// counted is how many bytes are said to wait in a partition.
func counted(t *testing.T, client redis.UniversalClient, partition int) int {
	t.Helper()
	n, err := client.Get(t.Context(), key.BacklogBytes(partition)).Int()
	if !errors.Is(err, redis.Nil) {
		must(t, err)
	}
	return n
}

func TestBacklog_Ack(t *testing.T) {
	t.Parallel()
	one := len(batchOf(tracking.NewID()))
	t.Run("takes off the count what it removes, once", func(t *testing.T) {
		t.Parallel()
		client := connect(t, storetest.RedisURL(t))
		b := newBacklog(client, "w1")
		putIn(t, client, 3, newIDs(5)...)
		entries := pending(t, client, b, 3, 5)
		must(t, b.Ack(t.Context(), entries[:2]))
		if got := counted(t, client, 3); got != 3*one {
			t.Errorf("%d bytes wait, want %d", got, 3*one)
		}
		must(t, b.Ack(t.Context(), entries[:3]))
		if got := counted(t, client, 3); got != 2*one {
			t.Errorf("after two of three were there twice, %d bytes wait, want %d", got, 2*one)
		}
		must(t, b.Ack(t.Context(), entries))
		must(t, b.Ack(t.Context(), entries))
		settled(t, client)
	})
	t.Run("never counts below nothing, and counts right again once it is empty", func(t *testing.T) {
		t.Parallel()
		client := connect(t, storetest.RedisURL(t))
		b := newBacklog(client, "w1")
		for p, wrong := range []any{"1", "-500", 1 << 40, "no number"} {
			putIn(t, client, p, newIDs(3)...)
			must(t, client.Set(t.Context(), key.BacklogBytes(p), wrong, 0).Err())
			entries := pending(t, client, b, p, 3)
			must(t, b.Ack(t.Context(), entries[:2]))
			if got := counted(t, client, p); got < 0 {
				t.Errorf("%v: %d bytes wait", wrong, got)
			}
			must(t, b.Ack(t.Context(), entries[2:]))
		}
		settled(t, client)
	})
	t.Run("settles thousands at once", func(t *testing.T) {
		t.Parallel()
		client := connect(t, storetest.RedisURL(t))
		b := newBacklog(client, "w1")
		putIn(t, client, 3, newIDs(3*settleMax+1)...)
		entries := pending(t, client, b, 3, 3*settleMax+1)
		must(t, b.Ack(t.Context(), entries))
		settled(t, client)
	})
	t.Run("does nothing for nothing, and for what is of no backlog", func(t *testing.T) {
		t.Parallel()
		client := connect(t, storetest.RedisURL(t))
		b := newBacklog(client, "w1")
		empty(t, b)
		must(t, client.Set(t.Context(), "other", "x", 0).Err())
		must(t, b.Ack(t.Context(), nil))
		must(t, b.Ack(t.Context(), []tracking.Entry{{Handle: "other 1-1"}, {Handle: ""}}))
	})
	t.Run("may be repeated when its answer was lost", func(t *testing.T) {
		t.Parallel()
		client := connect(t, storetest.RedisURL(t))
		b := newBacklog(client, "w1")
		putIn(t, client, 3, newIDs(4)...)
		entries := pending(t, client, b, 3, 4)
		hook := &loseReply{}
		client.AddHook(hook)
		hook.next.Store(true)
		if err := b.Ack(t.Context(), entries[:2]); tracking.CodeOf(err) != tracking.CodeUnavailable {
			t.Errorf("got %v, want unavailable", err)
		}
		if got := counted(t, client, 3); got != 2*one {
			t.Errorf("%d bytes wait, want %d", got, 2*one)
		}
		if again := pending(t, client, b, 3, 2); again[0].Handle != entries[2].Handle {
			t.Errorf("read %+v, want what was not settled", again)
		}
		must(t, b.Ack(t.Context(), entries))
		settled(t, client)
	})
	t.Run("drains a full Redis, by a worker that is new", func(t *testing.T) {
		t.Parallel()
		client := connect(t, storetest.RedisURL(t))
		putIn(t, client, 3, newIDs(40)...)
		must(t, client.ConfigSet(t.Context(), "maxmemory", "1").Err())
		if err := client.XAdd(t.Context(), &redis.XAddArgs{Stream: key.Positions(3), Values: []any{"b", "more"}}).Err(); !redis.HasErrorPrefix(err, "OOM") {
			t.Fatalf("got %v, want that it is full", err)
		}
		b := newBacklog(client, "w1")
		drain(t, b, 40)
		empty(t, b)
		settled(t, client)
	})
}

// pending has a worker take so many entries of one partition in hand, and answers them all.
func pending(t *testing.T, client redis.UniversalClient, b *Backlog, partition, n int) []tracking.Entry {
	t.Helper()
	if !b.joined {
		must(t, b.join(t.Context()))
	}
	err := client.XReadGroup(t.Context(), &redis.XReadGroupArgs{
		Group: group, Consumer: b.consumer, Streams: []string{key.Positions(partition), ">"}, Count: int64(n), Block: -1,
	}).Err()
	if !errors.Is(err, redis.Nil) {
		must(t, err)
	}
	b.lines[partition].unsettled = true
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		// What is not acknowledged comes again, and more of it each time.
		entries, err := b.Read(t.Context(), 10*n+640)
		must(t, err)
		if len(entries) == n {
			return entries
		}
	}
	t.Fatalf("there are no %d entries", n)
	return nil
}

func TestBacklog_lostReply(t *testing.T) {
	t.Parallel()
	client := connect(t, storetest.RedisURL(t))
	b := newBacklog(client, "w1")
	empty(t, b)
	courier := put(t, client)
	hook := &loseReply{}
	client.AddHook(hook)
	hook.next.Store(true)
	if _, err := b.Read(t.Context(), 500); tracking.CodeOf(err) != tracking.CodeUnavailable {
		t.Fatalf("got %v, want unavailable", err)
	}
	if entries := drain(t, b, 1); entries[0].Batch.CourierID != courier {
		t.Errorf("read %+v", entries)
	}
	settled(t, client)
}

// loseReply loses the next reply, as a connection does that breaks after the server has done its part.
type loseReply struct{ next atomic.Bool }

// ours reports whether a command is one that a Backlog sends: the library has its own, and a lost XAUTOCLAIM is no error.
func ours(cmd redis.Cmder) bool { return cmd.Name() == "evalsha" || cmd.Name() == "xreadgroup" }

func (l *loseReply) DialHook(next redis.DialHook) redis.DialHook { return next }

func (l *loseReply) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		err := next(ctx, cmds)
		if err != nil && !errors.Is(err, redis.Nil) || !slices.ContainsFunc(cmds, ours) || !l.next.CompareAndSwap(true, false) {
			return err
		}
		for _, cmd := range cmds {
			cmd.SetErr(io.EOF)
		}
		return io.EOF
	}
}

func (l *loseReply) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if ours(cmd) && l.next.CompareAndSwap(true, false) {
			err = io.EOF
			cmd.SetErr(err)
		}
		return err
	}
}
