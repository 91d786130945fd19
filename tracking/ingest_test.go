package tracking_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"hotfoot/tracking"
)

// stores stand in for all that Ingest stands on, and note what they were asked.
type stores struct {
	place  func(tracking.Placement) (tracking.Placed, error)
	commit func(context.Context, tracking.Batch) (tracking.Mark, error)

	judge func([]tracking.Fix) // what Postgres thinks of them

	durable    int64 // what Postgres has of the session
	durableErr error

	placements []tracking.Placement
	commits    []tracking.Batch
	marks      []tracking.Mark
	notes      []string
}

func (s *stores) Place(_ context.Context, p tracking.Placement) (tracking.Placed, error) {
	s.placements, s.notes = append(s.placements, p), append(s.notes, "place")
	return s.place(p)
}

func (s *stores) MarkDurable(_ context.Context, marks []tracking.Mark) error {
	s.marks, s.notes = append(s.marks, marks...), append(s.notes, "mark")
	return nil
}

func (s *stores) Commit(ctx context.Context, b tracking.Batch, _ tracking.Plausibility) (tracking.Commitment, error) {
	s.commits, s.notes = append(s.commits, b), append(s.notes, "commit")
	mark, err := s.commit(ctx, b)
	if b.Fixes = slices.Clone(b.Fixes); s.judge != nil {
		s.judge(b.Fixes)
	}
	return tracking.Commitment{Mark: mark, Batch: b}, err
}

func (s *stores) DurableSeq(context.Context, tracking.ID, string) (int64, error) {
	s.notes = append(s.notes, "verify")
	return s.durable, s.durableErr
}

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// newIngest is an Ingest at noon whose hot store answers placed; Postgres commits everything.
func newIngest(placed tracking.Placed) (*tracking.Ingest, *stores) {
	s := &stores{
		place: func(tracking.Placement) (tracking.Placed, error) { return placed, nil },
		commit: func(_ context.Context, b tracking.Batch) (tracking.Mark, error) {
			m := tracking.Mark{CourierID: b.CourierID, Session: b.Session, DurableSeq: placed.Durable}
			for _, f := range b.Fixes {
				m.DurableSeq = max(m.DurableSeq, f.Seq)
			}
			return m, nil
		},
	}
	return tracking.NewIngest(s, s, s, tracking.Plausibility{}, func() time.Time { return noon }), s
}

func away(store string) error { return tracking.Unavailable(store, errors.New("connection refused")) }

// pt is a good point recorded this long before noon.
func pt(seq int64, ago time.Duration) tracking.Point {
	return tracking.Point{Seq: seq, Position: tracking.Position{Lat: 1, Lon: 2, RecordedAt: noon.Add(-ago)}}
}

func bad(seq int64, why tracking.Reject) tracking.Point {
	return tracking.Point{Seq: seq, Reject: why}
}

func report(points ...tracking.Point) tracking.PositionReport {
	return tracking.PositionReport{Session: "s", Points: points}
}

func results(in tracking.Intake) string {
	var out []string
	for _, r := range in.Receipts {
		text := fmt.Sprintf("%d:%s", r.Seq, r.Result)
		if r.Reject != "" {
			text += "/" + string(r.Reject)
		}
		if r.Suspect != tracking.Believed {
			text += "?" + r.Suspect.String()
		}
		out = append(out, text)
	}
	return strings.Join(out, " ")
}

var sam = tracking.Actor{Role: tracking.RoleCourier, MerchantID: tracking.NewID(), CourierID: tracking.NewID()}

