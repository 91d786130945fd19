package postgres_test

import (
	"testing"
	"time"
)

func TestStore_PartitionsAhead(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	// A moment whose day in UTC is another one elsewhere.
	now := time.Date(2026, 12, 30, 1, 0, 0, 0, time.FixedZone("", 3*3600))
	ahead := func(want int) {
		t.Helper()
		if got, err := s.PartitionsAhead(t.Context(), now); err != nil || got != want {
			t.Errorf("%d days ahead, %v, want %d", got, err, want)
		}
	}
	ahead(-1)
	must(t, s.EnsurePartitions(t.Context(), now.AddDate(0, 0, 1), now.AddDate(0, 0, 3)))
	ahead(-1) // today has none, whatever tomorrow has
	must(t, s.EnsurePartitions(t.Context(), now, now))
	ahead(3)
	_, err := s.pool.Exec(t.Context(), "ALTER TABLE positions DETACH PARTITION positions_20261231")
	must(t, err)
	ahead(1)
}
