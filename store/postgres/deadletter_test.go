package postgres_test

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"hotfoot/tracking"
)

func letterOf(entry string, batch tracking.Batch) tracking.DeadLetter {
	return tracking.DeadLetter{ID: tracking.NewID(), Entry: entry, Payload: []byte{1, 2, 3, 0, 0xFF}, Batch: batch, Reason: "latitude", BuriedAt: now()}
}

func TestStore_Bury(t *testing.T) {
	t.Parallel()
	bury := func(t *testing.T, s shop, letter tracking.DeadLetter) tracking.Mark {
		t.Helper()
		mark, err := s.Bury(t.Context(), letter)
		must(t, err)
		return mark
	}
	t.Run("keeps the payload and settles the seqs", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		c := tracking.NewID()
		_, err := s.Store.Store(t.Context(), []tracking.Batch{batchOf(c, "a", 1, 2, 6)})
		must(t, err)
		poison := batchOf(c, "a", 3, 5)
		poison.Settled = []int64{4}
		letter := letterOf("stream 1-0", poison)
		if mark := bury(t, s, letter); mark != (tracking.Mark{CourierID: c, Session: "a", DurableSeq: 6}) {
			t.Errorf("the mark is %+v", mark)
		}
		if seq, err := s.DurableSeq(t.Context(), c, "a"); err != nil || seq != 6 {
			t.Errorf("durable is %d, %v", seq, err)
		}
		got, err := s.DeadLetter(t.Context(), letter.ID)
		must(t, err)
		if got.Entry != letter.Entry || got.CourierID != c || got.Session != "a" || got.Points != 2 || got.Reason != letter.Reason ||
			!got.BuriedAt.Equal(letter.BuriedAt) || !bytes.Equal(got.Payload, letter.Payload) {
			t.Errorf("kept %+v", got)
		}
	})
	t.Run("the same entry again changes nothing, and answers the same mark", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		c := tracking.NewID()
		first, again := letterOf("stream 1-0", batchOf(c, "a", 1, 2)), letterOf("stream 1-0", batchOf(c, "a", 1, 2))
		again.Reason = "another"
		if a, b := bury(t, s, first), bury(t, s, again); a != b || a.DurableSeq != 2 {
			t.Errorf("the marks are %+v and %+v", a, b)
		}
		letters, err := s.DeadLetters(t.Context(), tracking.ID{}, 10)
		must(t, err)
		if len(letters) != 1 || letters[0].ID != first.ID || letters[0].Reason != first.Reason {
			t.Errorf("kept %+v", letters)
		}
	})
	t.Run("takes what cannot be read, and marks nothing", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		for _, payload := range [][]byte{nil, {}, bytes.Repeat([]byte{0xFE}, 1<<20)} {
			letter := letterOf(tracking.NewID().String(), tracking.Batch{})
			letter.Payload = payload
			if mark := bury(t, s, letter); mark != (tracking.Mark{}) {
				t.Errorf("the mark is %+v", mark)
			}
			got, err := s.DeadLetter(t.Context(), letter.ID)
			must(t, err)
			if !got.CourierID.IsZero() || !bytes.Equal(got.Payload, payload) {
				t.Errorf("kept is courier %s and %d bytes", got.CourierID, len(got.Payload))
			}
		}
	})
	t.Run("takes texts that Postgres cannot hold, and settles no other session for them", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		c := tracking.NewID()
		for _, garbled := range []string{"a\x00", "\x00", "a\xFF", "\xC0\x80", "a\xED\xA0\x80"} {
			letter := letterOf("entry "+garbled, batchOf(c, garbled, 1, 2))
			letter.Reason = "because of " + garbled
			if mark := bury(t, s, letter); mark.DurableSeq != 0 {
				t.Errorf("%q: the mark is %+v", garbled, mark)
			}
		}
		var sessions int
		must(t, s.pool.QueryRow(t.Context(), "SELECT count(*) FROM position_sessions").Scan(&sessions))
		if sessions != 0 {
			t.Errorf("%d sessions were settled", sessions)
		}
		if count, err := s.CountDeadLetters(t.Context()); err != nil || count != 5 {
			t.Errorf("%d dead letters, %v", count, err)
		}
	})
	t.Run("takes seqs at the end of what a number can be", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		c := tracking.NewID()
		poison := batchOf(c, "a", 1, math.MaxInt64, math.MaxInt64-1, math.MinInt64)
		poison.Settled = []int64{2, math.MaxInt64, -1, 0}
		if mark := bury(t, s, letterOf("e", poison)); mark.DurableSeq != 2 {
			t.Errorf("the mark is %+v", mark)
		}
	})
}

func TestStore_DeadLetters(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	var want, got []tracking.ID
	for range 5 {
		letter := letterOf(tracking.NewID().String(), tracking.Batch{})
		_, err := s.Bury(t.Context(), letter)
		must(t, err)
		want = append(want, letter.ID)
	}
	// Of one millisecond, ids are in no order.
	slices.SortFunc(want, func(a, b tracking.ID) int { return bytes.Compare(a[:], b[:]) })
	for after := (tracking.ID{}); ; after = got[len(got)-1] {
		letters, err := s.DeadLetters(t.Context(), after, 2)
		must(t, err)
		for _, l := range letters {
			got = append(got, l.ID)
		}
		if len(letters) < 2 {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("page by page: %v, want %v", got, want)
	}
	must(t, s.DropDeadLetter(t.Context(), want[1]))
	wantCode(t, s.DropDeadLetter(t.Context(), want[1]), tracking.CodeNotFound)
	_, err := s.DeadLetter(t.Context(), want[1])
	wantCode(t, err, tracking.CodeNotFound)
	if count, err := s.CountDeadLetters(t.Context()); err != nil || count != 4 {
		t.Errorf("%d are left, %v", count, err)
	}
}