func take(t *testing.T, u *tracking.Ingest, r tracking.PositionReport) tracking.Intake {
	t.Helper()
	in, err := u.Take(t.Context(), sam, r)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func TestIngest_Take_receipts(t *testing.T) {
	t.Parallel()
	span := func(first, last int64) tracking.Span { return tracking.Span{First: first, Last: last} }
	for name, c := range map[string]struct {
		placed   tracking.Placed
		points   []tracking.Point
		results  string
		accepted int64
		durable  int64
		resend   int64
		done     bool
	}{
		"the newest is live, the others are late": {
			placed: tracking.Placed{Moved: 3}, points: []tracking.Point{pt(1, 3*time.Second), pt(3, 0), pt(2, time.Second)},
			results: "1:late 3:live 2:late", accepted: 3,
		},
		"nothing is live when the marker did not move": {
			placed: tracking.Placed{LiveSince: noon}, points: []tracking.Point{pt(1, time.Second)}, results: "1:late", accepted: 1,
		},
		"what was there before is a duplicate": {
			placed: tracking.Placed{Known: []tracking.Span{span(1, 2), span(5, 5)}, Durable: 1}, points: []tracking.Point{pt(1, 0), pt(2, 0), pt(3, 0), pt(4, 0), pt(5, 0), pt(6, 0)},
			results: "1:duplicate 2:duplicate 3:late 4:late 5:duplicate 6:late", accepted: 6, durable: 1,
		},
		"all durable already": {
			placed: tracking.Placed{Durable: 9}, points: []tracking.Point{pt(8, 0), pt(9, 0)}, results: "8:duplicate 9:duplicate", accepted: 9, durable: 9, done: true,
		},
		"without a seq the same time as the marker's is a duplicate": {
			placed: tracking.Placed{LiveSince: noon.Add(-time.Second)}, points: []tracking.Point{pt(0, time.Second), pt(0, 2*time.Second)}, results: "0:duplicate 0:late",
		},
		"a bad point is named and the rest is taken": {
			placed: tracking.Placed{Moved: 1}, points: []tracking.Point{bad(1, tracking.RejectCoordinate), pt(2, 0), bad(0, tracking.RejectMalformed), pt(3, -2*time.Minute)},
			results: "1:rejected/coordinate 2:live 0:rejected/malformed 3:rejected/in_future", accepted: 3,
		},
		"a hole is named": {
			placed: tracking.Placed{Known: []tracking.Span{span(1, 2)}}, points: []tracking.Point{pt(5, 0)}, results: "5:late", accepted: 5, resend: 3,
		},
		"a hole that was filled by what is known is none": {
			placed: tracking.Placed{Known: []tracking.Span{span(3, 4)}, Durable: 2}, points: []tracking.Point{pt(5, 0), pt(7, 0), pt(6, 0)}, results: "5:late 7:late 6:late",
			accepted: 7, durable: 2,
		},
		"a hole before what is known is named": {
			placed: tracking.Placed{Known: []tracking.Span{span(4, 9)}, Durable: 2}, points: []tracking.Point{pt(5, 0)}, results: "5:duplicate", accepted: 9, durable: 2, resend: 3,
		},
		"the first seq of all is missing": {points: []tracking.Point{pt(2, 0)}, results: "2:late", accepted: 2, resend: 1},
		"rejected points are no holes":    {points: []tracking.Point{bad(1, tracking.RejectTime), pt(2, 0)}, results: "1:rejected/recorded_at 2:late", accepted: 2},
		"nothing but rejected points":     {points: []tracking.Point{bad(0, tracking.RejectMalformed)}, results: "0:rejected/malformed", done: true},
		"no points":                       {points: nil, results: ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u, s := newIngest(c.placed)
			in := take(t, u, report(c.points...))
			if got := results(in); got != c.results {
				t.Errorf("receipts %q, want %q", got, c.results)
			}
			if in.AcceptedSeq != c.accepted || in.DurableSeq != c.durable || in.ResendFrom != c.resend || in.Durable != c.done {
				t.Errorf("accepted %d, durable %d, resend %d, all %v; want %d, %d, %d, %v",
					in.AcceptedSeq, in.DurableSeq, in.ResendFrom, in.Durable, c.accepted, c.durable, c.resend, c.done)
			}
			if len(s.commits) != 0 || len(s.placements) != 1 || !s.placements[0].Keep {
				t.Errorf("%d commits, placements %+v: want one round trip, kept in the backlog", len(s.commits), s.placements)
			}
		})
	}
}

