package vitals

import (
	"context"
	"errors"

	"github.com/redis/go-redis/v9"

	"hotfoot/tracking/key"
)

const (
	// drawsALook is how many keys a look draws at random. Each costs Redis two commands of a few microseconds.
	drawsALook = 64
	// drawsKept is how many draws an estimate is made from, those of the last eight minutes. A kind with a tenth of the keys has some 200 of them, and
	// its number is right to about 7%.
	drawsKept = 2048
	// kindsAtMost bounds the labels, should somebody else keep things in the same Redis.
	kindsAtMost = 32
)

// foreign is the kind of keys that are not named as ours are.
const foreign = "other"

// draw is a key that was drawn: of which kind it is, and how many bytes it takes.
type draw struct {
	kind  string
	bytes float64
}

// draws are the newest draws of one server, from which its memory is divided among kinds. The streams are no part of that: they are few and large, so
// that chance would rarely find one, and are measured one by one.
type draws struct {
	kept    []draw
	oldest  int
	streams float64 // bytes of all streams
}

// Kind is what one kind of keys comes to.
type Kind struct{ Keys, Bytes float64 }

// kinds estimates from the draws how a number of keys and their memory are divided.
func (d *draws) kinds(keys float64) map[string]Kind {
	kinds := map[string]Kind{}
	share := keys / float64(max(1, len(d.kept)))
	for _, drawn := range d.kept {
		name := drawn.kind
		if _, known := kinds[name]; !known && len(kinds) >= kindsAtMost {
			name = foreign
		}
		k := kinds[name]
		k.Keys += share
		k.Bytes += share * drawn.bytes
		kinds[name] = k
	}
	if d.streams > 0 {
		k := kinds[backlog]
		k.Bytes += d.streams
		kinds[backlog] = k
	}
	return kinds
}

func (d *draws) add(drawn draw) {
	if len(d.kept) < drawsKept {
		d.kept = append(d.kept, drawn)
		return
	}
	d.kept[d.oldest] = drawn
	d.oldest = (d.oldest + 1) % drawsKept
}

// take draws keys and measures them, and all streams of these partitions, in two round trips.
func (d *draws) take(ctx context.Context, server *redis.Client, partitions []int) error {
	pipe := server.Pipeline()
	names := make([]*redis.StringCmd, drawsALook)
	for i := range names {
		names[i] = pipe.RandomKey(ctx)
	}
	streams := make([]*redis.IntCmd, len(partitions))
	for i, p := range partitions {
		streams[i] = pipe.MemoryUsage(ctx, key.Positions(p))
	}
	if err := send(ctx, pipe); err != nil {
		return err
	}
	d.streams = 0
	for _, stream := range streams {
		d.streams += float64(stream.Val()) // zero for one that is not there
	}
	pipe = server.Pipeline()
	sizes := make([]*redis.IntCmd, 0, drawsALook)
	kinds := make([]string, 0, drawsALook)
	for _, name := range names {
		if name.Err() == nil {
			sizes, kinds = append(sizes, pipe.MemoryUsage(ctx, name.Val())), append(kinds, kindOf(name.Val()))
		}
	}
	if len(sizes) == 0 {
		// Nothing is left of what was drawn before.
		*d = draws{streams: d.streams}
		return nil
	}
	if err := send(ctx, pipe); err != nil {
		return err
	}
	for i, size := range sizes {
		// One that expired between the two trips is none, and a stream is there already: it counts among the keys and weighs nothing.
		if bytes, err := size.Result(); err == nil && kinds[i] == backlog {
			d.add(draw{kind: backlog})
		} else if err == nil {
			d.add(draw{kinds[i], float64(bytes)})
		}
	}
	return nil
}

// backlog is the kind of the streams and of their counters.
const backlog = "positions"

func kindOf(name string) string {
	if kind := key.Kind(name); kind != "" {
		return kind
	}
	return foreign
}

// send runs a pipeline. The error is the first that is more than "there is none", which need not be the first that the client tells of.
func send(ctx context.Context, pipe redis.Pipeliner) error {
	commands, err := pipe.Exec(ctx)
	for _, c := range commands {
		if failed(c.Err()) {
			return c.Err()
		}
	}
	if failed(err) {
		return err
	}
	return nil
}

// failed tells an error from the answer that there is nothing.
func failed(err error) bool { return err != nil && !errors.Is(err, redis.Nil) }
