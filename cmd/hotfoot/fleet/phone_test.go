package fleet

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"hotfoot/cmd/hotfoot/client"
)

func newTestPhone(points int) *phone {
	p := &phone{rng: rand.New(rand.NewPCG(1, 1))}
	for range points {
		p.record(client.Position{})
	}
	return p
}

func seqs(points []client.Position) (out []int64) {
	for _, p := range points {
		out = append(out, p.Seq)
	}
	return out
}

func TestPhone_keeps_points_until_they_are_durable(t *testing.T) {
	t.Parallel()
	p := newTestPhone(10)
	batch := p.report()
	if !slices.Equal(seqs(batch), []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}) {
		t.Fatalf("reported %v", seqs(batch))
	}
	p.answered(batch, client.PositionReply{AcceptedSeq: 10, DurableSeq: 4})
	if p.kept[0].Seq != 5 || p.sent != 6 {
		t.Errorf("keeps from %d, %d sent", p.kept[0].Seq, p.sent)
	}
	if p.report() != nil {
		t.Error("reported points that the server has")
	}
}

func TestPhone_sends_again_what_the_server_asks_for(t *testing.T) {
	t.Parallel()
	p := newTestPhone(10)
	from := int64(7)
	p.answered(p.report(), client.PositionReply{AcceptedSeq: 6, DurableSeq: 6, ResendFrom: &from})
	p.hold = 0
	if got := seqs(p.report()); !slices.Equal(got, []int64{7, 8, 9, 10}) {
		t.Errorf("sent %v again", got)
	}
}

func TestPhone_loses_nothing_when_a_report_fails(t *testing.T) {
	t.Parallel()
	p := newTestPhone(3)
	p.report()
	p.record(client.Position{})
	if got := seqs(p.report()); !slices.Equal(got, []int64{1, 2, 3, 4}) {
		t.Errorf("reported %v after a failure", got)
	}
}

func TestPhone_memory_is_bounded(t *testing.T) {
	t.Parallel()
	p := newTestPhone(memory + 50)
	if len(p.kept) != memory {
		t.Errorf("keeps %d points", len(p.kept))
	}
	if got := p.report(); len(got) != client.MaxPositions {
		t.Errorf("reported %d points at once", len(got))
	}
}

func TestPhone_begins_a_new_session_when_points_are_lost(t *testing.T) {
	t.Parallel()
	lose := map[string]func(*phone){
		"out of memory": func(p *phone) {
			for range memory {
				p.record(client.Position{Lat: 2})
			}
		},
		"off duty": func(p *phone) { p.discard() },
	}
	for name, lose := range lose {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newTestPhone(10)
			p.answered(p.report(), client.PositionReply{DurableSeq: 10})
			p.record(client.Position{Lat: 1})
			first := p.session()
			lose(p)
			p.record(client.Position{Lat: 3})
			got := p.report()
			if p.session() == first || got[0].Seq != 1 || got[0].Lat < 2 {
				t.Errorf("session %s after %s, first point %+v", p.session(), first, got[0])
			}
		})
	}
	t.Run("but not when the server has what was lost", func(t *testing.T) {
		t.Parallel()
		p := newTestPhone(0)
		for range 2 * memory {
			p.record(client.Position{})
			p.answered(p.report(), client.PositionReply{})
			p.hold = 0
		}
		if p.renewed > 0 {
			t.Error("a new session although the server has all points")
		}
	})
}

// TestPhone_behaves_as_phones_do drives a phone through two hours against a server that makes everything durable.
func TestPhone_behaves_as_phones_do(t *testing.T) {
	t.Parallel()
	p := newTestPhone(0)
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	received := map[int64]int{}
	batches, largest, disorder, silent := 0, 0, 0, 0
	for range 3600 {
		now = now.Add(2 * time.Second)
		p.record(client.Position{RecordedAt: now})
		if !p.online(now) {
			silent++
			continue
		}
		batch := p.report()
		if batch == nil {
			continue
		}
		if len(batch) > 1 {
			batches++
		}
		largest = max(largest, len(batch))
		if !slices.IsSorted(seqs(batch)) {
			disorder++
		}
		for _, s := range seqs(batch) {
			received[s]++
		}
		p.answered(batch, client.PositionReply{DurableSeq: slices.Max(seqs(batch))})
	}
	repeated := 0
	for s := int64(1); s <= p.kept[max(0, p.sent-1)].Seq; s++ {
		if received[s] == 0 {
			t.Fatalf("point %d was never reported", s)
		}
		if received[s] > 1 {
			repeated++
		}
	}
	t.Logf("batches %d, largest %d, in disorder %d, repeated points %d, without network %d of 3600", batches, largest, disorder, repeated, silent)
	if batches == 0 || largest < 8 || disorder == 0 || repeated == 0 || silent == 0 || silent > 720 {
		t.Error("some habit of real phones never shows, or always")
	}
	if p.renewed > 0 {
		t.Error("points were lost")
	}
}

func TestPhone_change_carries_the_newest_position(t *testing.T) {
	t.Parallel()
	p := newTestPhone(2)
	p.kept[1].Lat = 37.5
	p.change(Change{Delivery: "d"}, time.Time{})
	if q := p.changes[0]; q.position.Lat != 37.5 || q.position.Seq != 0 {
		t.Errorf("position %+v", q.position)
	}
}
