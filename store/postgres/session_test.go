package postgres_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"hotfoot/tracking"
)

// ranges says how many ranges a session's row holds, and how many bytes it takes.
func (s shop) ranges(t *testing.T, courier tracking.ID, session string) (ranges, size int) {
	t.Helper()
	must(t, s.pool.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM unnest(seqs)), pg_column_size(seqs)
		FROM position_sessions WHERE courier_id = $1 AND session = $2`, courier, session).Scan(&ranges, &size))
	return ranges, size
}

// everySecond are n seqs from first, with a hole behind each.
func everySecond(first int64, n int) (seqs []int64) {
	for i := range int64(n) {
		seqs = append(seqs, first+2*i)
	}
	return seqs
}

func TestStore_sessions_are_bounded(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	store := func(t *testing.T, b tracking.Batch) int64 {
		t.Helper()
		marks, err := s.Store.Store(t.Context(), []tracking.Batch{b})
		must(t, err)
		return marks[0].DurableSeq
	}
	t.Run("a phone that sends every second seq, and then what it was asked for again", func(t *testing.T) {
		t.Parallel()
		c := tracking.NewID()
		for i := range int64(8) {
			if durable := store(t, batchOf(c, "a", everySecond(1+i*600, 300)...)); durable != 1 {
				t.Errorf("durable is %d, want 1", durable)
			}
			if ranges, size := s.ranges(t, c, "a"); ranges > 513 || size > 16<<10 {
				t.Errorf("%d ranges of %d bytes", ranges, size)
			}
		}
		if ranges, _ := s.ranges(t, c, "a"); ranges != 513 {
			t.Errorf("%d ranges, want the first and the 512 newest", ranges)
		}
		// Its holes alone are not enough, since some of what is stored was forgotten.
		if durable := store(t, batchOf(c, "a", everySecond(2, 2400)...)); durable < 1 || durable == 4800 {
			t.Errorf("durable is %d", durable)
		}
		durable := int64(1)
		for durable < 4800 {
			next := store(t, batchOf(c, "a", span(durable+1, min(4800, durable+500))...))
			if next <= durable {
				t.Fatalf("it was sent from %d on and durable became %d", durable+1, next)
			}
			durable = next
		}
		if n := s.points(t, c); n != 4800 {
			t.Errorf("%d points, want 4800: each once", n)
		}
	})
	t.Run("one report of nothing but holes", func(t *testing.T) {
		t.Parallel()
		c := tracking.NewID()
		store(t, batchOf(c, "a", everySecond(1, 1000)...))
		if ranges, _ := s.ranges(t, c, "a"); ranges != 513 {
			t.Errorf("%d ranges, want 513", ranges)
		}
	})
	t.Run("what is said to be durable is stored, whatever comes in which order", func(t *testing.T) {
		t.Parallel()
		c := tracking.NewID()
		stored := map[int64]bool{}
		for range 60 {
			var seqs []int64
			for range 1 + rand.N(200) {
				seqs = append(seqs, 1+rand.Int64N(4000))
			}
			for _, seq := range seqs {
				stored[seq] = true
			}
			durable := store(t, batchOf(c, "a", seqs...))
			for seq := int64(1); seq <= durable; seq++ {
				if !stored[seq] {
					t.Fatalf("durable is %d, and %d was never sent", durable, seq)
				}
			}
		}
	})
	t.Run("seqs at the end of what a number can be", func(t *testing.T) {
		t.Parallel()
		c := tracking.NewID()
		b := batchOf(c, "a", 1, 2)
		for i, seq := range []int64{math.MaxInt64, math.MaxInt64 - 1, math.MaxInt64 - 2} {
			b.Fixes = append(b.Fixes, batchOf(c, "a", int64(10+i)).Fixes...)
			b.Fixes[2+i].Seq = seq
		}
		b.Settled = []int64{3, math.MaxInt64}
		if durable := store(t, b); durable != 3 {
			t.Errorf("durable is %d, want 3", durable)
		}
		if n := s.points(t, c); n != 5 {
			t.Errorf("%d points, want 5", n)
		}
	})
}
