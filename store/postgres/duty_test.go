package postgres_test

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"hotfoot/tracking"
)

// walked stores fixes of a courier: how long ago each was recorded, and what is held against it.
func (s shop) walked(t *testing.T, courier tracking.ID, fixes ...tracking.Position) {
	t.Helper()
	b := tracking.Batch{CourierID: courier, Session: "a", ReceivedAt: now()}
	for i, p := range fixes {
		b.Fixes = append(b.Fixes, tracking.Fix{Seq: int64(i + 1), Position: p})
	}
	_, err := s.Store.Store(t.Context(), []tracking.Batch{b})
	must(t, err)
}

func ago(age time.Duration, suspect tracking.Suspicion) tracking.Position {
	return tracking.Position{RecordedAt: now().Add(-age), Lat: age.Minutes(), Lon: -122, AccuracyM: tracking.Read(5), Suspect: suspect}
}

func TestStore_OnDuty(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	working, fresh, off := s.courier, s.hire(t, "Kim"), s.hire(t, "Max")
	for _, c := range []tracking.Courier{working, fresh} {
		_, _, err := s.SetDuty(t.Context(), c.ID, true, now())
		must(t, err)
	}
	const teleport = tracking.SuspectTeleport
	s.walked(t, working.ID, ago(9*time.Minute, 0), ago(8*time.Minute, teleport), ago(5*time.Minute, 0), ago(4*time.Minute, teleport), ago(3*time.Minute, teleport),
		ago(2*time.Minute, teleport), ago(90*time.Second, tracking.SuspectMock), ago(time.Hour, 0))
	s.walked(t, fresh.ID, ago(time.Hour, 0), ago(-10*time.Minute, 0)) // too long ago to judge by, and by a clock that is wrong
	s.walked(t, off.ID, ago(time.Minute, 0))
	duties, err := s.OnDuty(t.Context(), []tracking.ID{fresh.ID, tracking.NewID(), working.ID, off.ID, fresh.ID})
	must(t, err)
	for i, on := range []bool{true, false, true, false, true} {
		if duties[i].On != on {
			t.Errorf("courier %d: on duty %v, want %v", i, duties[i].On, on)
		}
		if i != 2 && len(duties[i].Recent) > 0 {
			t.Errorf("courier %d was at %+v, want nowhere", i, duties[i].Recent)
		}
	}
	want := []tracking.Position{ago(5*time.Minute, 0), ago(3*time.Minute, teleport), ago(2*time.Minute, teleport)}
	recent := duties[2].Recent
	if len(recent) != len(want) {
		t.Fatalf("recent are %+v, want three", recent)
	}
	for i, p := range recent {
		if p.Lat != want[i].Lat || p.Suspect != want[i].Suspect || p.AccuracyM != want[i].AccuracyM {
			t.Errorf("recent %d is %+v, want %+v", i, p, want[i])
		}
	}
}

// However often a courier reports, it must not go through all their minutes for the few fixes that are too far off.
func TestStore_OnDuty_plan(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	_, _, err := s.SetDuty(t.Context(), s.courier.ID, true, now())
	must(t, err)
	from := now().Add(-9 * time.Minute)
	must(t, s.EnsurePartitions(t.Context(), from, now().Add(tracking.MaxFuture)))
	_, err = s.pool.Exec(t.Context(), `INSERT INTO positions (courier_id, recorded_at, session, seq, received_at, lat, lon)
		SELECT $1, $2::timestamptz + n * interval '100 ms', 'a', n, now(), 1, 2 FROM generate_series(1, 5000) n`, s.courier.ID, from)
	must(t, err)
	_, err = s.pool.Exec(t.Context(), `VACUUM ANALYZE positions`)
	must(t, err)
	rows, err := s.pool.Query(context.WithoutCancel(t.Context()), `EXPLAIN (ANALYZE) `+constants(t)["onDutySQL"],
		[]tracking.ID{s.courier.ID}, now().Add(-10*time.Minute), now().Add(tracking.MaxFuture))
	must(t, err)
	plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
	must(t, err)
	const removed = "Rows Removed by Filter: "
	for _, line := range plan {
		if _, count, found := strings.Cut(line, removed); found {
			if n, err := strconv.Atoi(count); err != nil || n > 10 {
				t.Errorf("%s rows are read in vain:\n%s", count, strings.Join(plan, "\n"))
			}
		}
	}
}

// What cannot be true is kept with its reason, and is nobody's newest place and no part of their way unless it is asked for.
func TestStore_suspects(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	var fixes []tracking.Position
	for i, suspect := range append([]tracking.Suspicion{tracking.Believed}, tracking.Suspicions...) {
		fixes = append(fixes, ago(time.Minute-time.Duration(i)*time.Second, suspect))
	}
	s.walked(t, s.courier.ID, fixes...)
	newest, err := s.NewestOf(t.Context(), []tracking.ID{s.courier.ID})
	must(t, err)
	if newest[0] == nil || newest[0].Lat != fixes[0].Lat || newest[0].Suspect != tracking.Believed {
		t.Errorf("the newest is %+v, want the one that is believed", newest[0])
	}
	for suspects, want := range map[bool]int{false: 1, true: len(fixes)} {
		track, err := s.Track(t.Context(), s.courier.ID, now().Add(-time.Hour), now(), suspects, 100)
		must(t, err)
		if len(track) != want {
			t.Fatalf("with suspects %v: %d places, want %d", suspects, len(track), want)
		}
		for i, p := range track {
			if p.Suspect != tracking.Suspicion(i) {
				t.Errorf("with suspects %v: place %d is suspected of %q", suspects, i, p.Suspect)
			}
		}
	}
	// The same again, believed this time: what was thought of it first stays.
	fixes[1].Suspect = tracking.Believed
	s.walked(t, s.courier.ID, fixes...)
	if track, err := s.Track(t.Context(), s.courier.ID, now().Add(-time.Hour), now(), false, 100); err != nil || len(track) != 1 {
		t.Errorf("after a repeat: %d places, %v", len(track), err)
	}
}
