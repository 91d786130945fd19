package postgres_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"hotfoot/tracking"
)

func TestStore_NewestOf(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	at := func(ages ...time.Duration) tracking.ID {
		courier := tracking.NewID()
		b := tracking.Batch{CourierID: courier, Session: "a", ReceivedAt: now()}
		for i, age := range ages {
			b.Fixes = append(b.Fixes, tracking.Fix{Seq: int64(i + 1), Position: tracking.Position{
				RecordedAt: now().Add(-age), Lat: age.Minutes() / 1000, Lon: -122, SpeedMPS: tracking.Read(4.5), Battery: tracking.Read(0),
			}})
		}
		_, err := s.Store.Store(t.Context(), []tracking.Batch{b})
		must(t, err)
		return courier
	}
	moving := at(time.Minute, 30*time.Second, 90*time.Second)
	ahead := at(time.Minute, -30*time.Second)            // a phone whose clock is a little fast
	astray := at(time.Minute, -10*time.Minute)           // one whose clock is wrong
	silent := at(3*time.Minute, time.Hour, 26*time.Hour) // nothing fresh
	got, err := s.NewestOf(t.Context(), []tracking.ID{silent, moving, tracking.NewID(), ahead, astray, moving})
	must(t, err)
	for i, want := range []time.Duration{0, 30 * time.Second, 0, -30 * time.Second, time.Minute, 30 * time.Second} {
		if want == 0 {
			if got[i] != nil {
				t.Errorf("%d: got %+v, want none", i, got[i])
			}
			continue
		}
		if got[i] == nil {
			t.Errorf("%d: got none", i)
			continue
		}
		age := now().Sub(got[i].RecordedAt)
		if off := age - want; off < 0 || off > 20*time.Second {
			t.Errorf("%d: it is %v old, want %v", i, age, want)
		}
		if got[i].SpeedMPS != tracking.Read(4.5) || got[i].Battery != tracking.Read(0) || got[i].AccuracyM.Known || got[i].Pace.Known || got[i].Lat != want.Minutes()/1000 {
			t.Errorf("%d: got %+v", i, got[i])
		}
	}
	if none, err := s.NewestOf(t.Context(), nil); err != nil || len(none) != 0 {
		t.Errorf("of nobody: %v, %v", none, err)
	}
}

// However many days there are, only those that can hold a fresh fix are looked at, by their index.
func TestStore_NewestOf_plan(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	must(t, s.EnsurePartitions(t.Context(), now().Add(-10*24*time.Hour), now().Add(4*24*time.Hour)))
	conn, err := s.pool.Acquire(t.Context())
	must(t, err)
	defer conn.Release()
	for _, statement := range []string{
		"PREPARE newest (uuid[], timestamptz, timestamptz) AS " + constants(t)["newestOfSQL"],
		"SET plan_cache_mode = force_generic_plan", // the harder case: the days are not known when it is planned
	} {
		_, err := conn.Exec(t.Context(), statement)
		must(t, err)
	}
	// Across midnight, when two days are.
	midnight := now().Truncate(24 * time.Hour)
	rows, err := conn.Query(t.Context(), fmt.Sprintf("EXPLAIN EXECUTE newest (ARRAY[gen_random_uuid()], '%s', '%s')",
		midnight.Add(-tracking.LiveAge).Format(time.RFC3339), midnight.Add(tracking.MaxFuture).Format(time.RFC3339)))
	must(t, err)
	var lines []string
	for rows.Next() {
		var line string
		must(t, rows.Scan(&line))
		lines = append(lines, line)
	}
	must(t, rows.Err())
	plan := strings.Join(lines, "\n")
	if strings.Count(plan, "Index Scan Backward using positions_") != 2 || !strings.Contains(plan, "Subplans Removed: 13") || strings.Contains(plan, "Seq Scan") || strings.Contains(plan, "Sort") {
		t.Errorf("the plan is\n%s", plan)
	}
}
