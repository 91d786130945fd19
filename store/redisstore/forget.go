package redisstore

import (
	"context"
	"slices"

	"hotfoot/tracking"
	"hotfoot/tracking/key"
)

var _ tracking.RecordCopies = (*Store)(nil)

// forgetAtOnce is how many records one round trip forgets.
const forgetAtOnce = 500

// ForgetRecords implements tracking.RecordCopies. What a node holds in memory counts for nothing without its copy here, and what somebody is reading from the
// truth meanwhile is not kept: to them something was announced.
func (s *Store) ForgetRecords(ctx context.Context, deliveries []tracking.ID) error {
	for some := range slices.Chunk(deliveries, forgetAtOnce) {
		pipe := s.client.Pipeline()
		for _, id := range some {
			pipe.Set(ctx, key.Told(id), "forgotten", s.fills.limit)
			pipe.Del(ctx, key.Delivery(id))
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return unavailable(err)
		}
	}
	return nil
}