func TestIngest_Take_fresh(t *testing.T) {
	t.Parallel()
	u, s := newIngest(tracking.Placed{})
	take(t, u, report(pt(1, 0)))
	if fresh := s.placements[0].Fresh; !fresh.Equal(noon.Add(-tracking.LiveAge)) {
		t.Errorf("the marker may move to what was recorded at %s", fresh)
	}
}

func TestIngest_Take_order(t *testing.T) {
	t.Parallel()
	u, s := newIngest(tracking.Placed{Moved: 2})
	in := take(t, u, report(pt(4, 0), bad(3, tracking.RejectTime), pt(1, 9*time.Second), pt(2, 5*time.Second)))
	var seqs []int64
	for _, f := range s.placements[0].Batch.Fixes {
		seqs = append(seqs, f.Seq)
	}
	if !slices.Equal(seqs, []int64{1, 2, 4}) || results(in) != "4:late 3:rejected/recorded_at 1:late 2:live" {
		t.Errorf("the batch holds %v, and the receipts are %s", seqs, results(in))
	}
}

func TestIngest_Take_suspects(t *testing.T) {
	t.Parallel()
	far := func(p tracking.Point) tracking.Point {
		p.Position.Lat += 10
		return p
	}
	mock := pt(2, 5*time.Second)
	mock.Mock = true
	t.Run("what a point says of itself, and what those before say of it, goes along and is answered", func(t *testing.T) {
		t.Parallel()
		u, s := newIngest(tracking.Placed{Moved: 4})
		in := take(t, u, report(pt(1, 9*time.Second), mock, bad(3, tracking.RejectTime), far(pt(4, 3*time.Second)), pt(5, 0)))
		if got := results(in); got != "1:late 2:late?mock 3:rejected/recorded_at 4:late?teleport 5:live" {
			t.Errorf("got %s", got)
		}
		fixes := s.placements[0].Batch.Fixes
		if len(fixes) != 4 || fixes[1].Position.Suspect != tracking.SuspectMock || fixes[2].Position.Suspect != tracking.SuspectTeleport {
			t.Errorf("the batch holds %+v", fixes)
		}
	})
	t.Run("the hot store, which knows where the courier was, knows better", func(t *testing.T) {
		t.Parallel()
		u, _ := newIngest(tracking.Placed{Moved: 2, Rejudged: []int{0, 1}})
		if got := results(take(t, u, report(pt(2, 0), far(pt(1, 3*time.Second))))); got != "2:live 1:late?teleport" {
			t.Errorf("got %s", got)
		}
	})
	t.Run("of what Postgres has, it is Postgres that judged", func(t *testing.T) {
		t.Parallel()
		u, s := newIngest(tracking.Placed{Rejudged: []int{0}})
		s.judge = func(fixes []tracking.Fix) { fixes[1].Position.Suspect = tracking.SuspectTeleport }
		r := report(pt(1, 3*time.Second), pt(2, 0))
		r.Wait = time.Second
		if got := results(take(t, u, r)); got != "1:late 2:late?teleport" {
			t.Errorf("got %s", got)
		}
		if placed := s.placements[0].Batch.Fixes; placed[1].Position.Suspect != tracking.SuspectTeleport {
			t.Errorf("the hot store is told %+v", placed)
		}
	})
	t.Run("of a duplicate everything was said before", func(t *testing.T) {
		t.Parallel()
		u, _ := newIngest(tracking.Placed{Durable: 2})
		if got := results(take(t, u, report(mock))); got != "2:duplicate" {
			t.Errorf("got %s", got)
		}
	})
}

