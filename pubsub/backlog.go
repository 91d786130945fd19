package pubsub

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/tracking"
	"hotfoot/tracking/key"
)

var _ tracking.Backlog = (*Backlog)(nil)

const (
	group     = "history"
	blockTime = time.Second // how long a Read waits for something new
	// answerLimit is how long an answer may take to arrive, beyond the time it was told to wait: long enough for an entry of any size.
	answerLimit = 5 * time.Second
	emptyPause  = 50 * time.Millisecond
)

// Backlog reads every partition's stream as one member of the consumer group. A process may have several, each under a name of its own.
type Backlog struct {
	client   redis.UniversalClient
	consumer string
	log      *slog.Logger
	lines    []*line
	inHand   map[string]held // by handle: what the last Read answered and nobody has acknowledged since
	joined   bool            // the group is known to be there
	parted   bool            // the last Read reached a part of the partitions only
	// entrySize is what an entry took in the last Read that brought any, of the stream where they were largest; 0 when it is not known.
	entrySize int
	claimed   time.Time // when the last round of claims began
	retired   time.Time // when consumers that are gone were last removed

	// Changed by tests alone.
	blockFor, answerFor, claimIdle, goneIdle time.Duration
}

// line is what a Backlog knows of one partition's stream.
type line struct {
	stream, bytes string
	// unsettled says that there may be entries in our name that were never acknowledged: they are read again before anything new.
	unsettled bool
	deep      bool   // the last read brought as many entries as were asked for, so there are more
	claimFrom string // where this round of claims goes on; "" when it is over
}

// held is an entry in hand.
type held struct {
	line *line
	size int
}

// NewBacklog makes a Backlog. consumer names this worker and must be its own; under the same name after a restart it finds at once what it
// had in hand.
func NewBacklog(client redis.UniversalClient, consumer string, log *slog.Logger) *Backlog {
	b := &Backlog{
		client: client, consumer: consumer, log: log, inHand: map[string]held{},
		blockFor: blockTime, answerFor: answerLimit, claimIdle: claimAfter, goneIdle: goneAfter,
	}
	for p := range key.Partitions {
		b.lines = append(b.lines, &line{stream: key.Positions(p), bytes: key.BacklogBytes(p), unsettled: true})
	}
	return b
}

// Read implements tracking.Backlog.
func (b *Backlog) Read(ctx context.Context, limit int) ([]tracking.Entry, error) {
	if !b.joined {
		if err := b.join(ctx); err != nil {
			return nil, err
		}
	}
	for _, h := range b.inHand {
		h.line.unsettled = true
	}
	clear(b.inHand)
	b.claim(ctx)
	b.retire(ctx)
	requests := b.plan(limit)
	entries, err := b.fetch(ctx, requests)
	if err != nil && len(entries) == 0 {
		// Whatever was too much to arrive is asked for in the smallest pieces.
		b.entrySize = 0
		return nil, tracking.Unavailable("Redis", err)
	}
	if err != nil && !b.parted {
		b.log.Warn("a part of the backlog cannot be read; the rest goes on", "error", err)
	}
	b.parted = err != nil
	if len(entries) == 0 && len(requests) > 1 {
		// Nobody has waited at the server.
		pause(ctx, emptyPause)
	}
	return entries, nil
}

// fetch asks for what was planned. It may answer entries and an error: then some partitions answered, and others did not.
func (b *Backlog) fetch(ctx context.Context, requests []request) (entries []tracking.Entry, err error) {
	ctx, cancel := context.WithTimeout(ctx, b.blockFor+b.answerFor)
	defer cancel()
	var gone []tracking.Entry
	size := 0
	for i, reply := range b.ask(ctx, requests) {
		streams, failed := reply.Result()
		if failed != nil && !errors.Is(failed, redis.Nil) {
			b.failed(requests[i].lines, failed)
			err = failed
			continue
		}
		for _, l := range requests[i].lines {
			messages := messagesOf(streams, l.stream)
			l.unsettled = l.unsettled && len(messages) > 0
			l.deep = len(messages) == requests[i].count
			bytes := 0
			for _, m := range messages {
				handle := l.stream + " " + m.ID
				if m.Values == nil {
					// Deleted while it was in hand: nothing is left to store.
					gone = append(gone, tracking.Entry{Handle: handle})
					continue
				}
				entry, n := decode(handle, m.Values)
				entries = append(entries, entry)
				b.inHand[handle] = held{l, n}
				bytes += n
			}
			if len(messages) > 0 {
				size = max(size, bytes/len(messages), 1)
			}
		}
	}
	if size > 0 {
		b.entrySize = size
	}
	if failed := b.settle(ctx, gone); failed != nil {
		err = failed
	}
	return entries, err
}

// failed notes that some lines did not answer. The server may have handed us what the broken reply did not bring; and one that came back empty
// has no group any more, which is then made anew.
func (b *Backlog) failed(lines []*line, err error) {
	for _, l := range lines {
		l.unsettled, l.deep = true, false
	}
	if redis.HasErrorPrefix(err, "NOGROUP") {
		b.joined = false
	}
}

func messagesOf(streams []redis.XStream, name string) []redis.XMessage {
	i := slices.IndexFunc(streams, func(s redis.XStream) bool { return s.Stream == name })
	if i < 0 {
		return nil
	}
	return streams[i].Messages
}
