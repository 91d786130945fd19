package pubsub

import (
	"context"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/store/storetest"
	"hotfoot/tracking"
	"hotfoot/tracking/key"
	"hotfoot/tracking/wire"
)

// tally is a durable history that only counts, and says when it has everything.
type tally struct {
	left atomic.Int64
	done context.CancelFunc
}

func (t *tally) Store(_ context.Context, batches []tracking.Batch) ([]tracking.Mark, error) {
	if t.left.Add(-int64(len(batches))) <= 0 {
		t.done()
	}
	return make([]tracking.Mark, len(batches)), nil
}

func (t *tally) Bury(context.Context, tracking.DeadLetter) (tracking.Mark, error) {
	panic("every entry can be read")
}

func (t *tally) MarkDurable(context.Context, []tracking.Mark) error { return nil }

// fill appends batches of one point, spread over so many partitions.
func fill(b *testing.B, client redis.UniversalClient, entries, partitions int) {
	b.Helper()
	for from := 0; from < entries; from += 1000 {
		pipe := client.Pipeline()
		for i := range min(1000, entries-from) {
			p := (from + i) % partitions
			batch := wire.AppendBatch(nil, tracking.Batch{
				CourierID: tracking.NewID(), Session: "s", ReceivedAt: time.Now(), Fixes: []tracking.Fix{{Seq: 1, Position: tracking.Position{RecordedAt: time.Now()}}},
			})
			pipe.XAdd(b.Context(), &redis.XAddArgs{Stream: key.Positions(p), Values: []any{"b", batch}})
		}
		if _, err := pipe.Exec(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// How fast a backlog drains that an outage of Postgres has left behind.
func BenchmarkBacklog_drain(b *testing.B) {
	const entries = 50_000
	for _, partitions := range []int{1, 8, key.Partitions} {
		b.Run(strconv.Itoa(partitions)+" partitions", func(b *testing.B) {
			client := connect(b, storetest.RedisURL(b))
			for b.Loop() {
				b.StopTimer()
				fill(b, client, entries, partitions)
				ctx, cancel := context.WithCancel(b.Context())
				track := &tally{done: cancel}
				track.left.Store(entries)
				history := tracking.NewHistory(track, nil, NewBacklog(client, "w1", silent), track, tracking.HistoryConfig{}, silent)
				b.StartTimer()
				_ = history.Run(ctx)
				b.StopTimer()
				// The last batch was stored when its worker was stopped, and not acknowledged any more.
				if err := client.FlushDB(b.Context()).Err(); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
			b.ReportMetric(entries*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
		})
	}
}