func TestIngest_Take_batch(t *testing.T) {
	t.Parallel()
	u, s := newIngest(tracking.Placed{Watched: true})
	in := take(t, u, report(pt(1, time.Hour), bad(2, tracking.RejectTime), pt(0, 0), bad(0, tracking.RejectSeq)))
	p := s.placements[0]
	if p.MerchantID != sam.MerchantID || p.Batch.CourierID != sam.CourierID || p.Batch.Session != "s" || !p.Batch.ReceivedAt.Equal(noon) {
		t.Errorf("placement %+v", p)
	}
	if len(p.Batch.Fixes) != 2 || p.Batch.Fixes[0].Seq != 1 || !slices.Equal(p.Batch.Settled, []int64{2}) {
		t.Errorf("fixes %+v, settled %v: want the good points, and the seq of the bad one that has one", p.Batch.Fixes, p.Batch.Settled)
	}
	if in.NextReport != 3*time.Second {
		t.Errorf("watched: next report in %s, want 3 s", in.NextReport)
	}
	u, _ = newIngest(tracking.Placed{})
	if in := take(t, u, report(pt(1, 0))); in.NextReport != 10*time.Second {
		t.Errorf("unwatched: next report in %s, want 10 s", in.NextReport)
	}
}

// A phone must not be asked for what it was told is durable and has forgotten: the hot store may have slept since.
func TestIngest_Take_verifies(t *testing.T) {
	t.Parallel()
	slept := tracking.Placed{Known: []tracking.Span{{First: 1, Last: 36}}, Durable: 36}
	t.Run("Postgres knows of more than the hot store: nothing is asked for, and the mark is made", func(t *testing.T) {
		t.Parallel()
		u, s := newIngest(slept)
		s.durable = 38
		in := take(t, u, report(pt(39, 0)))
		if in.ResendFrom != 0 || in.DurableSeq != 38 || in.AcceptedSeq != 39 || in.Durable || results(in) != "39:late" {
			t.Errorf("got %+v", in)
		}
		if len(s.marks) != 1 || s.marks[0].DurableSeq != 38 {
			t.Errorf("marks %+v", s.marks)
		}
	})
	t.Run("a hole is asked for from where it is", func(t *testing.T) {
		t.Parallel()
		u, s := newIngest(slept)
		s.durable = 38
		if in := take(t, u, report(pt(41, 0))); in.ResendFrom != 39 || in.DurableSeq != 38 {
			t.Errorf("got %+v", in)
		}
	})
	t.Run("with Postgres away nothing is asked for", func(t *testing.T) {
		t.Parallel()
		u, s := newIngest(slept)
		s.durableErr = away("Postgres")
		if in := take(t, u, report(pt(41, 0))); in.ResendFrom != 0 || in.DurableSeq != 36 {
			t.Errorf("got %+v", in)
		}
	})
	t.Run("without a hole Postgres is not asked", func(t *testing.T) {
		t.Parallel()
		u, s := newIngest(slept)
		if take(t, u, report(pt(37, 0))); slices.Contains(s.notes, "verify") {
			t.Error("it was")
		}
	})
}

func TestIngest_Take_session(t *testing.T) {
	t.Parallel()
	for _, session := range []string{"", "a", "A-1_x.y", strings.Repeat("s", 64)} {
		u, _ := newIngest(tracking.Placed{})
		take(t, u, tracking.PositionReport{Session: session})
	}
	for _, session := range []string{strings.Repeat("s", 65), "a b", "a:b", "{p1}", "*", "é", "\x00", "a\n", "a/b", "[a]"} {
		u, s := newIngest(tracking.Placed{})
		_, err := u.Take(t.Context(), sam, tracking.PositionReport{Session: session, Points: []tracking.Point{pt(1, 0)}})
		wants(t, err, tracking.CodeInvalid, "session")
		if len(s.placements) != 0 {
			t.Errorf("session %q reached a store", session)
		}
	}
}

