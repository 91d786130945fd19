package redisstore

import (
	"context"
	_ "embed"

	"github.com/redis/go-redis/v9"

	"hotfoot/tracking"
	"hotfoot/tracking/key"
)

//go:embed mark.lua
var markLua string

var markScript = redis.NewScript(markLua)

// MarkDurable implements tracking.Hot and tracking.Marker.
func (s *Store) MarkDurable(ctx context.Context, marks []tracking.Mark) error {
	// Before the marks are made: they were earned under this epoch or an earlier one.
	epoch := s.epoch.Load()
	err := s.makeMarks(ctx, epoch, &Runs{}, marks)
	if err != nil {
		s.owed.add(epoch, marks)
	}
	return err
}

// makeMarks makes marks; runs are those in which the truth was asked for them, or none when they are what single commits have come to.
func (s *Store) makeMarks(ctx context.Context, epoch int64, runs *Runs, marks []tracking.Mark) error {
	if len(marks) == 0 {
		return nil
	}
	_, err := s.runAll(ctx, markScript, len(marks), func(i int) ([]string, []any) {
		m := marks[i]
		return []string{key.Session(m.CourierID, m.Session)}, []any{epoch, m.DurableSeq, ttl(), runs[key.Partition(m.CourierID)]}
	})
	return err
}

// settleBatch is how many marks one round trip makes.
const settleBatch = 500

// Settle makes the marks that are owed. Run does it now and then. Errors: CodeUnavailable; what was not made is still owed.
func (s *Store) Settle(ctx context.Context) error {
	for {
		epoch, marks := s.owed.some(settleBatch)
		if len(marks) == 0 {
			return nil
		}
		if err := s.makeMarks(ctx, epoch, &Runs{}, marks); err != nil {
			return err
		}
		s.owed.settle(marks)
	}
}

// Owed says how many sessions have a mark that Redis did not take yet, and how many marks were dropped since there were too many.
func (s *Store) Owed() (waiting, dropped int64) {
	return s.owed.count.Load(), s.owed.dropped.Load()
}
