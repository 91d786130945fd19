package redisstore

import (
	_ "embed"

	"github.com/redis/go-redis/v9"

	"hotfoot/tracking"
	"hotfoot/tracking/key"
)

//go:embed bump.lua
var bumpLua string

var bumpScript = redis.NewScript(bumpLua)

// bump makes everything stale that was computed of a merchant or courier. The change must be committed: what is computed from now on has it.
func (s *Store) bump(segment tracking.ID, jobs string) call {
	return call{bumpScript, []string{key.SegmentVersion(segment)}, []any{key.Segment(segment), jobs, s.publish}}
}

// bumpMerchants comes before everybody is told of the changes: who then reads what was computed must not find it as it was.
func (s *Store) bumpMerchants(records []tracking.Record) (calls []call) {
	told := map[tracking.ID]bool{}
	for _, r := range records {
		if merchant := r.Delivery.MerchantID; !told[merchant] {
			told[merchant] = true
			calls = append(calls, s.bump(merchant, ""))
		}
	}
	return calls
}
