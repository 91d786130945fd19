package redisstore_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hotfoot/tracking"
	"hotfoot/tracking/key"
	"hotfoot/tracking/wire"
)

// known is what is known of one courier's place, by Go alone.
type known struct {
	rule   tracking.Plausibility
	newest *tracking.Position
	where  tracking.Whereabouts
}

// take is what the script should make of a batch: which fixes it thinks differently of, and which one moves the marker, from 1.
func (k *known) take(p tracking.Placement) (rejudged []int, moved int) {
	fixes := slices.Clone(p.Batch.Fixes)
	if !p.Keep {
		fixes = slices.DeleteFunc(fixes, func(f tracking.Fix) bool { return f.Position.Suspect != tracking.Believed })
	}
	s := k.rule.JudgeAll(k.where, fixes)
	if p.Keep {
		for i := range fixes {
			if fixes[i].Position.Suspect != p.Batch.Fixes[i].Position.Suspect {
				rejudged = append(rejudged, i)
			}
		}
	}
	fresh := func(p *tracking.Position, than time.Time) bool { return p != nil && !p.RecordedAt.Before(than) }
	if fresh(s.Believed, p.Fresh) && s.Believed != k.where.Believed {
		next := *s.Believed
		if k.newest != nil {
			next.Pace = tracking.SmoothPace(*k.newest, next)
		}
		k.newest, k.where.Believed = &next, &next
		for i := range fixes {
			if &fixes[i].Position == s.Believed {
				moved = 1 + slices.IndexFunc(p.Batch.Fixes, func(f tracking.Fix) bool { return f.Seq == fixes[i].Seq })
			}
		}
		if s.Agree == 0 {
			k.where.Doubted, k.where.Agree = nil, 0
		}
	}
	if s.Agree > 0 && fresh(s.Doubted, p.Fresh) {
		k.where.Doubted, k.where.Agree = s.Doubted, s.Agree
	}
	return rejudged, moved
}

// The script decides what is believed, what the marker shows and how fast the courier is; what it should decide is written in Go.
func TestStore_Place_judges_as_Go_does(t *testing.T) {
	t.Parallel()
	h := newHot(t)
	believed, doubted, reached := 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		c, k, clock, seq := h.courier(), known{}, 0.0, int64(0)
		if rapid.Bool().Draw(t, "has a limit of its own") {
			k.rule.MaxSpeedMPS = rapid.Float64Range(1, 1000).Draw(t, "limit")
		}
		places := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) [2]float64 {
			lon := rapid.OneOf(rapid.Float64Range(-180, 180), rapid.SampledFrom([]float64{-180, 180}))
			return [2]float64{rapid.Float64Range(-90, 90).Draw(t, "lat"), lon.Draw(t, "lon")}
		}), 3, 3).Draw(t, "places")
		for range rapid.IntRange(1, 10).Draw(t, "batches") {
			p := placement(c, nil)
			p.Batch.Fixes, p.Rule = nil, k.rule
			p.Keep = rapid.IntRange(0, 3).Draw(t, "elsewhere") > 0
			clock += rapid.SampledFrom([]float64{-5, 0, 0.5, 3, 10, 60, 500}).Draw(t, "later")
			p.Fresh = at(clock + rapid.SampledFrom([]float64{-1000, -20, -1, 1, 30}).Draw(t, "fresh"))
			for range rapid.IntRange(1, 5).Draw(t, "fixes") {
				place := rapid.SampledFrom(places).Draw(t, "place")
				near := rapid.SampledFrom([]float64{0, 1e-4, 0.01}).Draw(t, "near")
				seq++
				f := tracking.Fix{Seq: seq, Position: tracking.Position{
					RecordedAt: at(clock), Lat: max(-90, min(90, place[0]+rapid.Float64Range(-near, near).Draw(t, "dlat"))),
					Lon: max(-180, min(180, place[1]+rapid.Float64Range(-near, near).Draw(t, "dlon"))),
				}}
				clock += rapid.SampledFrom([]float64{0, 0.3, 1, 2, 30, 121}).Draw(t, "step")
				if rapid.Bool().Draw(t, "accurate") {
					f.Position.AccuracyM = tracking.Read(rapid.Float64Range(0, 1000).Draw(t, "accuracy"))
				}
				f.Position.Suspect = rapid.SampledFrom([]tracking.Suspicion{0, 0, 0, 0, 0, 0, tracking.SuspectMock, tracking.SuspectSpeed}).Draw(t, "alone")
				p.Batch.Fixes = append(p.Batch.Fixes, f)
			}
			k.rule.JudgeAll(tracking.Whereabouts{}, p.Batch.Fixes) // as they come from the use case
			rejudged, moved := k.take(p)
			placed, err := h.Place(t.Context(), p)
			if err != nil {
				t.Fatal(err)
			}
			if placed.Moved != moved || !slices.Equal(placed.Rejudged, rejudged) {
				t.Fatalf("placed %+v, want fix %d to move the marker and %v rejudged, of %+v", placed, moved, rejudged, p.Batch.Fixes)
			}
			if moved > 0 {
				believed++
			}
			if k.where.Agree > 0 {
				doubted++
			}
			if k.where.Agree == 2 {
				reached++
			}
			k.agree(t, h, c)
		}
	})
	if believed == 0 || doubted == 0 || reached == 0 {
		t.Errorf("%d were believed, %d doubted, %d nearly believed: want some of each", believed, doubted, reached)
	}
}

