package redisstore_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hotfoot/store/redisstore"
	"hotfoot/tracking"
	"hotfoot/tracking/key"
	"hotfoot/tracking/wire"
)

func TestStore_Place(t *testing.T) {
	t.Parallel()
	t.Run("keeps the newest fix, appends the batch, and tells the courier's and the fleet's viewers", func(t *testing.T) {
		t.Parallel()
		h := newHot(t)
		c := h.courier()
		arrived := h.listen(t, key.Courier(c.ID), key.Fleet(key.Partition(c.ID), c.MerchantID))
		placed, err := h.Place(t.Context(), placement(c, fix(2), 1, 2))
		must(t, err)
		if want := (tracking.Placed{Moved: 2, Watched: true}); !reflect.DeepEqual(placed, want) {
			t.Errorf("placed %+v, want %+v", placed, want)
		}
		again, err := h.Place(t.Context(), placement(c, fix(2), 2, 3))
		must(t, err)
		if want := (tracking.Placed{LiveSince: at(2), Known: []tracking.Span{{First: 1, Last: 2}}}); !reflect.DeepEqual(again, want) {
			t.Errorf("placed %+v, want %+v", again, want)
		}
		newest, err := h.newest(t.Context(), c.ID)
		must(t, err)
		if newest == nil || *newest != *fix(2) {
			t.Errorf("the newest is %+v", newest)
		}
		if n := h.waiting(t, c.ID); n != 2 {
			t.Errorf("%d batches wait, want 2", n)
		}
		messages := arrived()
		if len(messages) != 2 {
			t.Fatalf("%d messages, want one to each channel", len(messages))
		}
		p, err := wire.Position([]byte(messages[0].Payload))
		must(t, err)
		m, err := wire.ParseFleet([]byte(messages[1].Payload))
		must(t, err)
		if messages[0].Channel != key.Courier(c.ID) || p != *fix(2) || m.CourierID != c.ID || *m.Position != *fix(2) {
			t.Errorf("told %+v and %+v", p, m)
		}
	})
	t.Run("refuses a courier off duty and keeps nothing of them", func(t *testing.T) {
		t.Parallel()
		h := newHot(t)
		c := h.courier()
		_, err := h.Place(t.Context(), placement(c, fix(1), 1))
		must(t, err)
		c.OnDuty, c.Rev = false, 3
		must(t, h.KeepCourier(t.Context(), c))
		before := dump(t, h.client)
		_, err = h.Place(t.Context(), placement(c, fix(2), 2))
		wantCode(t, err, tracking.CodeOffShift)
		if newest, err := h.newest(t.Context(), c.ID); err != nil || newest != nil {
			t.Errorf("the newest is %v, %v", newest, err)
		}
		if near, err := h.Near(t.Context(), c.MerchantID, 37.78, -122.41, 1000, 10); err != nil || len(near) != 0 {
			t.Errorf("near are %v, %v", near, err)
		}
		if after := dump(t, h.client); !reflect.DeepEqual(before, after) {
			t.Errorf("it changed\n%v\nto\n%v", before, after)
		}
	})
	t.Run("loads a courier and a session that are not hot from the truth", func(t *testing.T) {
		t.Parallel()
		h := newHot(t)
		h.truth.durable = 7
		c := h.courier()
		placed, err := h.Place(t.Context(), placement(c, fix(1), 9))
		must(t, err)
		if placed.Durable != 7 || placed.Moved == 0 {
			t.Errorf("placed %+v", placed)
		}
		stranger := c
		stranger.ID = tracking.NewID()
		_, err = h.Place(t.Context(), placement(stranger, fix(1), 1))
		wantCode(t, err, tracking.CodeNotFound)
	})
	t.Run("needs Postgres for nobody who is hot", func(t *testing.T) {
		t.Parallel()
		h := newHot(t)
		c := h.courier()
		must(t, h.KeepCourier(t.Context(), c))
		h.truth.away = true
		placed, err := h.Place(t.Context(), placement(c, fix(1), 5))
		if err != nil || placed.Durable != 0 || placed.Moved == 0 {
			t.Errorf("placed %+v, %v", placed, err)
		}
		if n := h.truth.asked.Load(); n != 1 {
			t.Errorf("the truth was asked %d times, want once, for the session", n)
		}
	})
	t.Run("says at once that Redis is away", func(t *testing.T) {
		t.Parallel()
		h := newHotAt(t, away, redisstore.Config{})
		began := time.Now()
		_, err := h.Place(t.Context(), placement(tracking.Courier{ID: tracking.NewID()}, fix(1), 1))
		wantCode(t, err, tracking.CodeUnavailable)
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

func TestStore_Place_seqs_are_a_set(t *testing.T) {
	t.Parallel()
	h := newHot(t)
	rapid.Check(t, func(t *rapid.T) {
		c := h.courier()
		seen := map[int64]bool{}
		// Up to 60 runs: beyond 64 the oldest may be forgotten.
		for range rapid.IntRange(1, 8).Draw(t, "batches") {
			seqs := rapid.SliceOfN(rapid.OneOf(rapid.Int64Range(1, 110), rapid.Int64Range(1<<53-6, 1<<53-1)), 0, 12).Draw(t, "seqs")
			p := placement(c, nil)
			for i, seq := range seqs {
				if i%4 == 3 {
					p.Batch.Settled = append(p.Batch.Settled, seq)
				} else {
					p.Batch.Fixes = append(p.Batch.Fixes, tracking.Fix{Seq: seq, Position: *fix(1)})
				}
			}
			placed, err := h.Place(t.Context(), p)
			if err != nil {
				t.Fatal(err)
			}
			if len(seqs) > 0 {
				if got := seqsOf(placed.Known); !slices.Equal(got, sorted(seen)) {
					t.Fatalf("known are %v, want %v", got, sorted(seen))
				}
			}
			for _, seq := range seqs {
				seen[seq] = true
			}
		}
	})
}

func TestStore_Place_forgets_the_lowest_runs_beyond_64(t *testing.T) {
	t.Parallel()
	h := newHot(t)
	c := h.courier()
	var seqs []int64
	for i := range int64(70) {
		seqs = append(seqs, 2*i+1)
	}
	_, err := h.Place(t.Context(), placement(c, nil, seqs...))
	must(t, err)
	placed, err := h.Place(t.Context(), placement(c, nil, 139))
	must(t, err)
	if got := seqsOf(placed.Known); !slices.Equal(got, seqs[6:]) {
		t.Errorf("known are %v, want the last 64 of %v", got, seqs)
	}
}

// A script may touch only keys of one hash tag, or a cluster refuses it.
func TestStore_keys_share_a_tag(t *testing.T) {
	t.Parallel()
	h := newHot(t)
	c := h.courier()
	r := record(1)
	r.Courier, r.Delivery.CourierID = c, c.ID
	stop := h.monitor(t)
	_, err := h.Place(t.Context(), placement(c, fix(1), 1))
	must(t, err)
	must(t, h.Announce(t.Context(), r))
	must(t, h.KeepCourier(t.Context(), c))
	must(t, h.MarkDurable(t.Context(), []tracking.Mark{{CourierID: c.ID, Session: "s", DurableSeq: 1}}))
	commands := stop()
	tag, scripts := "", 0
	for _, line := range commands {
		// As in: 1339518083.107412 [0 lua] "XADD" "{p17}:positions" …, behind the EVALSHA that ran it.
		words := strings.Fields(line)
		if strings.Contains(strings.ToLower(words[3]), "evalsha") {
			tag, scripts = "", scripts+1
		}
		if words[2] != "lua]" {
			continue
		}
		name := strings.Trim(words[4], `"`)
		end := strings.Index(name, "}")
		if !strings.HasPrefix(name, "{p") || end < 0 {
			t.Errorf("%s: %q has no tag", line, name)
			continue
		}
		if tag == "" {
			tag = name[:end]
		}
		if name[:end] != tag {
			t.Errorf("%s: touches %q beside keys of %s}", line, name, tag)
		}
	}
	if scripts < 4 {
		t.Errorf("%d scripts were seen, want at least four:\n%s", scripts, strings.Join(commands, "\n"))
	}
	for _, name := range keys(t, h.client) {
		if !strings.HasPrefix(name, fmt.Sprintf("{p%d}:", key.Partition(c.ID))) && !strings.HasPrefix(name, fmt.Sprintf("{p%d}:", key.Partition(r.Delivery.ID))) {
			t.Errorf("%s belongs to no partition of what was written", name)
		}
		if ttl := h.client.TTL(t.Context(), name).Val(); ttl <= 0 && !strings.Contains(name, ":positions") {
			t.Errorf("%s never expires", name)
		}
	}
}

func seqsOf(spans []tracking.Span) (seqs []int64) {
	for _, s := range spans {
		for seq := s.First; seq <= s.Last; seq++ {
			seqs = append(seqs, seq)
		}
	}
	return seqs
}

func sorted(set map[int64]bool) (seqs []int64) {
	for seq := range set {
		seqs = append(seqs, seq)
	}
	slices.Sort(seqs)
	return seqs
}

func wantCode(t *testing.T, err error, want tracking.Code) {
	t.Helper()
	if tracking.CodeOf(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
