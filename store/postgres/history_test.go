package postgres_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"hotfoot/tracking"
)

// batchOf makes a batch of a session with a fix a second for each seq.
func batchOf(courier tracking.ID, session string, seqs ...int64) tracking.Batch {
	b := tracking.Batch{CourierID: courier, Session: session, ReceivedAt: now()}
	for _, seq := range seqs {
		b.Fixes = append(b.Fixes, tracking.Fix{Seq: seq, Position: tracking.Position{
			RecordedAt: trackBegan.Add(time.Duration(seq) * time.Second), Lat: 37.78, Lon: -122.41, SpeedMPS: tracking.Read(4.5),
		}})
	}
	return b
}

var trackBegan = time.Now().UTC().Truncate(time.Hour).Add(-24 * time.Hour)

func span(first, last int64) (seqs []int64) {
	for seq := first; seq <= last; seq++ {
		seqs = append(seqs, seq)
	}
	return seqs
}

func (s shop) points(t *testing.T, courier tracking.ID) int {
	t.Helper()
	var n int
	must(t, s.pool.QueryRow(t.Context(), "SELECT count(*) FROM positions WHERE courier_id = $1", courier).Scan(&n))
	return n
}

func TestStore_Store(t *testing.T) {
	t.Parallel()
	store := func(t *testing.T, s shop, batches ...tracking.Batch) []int64 {
		t.Helper()
		marks, err := s.Store.Store(t.Context(), batches)
		must(t, err)
		durable := make([]int64, len(marks))
		for i, m := range marks {
			durable[i] = m.DurableSeq
			if m.CourierID != batches[i].CourierID || m.Session != batches[i].Session {
				t.Errorf("mark %d is of %s %q", i, m.CourierID, m.Session)
			}
		}
		return durable
	}
	t.Run("stores each point once, however often it comes", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		c := tracking.NewID()
		for range 3 {
			if got := store(t, s, batchOf(c, "a", span(1, 50)...), batchOf(c, "a", span(40, 60)...)); got[0] != 60 || got[1] != 60 {
				t.Errorf("durable are %v, want 60", got)
			}
		}
		if n := s.points(t, c); n != 60 {
			t.Errorf("%d points, want 60", n)
		}
		if seq, err := s.DurableSeq(t.Context(), c, "a"); err != nil || seq != 60 {
			t.Errorf("durable is %d, %v", seq, err)
		}
		if seq, err := s.DurableSeq(t.Context(), c, "b"); err != nil || seq != 0 {
			t.Errorf("of an unknown session durable is %d, %v", seq, err)
		}
	})
	t.Run("is durable only as far as there is no hole", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		c := tracking.NewID()
		for _, step := range []struct {
			seqs    []int64
			settled []int64
			want    int64
		}{
			{seqs: span(91, 100), want: 0}, // the newest first
			{seqs: span(11, 20), want: 0},
			{seqs: span(1, 9), want: 9},
			{settled: []int64{10}, want: 20}, // a refused point is settled all the same
			{seqs: span(21, 90), want: 100},
			{seqs: span(5, 7), want: 100},
		} {
			b := batchOf(c, "a", step.seqs...)
			b.Settled = step.settled
			if got := store(t, s, b); got[0] != step.want {
				t.Errorf("after %v and %v durable is %d, want %d", step.seqs, step.settled, got[0], step.want)
			}
		}
	})
	t.Run("takes points that are not counted", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		c := tracking.NewID()
		b := batchOf(c, "", 1, 2)
		b.Fixes[0].Seq, b.Fixes[1].Seq = 0, 0
		if got := store(t, s, b, tracking.Batch{CourierID: c, ReceivedAt: now()}); got[0] != 0 || s.points(t, c) != 2 {
			t.Errorf("durable %v of %d points", got, s.points(t, c))
		}
	})
	t.Run("agrees with a set, whatever comes from whom at once", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		couriers := []tracking.ID{tracking.NewID(), tracking.NewID(), tracking.NewID()}
		var storing sync.WaitGroup
		for range 8 {
			storing.Go(func() {
				for range 8 {
					var batches []tracking.Batch
					for range 1 + rand.N(4) {
						first := 1 + rand.Int64N(180)
						seqs := span(first, min(200, first+rand.Int64N(60)))
						rand.Shuffle(len(seqs), func(i, j int) { seqs[i], seqs[j] = seqs[j], seqs[i] })
						batches = append(batches, batchOf(couriers[rand.N(3)], fmt.Sprint(rand.N(2)), seqs...))
					}
					if _, err := s.Store.Store(t.Context(), batches); err != nil {
						t.Errorf("storing: %v", err)
					}
				}
			})
		}
		storing.Wait()
		for _, c := range couriers {
			for _, session := range []string{"0", "1"} {
				if got := store(t, s, batchOf(c, session, span(1, 200)...)); got[0] != 200 {
					t.Errorf("durable is %v, want 200", got)
				}
			}
			if n := s.points(t, c); n != 400 {
				t.Errorf("%d points, want 400", n)
			}
		}
	})
	t.Run("makes the partition of a day that has none", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		c := tracking.NewID()
		b := batchOf(c, "a", 1, 2)
		b.Fixes[1].Position.RecordedAt = trackBegan.Add(50 * 24 * time.Hour)
		var storing sync.WaitGroup
		for range 4 {
			storing.Go(func() {
				if _, err := s.Store.Store(t.Context(), []tracking.Batch{b}); err != nil {
					t.Error(err)
				}
			})
		}
		storing.Wait()
		if n := s.points(t, c); n != 2 {
			t.Errorf("%d points, want 2", n)
		}
	})
	t.Run("does not blame positions for a day that is being taken away", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		c := tracking.NewID()
		day := "positions_" + trackBegan.UTC().Format("20060102")
		must(t, s.EnsurePartitions(t.Context(), trackBegan, trackBegan))
		_, err := s.pool.Exec(t.Context(), "ALTER TABLE positions DETACH PARTITION "+day)
		must(t, err)
		_, err = s.Store.Store(t.Context(), []tracking.Batch{batchOf(c, "s", 1)})
		if code := tracking.CodeOf(err); err == nil || code == tracking.CodeInvalid || code == tracking.CodeUnavailable {
			t.Errorf("got %q (%v): it must be tried again, and must not hold up the line for ever", code, err)
		}
		_, err = s.pool.Exec(t.Context(), "DROP TABLE "+day)
		must(t, err)
		_, err = s.Store.Store(t.Context(), []tracking.Batch{batchOf(c, "s", 1)})
		must(t, err)
		if s.points(t, c) != 1 {
			t.Error("it was not stored")
		}
	})
	t.Run("refuses a date that cannot be true, and makes no partitions up to it", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		c := tracking.NewID()
		for _, date := range []time.Time{
			{},
			time.Unix(0, 0), time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), time.UnixMilli(math.MaxInt64), time.UnixMilli(math.MinInt64),
			now().Add(-61 * 24 * time.Hour), now().Add(61 * 24 * time.Hour),
		} {
			b := batchOf(c, "a", 1, 2)
			b.Fixes[1].Position.RecordedAt = date
			_, err := s.Store.Store(t.Context(), []tracking.Batch{b})
			wantCode(t, err, tracking.CodeInvalid)
		}
		var partitions int
		must(t, s.pool.QueryRow(t.Context(), "SELECT count(*) FROM pg_inherits WHERE inhparent = 'positions'::regclass").Scan(&partitions))
		if partitions != 0 || s.points(t, c) != 0 {
			t.Errorf("%d partitions and %d points", partitions, s.points(t, c))
		}
	})
	t.Run("takes more at once than fits a statement", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		c := tracking.NewID()
		var batches []tracking.Batch
		for i := range int64(25) {
			batches = append(batches, batchOf(c, "a", span(1+i*500, (i+1)*500)...))
		}
		poison := batchOf(c, "a", 12_501)
		poison.Fixes[0].Position.Lat = math.NaN()
		if _, err := s.Store.Store(t.Context(), append(batches, poison)); tracking.CodeOf(err) != tracking.CodeInvalid || s.points(t, c) != 0 {
			t.Errorf("got %v, and %d points", err, s.points(t, c))
		}
		if got := store(t, s, batches...); got[0] != 12_500 || s.points(t, c) != 12_500 {
			t.Errorf("durable is %d of %d points", got[0], s.points(t, c))
		}
	})
	t.Run("a commit that fails is a failure, and nothing of it is there", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		_, err := s.pool.Exec(t.Context(), `
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not today'; END $$;
CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON position_sessions DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()`)
		must(t, err)
		marks, err := s.Store.Store(t.Context(), []tracking.Batch{batchOf(s.courier.ID, "s", 1, 2)})
		if err == nil || len(marks) > 0 {
			t.Errorf("marks %+v, %v: want an error", marks, err)
		}
		if n := s.points(t, s.courier.ID); n != 0 {
			t.Errorf("%d points are stored", n)
		}
	})
	t.Run("refuses what can never be stored, and stores nothing of the call", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		good, bad := tracking.NewID(), tracking.NewID()
		for name, spoil := range map[string]func(*tracking.Position){
			"a latitude of NaN":      func(p *tracking.Position) { p.Lat = math.NaN() },
			"a longitude beyond 180": func(p *tracking.Position) { p.Lon = 180.5 },
			"a heading of 400":       func(p *tracking.Position) { p.HeadingDeg = tracking.Read(400) },
			"a battery of NaN":       func(p *tracking.Position) { p.Battery = tracking.Read(math.NaN()) },
			"a negative speed":       func(p *tracking.Position) { p.SpeedMPS = tracking.Read(-1) },
		} {
			poison := batchOf(bad, "a", 1, 2)
			spoil(&poison.Fixes[1].Position)
			_, err := s.Store.Store(t.Context(), []tracking.Batch{batchOf(good, "a", 1), poison})
			if tracking.CodeOf(err) != tracking.CodeInvalid {
				t.Errorf("%s: got %v, want invalid", name, err)
			}
		}
		if s.points(t, good)+s.points(t, bad) != 0 {
			t.Error("something was stored")
		}
	})
}

