package pubsub

import (
	"context"

	"github.com/redis/go-redis/v9"

	"hotfoot/tracking"
	"hotfoot/tracking/key"
)

// ofSubject is how many entries a round trip reads of a stream in search of one courier's.
const ofSubject = 500

// WaitingOf hands every batch of a courier that waits for Postgres to use, in the order in which they came. Errors: CodeUnavailable, and those of use.
func WaitingOf(ctx context.Context, client redis.UniversalClient, courier tracking.ID, use func(tracking.Batch) error) error {
	return eachOf(ctx, client, courier, func(_ string, entry tracking.Entry, _ int) error { return use(entry.Batch) })
}

// EraseWaiting removes every batch of a courier that waits for Postgres, also from a worker's hands, and answers how many. Errors: CodeUnavailable; some are
// gone then.
func EraseWaiting(ctx context.Context, client redis.UniversalClient, courier tracking.ID) (erased int, err error) {
	partition := key.Partition(courier)
	err = eachOf(ctx, client, courier, func(id string, _ tracking.Entry, size int) error {
		settle := call{[]string{key.Positions(partition), key.BacklogBytes(partition)}, []any{group, id, size}}
		if err := runEach(ctx, client, settleScript, []call{settle}); err != nil {
			return tracking.Unavailable("Redis", err)
		}
		erased++
		return nil
	})
	return erased, err
}

// eachOf reads a courier's partition from end to end. It is for operators: others share the stream.
func eachOf(ctx context.Context, client redis.UniversalClient, courier tracking.ID, use func(id string, entry tracking.Entry, size int) error) error {
	stream := key.Positions(key.Partition(courier))
	for from := "-"; ; {
		messages, err := client.XRangeN(ctx, stream, from, "+", ofSubject).Result()
		if err != nil {
			return tracking.Unavailable("Redis", err)
		}
		for _, m := range messages {
			from = "(" + m.ID
			if entry, size := decode(stream+" "+m.ID, m.Values); entry.Unreadable == nil && entry.Batch.CourierID == courier {
				if err := use(m.ID, entry, size); err != nil {
					return err
				}
			}
		}
		if len(messages) < ofSubject {
			return nil
		}
	}
}