func TestIngest_Take_wait(t *testing.T) {
	t.Parallel()
	waiting := func(points ...tracking.Point) tracking.PositionReport {
		r := report(points...)
		r.Wait = time.Second
		return r
	}
	t.Run("goes to Postgres and not into the backlog, and the answer is that all is durable", func(t *testing.T) {
		t.Parallel()
		u, s := newIngest(tracking.Placed{Moved: 2})
		in := take(t, u, waiting(pt(1, time.Second), pt(2, 0)))
		if !in.Durable || in.DurableSeq != 2 || results(in) != "1:late 2:live" {
			t.Errorf("got %+v", in)
		}
		if !slices.Equal(s.notes, []string{"commit", "place"}) || s.placements[0].Keep {
			t.Errorf("placements %+v, %v: want the marker to move after the commit, and nothing in the backlog", s.placements, s.notes)
		}
		if mark := s.placements[0].Committed; mark == nil || mark.DurableSeq != 2 {
			t.Errorf("mark %+v: the hot store must know how far it came", mark)
		}
	})
	t.Run("a mark that could not be made on the way is made all the same", func(t *testing.T) {
		t.Parallel()
		for _, code := range []tracking.Code{tracking.CodeOffShift, tracking.CodeOverloaded, tracking.CodeUnavailable} {
			u, s := newIngest(tracking.Placed{})
			s.place = func(p tracking.Placement) (tracking.Placed, error) {
				if p.Committed != nil {
					return tracking.Placed{}, tracking.Errorf(code, "no")
				}
				return tracking.Placed{}, nil
			}
			if in := take(t, u, waiting(pt(1, 0))); !in.Durable || len(s.marks) != 1 || s.marks[0].DurableSeq != 1 {
				t.Errorf("%s: got %+v, marks %+v", code, in, s.marks)
			}
		}
	})
	t.Run("what is committed by this very report is no duplicate, what was there before is", func(t *testing.T) {
		t.Parallel()
		u, _ := newIngest(tracking.Placed{Known: []tracking.Span{{First: 1, Last: 1}}, Durable: 1})
		if in := take(t, u, waiting(pt(1, 0), pt(2, 0))); results(in) != "1:duplicate 2:late" {
			t.Errorf("got %s", results(in))
		}
	})
	t.Run("what Postgres had before is a duplicate, also after the hot store forgot it", func(t *testing.T) {
		t.Parallel()
		u, _ := newIngest(tracking.Placed{Durable: 5})
		if in := take(t, u, waiting(pt(5, 0), pt(6, 0))); results(in) != "5:duplicate 6:late" {
			t.Errorf("got %s", results(in))
		}
	})
	t.Run("with Postgres slow the backlog takes it after all, once, and the phone hears not yet", func(t *testing.T) {
		t.Parallel()
		u, s := newIngest(tracking.Placed{Moved: 1})
		s.commit = func(ctx context.Context, _ tracking.Batch) (tracking.Mark, error) {
			if _, bounded := ctx.Deadline(); !bounded {
				t.Error("the wait has no bound")
			}
			return tracking.Mark{}, away("Postgres")
		}
		in := take(t, u, waiting(pt(1, 0)))
		if in.Durable || in.DurableSeq != 0 || in.AcceptedSeq != 1 || results(in) != "1:live" {
			t.Errorf("got %+v", in)
		}
		if p := s.placements; len(p) != 1 || !p[0].Keep || p[0].Committed != nil {
			t.Errorf("placements %+v: want one that keeps the batch and shows it", p)
		}
	})
	t.Run("what Postgres refuses fails nobody's report: the backlog takes it", func(t *testing.T) {
		t.Parallel()
		for _, refusal := range []error{tracking.Errorf(tracking.CodeInvalid, "its day has no partition"), errors.New("a column is missing")} {
			u, s := newIngest(tracking.Placed{})
			s.commit = func(context.Context, tracking.Batch) (tracking.Mark, error) { return tracking.Mark{}, refusal }
			if in := take(t, u, waiting(pt(1, 0))); in.Durable || in.AcceptedSeq != 1 {
				t.Errorf("%v: got %+v", refusal, in)
			}
			if p := s.placements; len(p) != 1 || !p[0].Keep {
				t.Errorf("%v: placements %+v", refusal, p)
			}
		}
	})
	t.Run("when even the backlog is full the phone hears so", func(t *testing.T) {
		t.Parallel()
		u, s := newIngest(tracking.Placed{})
		s.commit = func(context.Context, tracking.Batch) (tracking.Mark, error) { return tracking.Mark{}, away("Postgres") }
		s.place = func(p tracking.Placement) (tracking.Placed, error) {
			if p.Keep {
				return tracking.Placed{}, tracking.Errorf(tracking.CodeOverloaded, "full")
			}
			return tracking.Placed{}, nil
		}
		_, err := u.Take(t.Context(), sam, waiting(pt(1, 0)))
		wants(t, err, tracking.CodeOverloaded)
	})
}

