package pubsub

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/tracking"
	"hotfoot/tracking/key"
	"hotfoot/tracking/wire"
)

var _ tracking.Backlog = (*Backlog)(nil)

const (
	group       = "history"
	deadStream  = "hotfoot:positions:dead"
	claimAfter  = time.Minute
	claimEvery  = 20 * time.Second
	blockAtMost = time.Second
)

// Backlog reads every partition's stream as one member of the consumer group.
type Backlog struct {
	client   redis.UniversalClient
	consumer string
	log      *slog.Logger
	streams  []string
	// unsettled says that there may be entries in our name that were never acknowledged: they are read again before anything new.
	unsettled bool
	inHand    int // entries answered by the last Read and not settled since
	// claimIdle is how long an entry may be in a worker's hands before another takes it: well above the longest batch.
	claimIdle time.Duration
	blockFor  time.Duration // how long a Read waits for something new
	claimed   time.Time
	ready     bool
}

// NewBacklog makes a Backlog. consumer names this worker and must be its own; under the same name after a restart it finds at once what it
// had in hand.
func NewBacklog(client redis.UniversalClient, consumer string, log *slog.Logger) *Backlog {
	b := &Backlog{client: client, consumer: consumer, log: log, unsettled: true, claimIdle: claimAfter, blockFor: blockAtMost}
	for p := range key.Partitions {
		b.streams = append(b.streams, key.Positions(p))
	}
	return b
}

// Read implements tracking.Backlog.
func (b *Backlog) Read(ctx context.Context, limit int) ([]tracking.Entry, error) {
	if !b.ready {
		if err := b.join(ctx); err != nil {
			return nil, err
		}
	}
	if time.Since(b.claimed) > claimEvery {
		if err := b.claim(ctx); err != nil {
			return nil, b.failed(err)
		}
		b.claimed = time.Now()
	}
	b.unsettled = b.unsettled || b.inHand > 0
	from := ">"
	if b.unsettled {
		from = "0"
	}
	streams, err := b.read(ctx, from, max(1, int64(limit/len(b.streams))))
	if err != nil {
		return nil, b.failed(err)
	}
	entries, err := b.decode(ctx, streams)
	// Pending entries are read until there are none left.
	b.unsettled = b.unsettled && anyMessages(streams)
	b.inHand = len(entries)
	return entries, err
}

// join makes the group where it is missing, from the very first entry on.
func (b *Backlog) join(ctx context.Context) error {
	pipe := b.client.Pipeline()
	for _, stream := range b.streams {
		pipe.XGroupCreateMkStream(ctx, stream, group, "0")
	}
	replies, _ := pipe.Exec(ctx)
	for _, reply := range replies {
		if err := reply.Err(); err != nil && !redis.HasErrorPrefix(err, "BUSYGROUP") {
			return tracking.Unavailable("Redis", err)
		}
	}
	b.ready = true
	return nil
}

// failed turns an error into the domain's; a Redis that came back empty has no group, which is made anew.
func (b *Backlog) failed(err error) error {
	// The server may have handed us what the broken reply did not bring.
	b.unsettled = true
	if strings.Contains(err.Error(), "NOGROUP") {
		b.ready = false
	}
	return tracking.Unavailable("Redis", err)
}

// read takes up to count entries of each stream.
func (b *Backlog) read(ctx context.Context, from string, count int64) ([]redis.XStream, error) {
	if _, cluster := b.client.(*redis.ClusterClient); cluster {
		return b.readEach(ctx, from, count)
	}
	args := &redis.XReadGroupArgs{Group: group, Consumer: b.consumer, Count: count, Block: -1, Streams: b.streams}
	for range b.streams {
		args.Streams = append(args.Streams[:len(args.Streams):len(args.Streams)], from)
	}
	if from == ">" {
		args.Block = b.blockFor
	}
	streams, err := b.client.XReadGroup(ctx, args).Result()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	return streams, err
}

