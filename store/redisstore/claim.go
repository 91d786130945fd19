package redisstore

import (
	"context"
	_ "embed"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/tracking"
	"hotfoot/tracking/key"
)

// claimLife is how long a process may take to fill before others stop waiting for it: as long as a dead one can hold them up. One that is only slow
// fills all the same, later.
const claimLife = time.Second

//go:embed claim.lua
var claimLua string

//go:embed release.lua
var releaseLua string

var (
	claimScript   = redis.NewScript(claimLua)
	releaseScript = redis.NewScript(releaseLua)
)

// claim puts this process's placeholder where no other's is. It answers which are ours to fill now, and the records that Redis has by now: somebody
// else has filled those. All of it is one round trip. Errors: CodeUnavailable, and whoever gets it fills for itself alone.
func (s *Store) claim(ctx context.Context, deliveries []tracking.ID) (ours []bool, found []*tracking.Record, err error) {
	runs := s.runsNow()
	answers, err := s.runAll(ctx, claimScript, len(deliveries), func(i int) ([]string, []any) {
		return []string{key.Delivery(deliveries[i]), key.Fill(deliveries[i])}, []any{s.name, s.life.Milliseconds()}
	})
	if err != nil {
		return nil, nil, err
	}
	ours, found = make([]bool, len(deliveries)), make([]*tracking.Record, len(deliveries))
	for i, answer := range answers {
		fields, err := answer.Slice()
		if err != nil || len(fields) != 3 {
			return nil, nil, unavailable(errors.Join(err, errAnswer))
		}
		ours[i] = fields[0] == int64(1)
		if record, old := s.decode(fields[1:], runs[key.Partition(deliveries[i])]); !old {
			found[i] = record
		}
	}
	return ours, found, nil
}

// release gives placeholders back for which there is nothing to keep. absent says of which deliveries there are none.
func (s *Store) release(ctx context.Context, deliveries []tracking.ID, absent []bool) {
	// One that is not given back is gone soon.
	_, _ = s.runAll(ctx, releaseScript, len(deliveries), func(i int) ([]string, []any) {
		gone := "0"
		if absent[i] {
			gone = "1"
		}
		return []string{key.Delivery(deliveries[i]), key.Fill(deliveries[i])}, []any{s.name, gone}
	})
}