func TestIngest_Take_refusals(t *testing.T) {
	t.Parallel()
	for _, code := range []tracking.Code{tracking.CodeOffShift, tracking.CodeOverloaded} {
		u, s := newIngest(tracking.Placed{})
		s.place = func(tracking.Placement) (tracking.Placed, error) {
			return tracking.Placed{}, tracking.Errorf(code, "no")
		}
		_, err := u.Take(t.Context(), sam, report(pt(1, 0)))
		wants(t, err, code)
		if len(s.commits) != 0 {
			t.Errorf("%s: it was stored all the same", code)
		}
	}
	u, s := newIngest(tracking.Placed{})
	s.commit = func(context.Context, tracking.Batch) (tracking.Mark, error) {
		return tracking.Mark{}, tracking.OffShift()
	}
	waiting := report(pt(1, 0))
	waiting.Wait = time.Second
	_, err := u.Take(t.Context(), sam, waiting)
	wants(t, err, tracking.CodeOffShift)
	if len(s.placements) != 0 {
		t.Error("who waits while off shift is shown all the same")
	}
}

func TestIngest_Take_withoutHot(t *testing.T) {
	t.Parallel()
	setup := func() (*tracking.Ingest, *stores) {
		u, s := newIngest(tracking.Placed{})
		s.place = func(tracking.Placement) (tracking.Placed, error) { return tracking.Placed{}, away("Redis") }
		return u, s
	}
	t.Run("a batch that the hot store had taken when nobody heard of it is no duplicate of itself", func(t *testing.T) {
		t.Parallel()
		u, s := setup()
		s.place = func(p tracking.Placement) (tracking.Placed, error) {
			if p.Keep {
				return tracking.Placed{}, away("Redis")
			}
			return tracking.Placed{Known: []tracking.Span{{First: 1, Last: 1}}, Durable: 1}, nil
		}
		if in := take(t, u, report(pt(1, 0))); results(in) != "1:late" || in.DurableSeq != 1 {
			t.Errorf("got %+v", in)
		}
	})
	t.Run("it is committed at once, and nothing is live", func(t *testing.T) {
		t.Parallel()
		u, s := setup()
		in := take(t, u, report(pt(1, 0), pt(2, 0)))
		if !in.Durable || in.DurableSeq != 2 || results(in) != "1:late 2:late" || len(s.commits) != 1 {
			t.Errorf("got %+v after %d commits", in, len(s.commits))
		}
	})
	t.Run("a hot store that is full, not away, still moves the marker", func(t *testing.T) {
		t.Parallel()
		u, s := setup()
		s.place = func(p tracking.Placement) (tracking.Placed, error) {
			if p.Keep {
				return tracking.Placed{}, away("Redis")
			}
			return tracking.Placed{Moved: 1, Watched: true}, nil
		}
		in := take(t, u, report(pt(1, 0)))
		if !in.Durable || results(in) != "1:live" || len(s.commits) != 1 || in.NextReport != 3*time.Second {
			t.Errorf("got %+v after %d commits", in, len(s.commits))
		}
	})
	t.Run("off shift is still off shift", func(t *testing.T) {
		t.Parallel()
		u, s := setup()
		s.commit = func(context.Context, tracking.Batch) (tracking.Mark, error) {
			return tracking.Mark{}, tracking.OffShift()
		}
		_, err := u.Take(t.Context(), sam, report(pt(1, 0)))
		wants(t, err, tracking.CodeOffShift)
	})
	t.Run("with Postgres away too it is unavailable", func(t *testing.T) {
		t.Parallel()
		u, s := setup()
		s.commit = func(context.Context, tracking.Batch) (tracking.Mark, error) { return tracking.Mark{}, away("Postgres") }
		_, err := u.Take(t.Context(), sam, report(pt(1, 0)))
		wants(t, err, tracking.CodeUnavailable)
	})
}