// readEach asks for each stream by itself, since one command cannot span a cluster's slots.
func (b *Backlog) readEach(ctx context.Context, from string, count int64) ([]redis.XStream, error) {
	pipe := b.client.Pipeline()
	for _, stream := range b.streams {
		pipe.XReadGroup(ctx, &redis.XReadGroupArgs{Group: group, Consumer: b.consumer, Count: count, Block: -1, Streams: []string{stream, from}})
	}
	replies, _ := pipe.Exec(ctx)
	var streams []redis.XStream
	for _, reply := range replies {
		found, err := reply.(*redis.XStreamSliceCmd).Result()
		if err != nil && !errors.Is(err, redis.Nil) {
			return nil, err
		}
		streams = append(streams, found...)
	}
	if anyMessages(streams) {
		return streams, nil
	}
	select {
	case <-ctx.Done():
	case <-time.After(50 * time.Millisecond):
	}
	return nil, nil
}

func anyMessages(streams []redis.XStream) bool {
	return slices.ContainsFunc(streams, func(s redis.XStream) bool { return len(s.Messages) > 0 })
}

// claim takes over what other workers have had in hand for too long; it is then among our own pending entries.
func (b *Backlog) claim(ctx context.Context) error {
	pipe := b.client.Pipeline()
	for _, stream := range b.streams {
		pipe.XAutoClaimJustID(ctx, &redis.XAutoClaimArgs{Stream: stream, Group: group, Consumer: b.consumer, MinIdle: b.claimIdle, Start: "0", Count: 100})
	}
	replies, err := pipe.Exec(ctx)
	if err != nil {
		return err
	}
	for _, reply := range replies {
		if ids, _ := reply.(*redis.XAutoClaimJustIDCmd).Val(); len(ids) > 0 {
			b.unsettled = true
		}
	}
	return nil
}

// decode reads entries; one that cannot be read is buried, since reading it again would not help.
func (b *Backlog) decode(ctx context.Context, streams []redis.XStream) ([]tracking.Entry, error) {
	var entries []tracking.Entry
	for _, s := range streams {
		for _, m := range s.Messages {
			entry := tracking.Entry{Handle: s.Stream + " " + m.ID}
			if m.Values == nil {
				// Deleted while it was pending: nothing is left to store.
				if err := b.Ack(ctx, []tracking.Entry{entry}); err != nil {
					return nil, err
				}
				continue
			}
			payload, _ := m.Values["b"].(string)
			batch, err := wire.Batch([]byte(payload))
			if err != nil {
				b.log.Error("an entry of the backlog cannot be read and was put aside", "entry", entry.Handle, "error", err)
				if err := b.bury(ctx, entry, m.Values, err); err != nil {
					return nil, err
				}
				continue
			}
			entry.Batch = batch
			entries = append(entries, entry)
		}
	}
	return entries, nil
}

// Ack implements tracking.Backlog.
func (b *Backlog) Ack(ctx context.Context, entries []tracking.Entry) error {
	byStream := map[string][]string{}
	for _, e := range entries {
		stream, id, _ := strings.Cut(e.Handle, " ")
		byStream[stream] = append(byStream[stream], id)
	}
	pipe := b.client.Pipeline()
	for stream, ids := range byStream {
		pipe.XAck(ctx, stream, group, ids...)
		pipe.XDel(ctx, stream, ids...)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return tracking.Unavailable("Redis", err)
	}
	b.inHand -= len(entries)
	return nil
}

// Bury implements tracking.Backlog.
func (b *Backlog) Bury(ctx context.Context, entry tracking.Entry, reason error) error {
	return b.bury(ctx, entry, map[string]any{"b": wire.AppendBatch(nil, entry.Batch)}, reason)
}

func (b *Backlog) bury(ctx context.Context, entry tracking.Entry, values map[string]any, reason error) error {
	values["entry"], values["reason"] = entry.Handle, fmt.Sprint(reason)
	// Kept first, removed second: a crash in between buries it twice, never not at all.
	if err := b.client.XAdd(ctx, &redis.XAddArgs{Stream: deadStream, Values: values}).Err(); err != nil {
		return tracking.Unavailable("Redis", err)
	}
	return b.Ack(ctx, []tracking.Entry{entry})
}
