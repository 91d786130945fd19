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

//go:embed unclaim.lua
var unclaimLua string

var (
	claimScript   = redis.NewScript(claimLua)
	unclaimScript = redis.NewScript(unclaimLua)
)

// claimed is what is known of a delivery that somebody wants to fill.
type claimed struct {
	ours  bool             // this process has the placeholder
	found *tracking.Record // what somebody else has filled by now; nil for nothing
	told  string           // what was announced a moment ago
}

// claim puts this process's placeholder where no other's is, in one round trip. Errors: CodeUnavailable, and whoever gets it fills for itself alone.
func (s *Store) claim(ctx context.Context, deliveries []tracking.ID) ([]claimed, error) {
	runs := s.runsNow()
	answers, err := s.runAll(ctx, claimScript, len(deliveries), func(i int) ([]string, []any) {
		id := deliveries[i]
		return []string{key.Delivery(id), key.Told(id), key.Fill(id)}, []any{s.name, s.life.Milliseconds()}
	})
	if err != nil {
		return nil, err
	}
	claims := make([]claimed, len(deliveries))
	for i, answer := range answers {
		fields, err := answer.Slice()
		if err != nil || len(fields) != 4 {
			return nil, unavailable(errors.Join(err, errAnswer))
		}
		claims[i].ours = fields[0] == int64(1)
		claims[i].told, _ = fields[3].(string)
		if record, old := s.decode(fields[1:3], runs[key.Partition(deliveries[i])]); !old {
			claims[i].found = record
		}
	}
	return claims, nil
}

// release gives placeholders back for which there is nothing to keep. absent says of which deliveries there are none.
func (s *Store) release(ctx context.Context, deliveries []tracking.ID, absent []bool) {
	// One that is not given back is gone soon.
	_, _ = s.runAll(ctx, unclaimScript, len(deliveries), func(i int) ([]string, []any) {
		gone := "0"
		if absent[i] {
			gone = "1"
		}
		return []string{key.Delivery(deliveries[i]), key.Fill(deliveries[i])}, []any{s.name, gone}
	})
}
