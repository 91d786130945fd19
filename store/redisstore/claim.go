package redisstore

import (
	"context"
	_ "embed"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/tracking"
	"hotfoot/tracking/key"
)

// claimLife is how long a process may take to fill before others stop waiting for it: as long as a dead one can hold them up. One that is only slow
// fills all the same, later: what it read is kept if nothing newer is.
const claimLife = time.Second

//go:embed release.lua
var releaseLua string

var releaseScript = redis.NewScript(releaseLua)

// claim puts this process's placeholder where no other's is. It answers which are ours to fill now, and the records that Redis has by now: somebody
// else has filled those. All of it is one round trip. Errors: CodeUnavailable, and whoever gets it fills for itself alone.
func (s *Store) claim(ctx context.Context, deliveries []tracking.ID) (ours []bool, found []*tracking.Record, err error) {
	pipe := s.client.Pipeline()
	for _, id := range deliveries {
		pipe.SetNX(ctx, key.Fill(id), s.name, claimLife)
		// Behind the placeholder: whoever has it after somebody else sees what they have filled, and fills nothing twice.
		pipe.HMGet(ctx, key.Delivery(id), "run", "rec")
	}
	replies, _ := pipe.Exec(ctx)
	if err := firstFailure(replies); err != nil {
		return nil, nil, unavailable(err)
	}
	ours, found = make([]bool, len(deliveries)), make([]*tracking.Record, len(deliveries))
	runs := s.runsNow()
	for i, id := range deliveries {
		ours[i] = replies[2*i].(*redis.BoolCmd).Val()
		record, leftover := s.decode(replies[2*i+1].(*redis.SliceCmd).Val(), runs[key.Partition(id)])
		if record != nil && !leftover {
			found[i] = record
		}
	}
	return ours, found, nil
}

// release gives placeholders back for which there is nothing to keep. absent says of which deliveries there are none.
func (s *Store) release(ctx context.Context, deliveries []tracking.ID, absent []bool) {
	// One that is not given back is gone soon.
	_ = s.runAll(ctx, releaseScript, len(deliveries), func(i int) ([]string, []any) {
		gone := "0"
		if absent[i] {
			gone = "1"
		}
		return []string{key.Delivery(deliveries[i]), key.Fill(deliveries[i])}, []any{s.name, gone}
	})
}