// agree compares the newest with what Redis keeps, and goes on from there, so that rounding does not add up.
func (k *known) agree(t *rapid.T, h hot, c tracking.Courier) {
	t.Helper()
	got, err := h.newest(t.Context(), c.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got == nil || k.newest == nil {
		if got != nil || k.newest != nil {
			t.Fatalf("the newest is %+v, want %+v", got, k.newest)
		}
		return
	}
	if math.Abs(float64(got.Pace.Value-k.newest.Pace.Value)) > 1e-3 || got.Pace.Known != k.newest.Pace.Known {
		t.Fatalf("the pace is %+v, want %+v", got.Pace, k.newest.Pace)
	}
	k.newest.Pace = got.Pace
	if *got != *k.newest {
		t.Fatalf("the newest is %+v, want %+v", *got, *k.newest)
	}
}

func TestStore_Place_suspects(t *testing.T) {
	t.Parallel()
	h := newHot(t)
	// away is a fix so many seconds after noon, so many kilometres from where the courier begins.
	away := func(seconds, km float64) *tracking.Position {
		p := fix(seconds)
		p.Lat += km / 111.195
		return p
	}
	near := func(t *testing.T, c tracking.Courier, p *tracking.Position) bool {
		t.Helper()
		found, err := h.Near(t.Context(), c.MerchantID, p.Lat, p.Lon, 1000, 10)
		must(t, err)
		return len(found) == 1
	}
	t.Run("a jump is kept in the backlog with its reason, and moves nothing that anybody sees", func(t *testing.T) {
		t.Parallel()
		c := h.courier()
		_, err := h.Place(t.Context(), placement(c, away(0, 0), 1))
		must(t, err)
		arrived := h.listen(t, key.Courier(c.ID), key.Fleet(key.Partition(c.ID), c.MerchantID))
		placed, err := h.Place(t.Context(), placement(c, away(10, 50), 2))
		must(t, err)
		if placed.Moved != 0 || !slices.Equal(placed.Rejudged, []int{0}) {
			t.Errorf("placed %+v", placed)
		}
		newest, err := h.newest(t.Context(), c.ID)
		must(t, err)
		if messages := arrived(); len(messages) > 0 || *newest != *away(0, 0) || !near(t, c, away(0, 0)) || near(t, c, away(0, 50)) {
			t.Errorf("the newest is %+v after %d messages", newest, len(messages))
		}
		entries, err := h.client.XRevRangeN(t.Context(), key.Positions(key.Partition(c.ID)), "+", "-", 1).Result()
		must(t, err)
		batch, err := wire.Batch([]byte(entries[0].Values["b"].(string)))
		must(t, err)
		want := *away(10, 50)
		want.Suspect = tracking.SuspectTeleport
		if len(batch.Fixes) != 1 || batch.Fixes[0] != (tracking.Fix{Seq: 2, Position: want}) {
			t.Errorf("the backlog holds %+v", batch)
		}
	})
	t.Run("the third that agrees is believed, and told", func(t *testing.T) {
		t.Parallel()
		c := h.courier()
		for i, moved := range []int{1, 0, 0, 1, 1} {
			p := away(float64(10*i), 50)
			if i == 0 {
				p = away(0, 0)
			}
			placed, err := h.Place(t.Context(), placement(c, p))
			must(t, err)
			if placed.Moved != moved {
				t.Errorf("fix %d: placed %+v", i, placed)
			}
		}
		if !near(t, c, away(0, 50)) || near(t, c, away(0, 0)) {
			t.Error("they are not found where they are")
		}
	})
	t.Run("who goes off duty is not measured by where they jumped before", func(t *testing.T) {
		t.Parallel()
		c := h.courier()
		for _, p := range []*tracking.Position{away(0, 0), away(10, 50), away(20, 50)} {
			_, err := h.Place(t.Context(), placement(c, p))
			must(t, err)
		}
		for _, onDuty := range []bool{false, true} {
			c.OnDuty, c.Rev = onDuty, c.Rev+1
			must(t, h.KeepCourier(t.Context(), c))
		}
		for _, p := range []*tracking.Position{away(30, 500), away(40, 500.1)} {
			if placed, err := h.Place(t.Context(), placement(c, p)); err != nil || placed.Moved != 1 {
				t.Errorf("placed %+v, %v", placed, err)
			}
		}
		if placed, err := h.Place(t.Context(), placement(c, away(50, 50))); err != nil || placed.Moved != 0 {
			t.Errorf("the place of the shift before: placed %+v, %v", placed, err)
		}
	})
	t.Run("when the last of a batch is a jump, the one before it moves the marker", func(t *testing.T) {
		t.Parallel()
		c := h.courier()
		p := placement(c, away(0, 0))
		p.Batch.Fixes = append(p.Batch.Fixes, tracking.Fix{Position: *away(5, 0.1)}, tracking.Fix{Position: *away(10, 90)})
		tracking.Plausibility{}.JudgeAll(tracking.Whereabouts{}, p.Batch.Fixes)
		placed, err := h.Place(t.Context(), p)
		must(t, err)
		if placed.Moved != 2 || len(placed.Rejudged) > 0 {
			t.Errorf("placed %+v", placed)
		}
		if newest, err := h.newest(t.Context(), c.ID); err != nil || !newest.RecordedAt.Equal(at(5)) {
			t.Errorf("the newest is %+v, %v", newest, err)
		}
	})
}