func TestStore_Track(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	c := tracking.NewID()
	_, err := s.Store.Store(t.Context(), []tracking.Batch{batchOf(c, "a", 5, 3, 1, 4, 2)})
	must(t, err)
	at := func(second int) time.Time { return trackBegan.Add(time.Duration(second) * time.Second) }
	track, err := s.Track(t.Context(), c, at(2), at(4), false, 10)
	must(t, err)
	var seconds []int
	for _, p := range track {
		seconds = append(seconds, int(p.RecordedAt.Sub(trackBegan).Seconds()))
	}
	if !slices.Equal(seconds, []int{2, 3, 4}) {
		t.Errorf("the track is %v", seconds)
	}
	if short, err := s.Track(t.Context(), c, at(1), at(5), false, 2); err != nil || len(short) != 2 {
		t.Errorf("limited to 2: %d, %v", len(short), err)
	}
}

// Making a day's partition waits for nobody who reads or writes positions, and nobody waits for it.
func TestStore_EnsurePartitions(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	must(t, s.EnsurePartitions(t.Context(), trackBegan, now()))
	tx, err := s.pool.Begin(t.Context())
	must(t, err)
	defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }()
	_, err = tx.Exec(t.Context(), `INSERT INTO positions (courier_id, recorded_at, received_at, lat, lon)
		SELECT gen_random_uuid(), now(), now(), 0, count(*) FROM positions`)
	must(t, err)
	must(t, s.EnsurePartitions(t.Context(), trackBegan, now().Add(3*24*time.Hour)))

	other, err := s.pool.Begin(t.Context())
	must(t, err)
	defer func() { _ = other.Rollback(context.WithoutCancel(t.Context())) }()
	_, err = other.Exec(t.Context(), "SELECT ensure_position_partitions(current_date + 10, current_date + 11)")
	must(t, err)
	_, err = s.Store.Store(t.Context(), []tracking.Batch{batchOf(tracking.NewID(), "a", 1)})
	must(t, err)
	must(t, other.Commit(t.Context()))

	for column, want := range map[string]int{
		"count(*)": 7, // a day ago, today, three days ahead, and two later ones
		"count(*) FILTER (WHERE (SELECT count(*) FROM pg_constraint p WHERE p.conrelid = inhrelid) >= 7)":                                     7, // the rules and the key
		"count(*) FILTER (WHERE EXISTS (SELECT FROM pg_index i JOIN pg_inherits x ON x.inhrelid = indexrelid WHERE indrelid = inh.inhrelid))": 7,
	} {
		var got int
		must(t, s.pool.QueryRow(t.Context(), "SELECT "+column+" FROM pg_inherits inh WHERE inhparent = 'positions'::regclass").Scan(&got))
		if got != want {
			t.Errorf("%s is %d, want %d", column, got, want)
		}
	}
}
