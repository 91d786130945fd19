package load

import (
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"go.uber.org/goleak"

	"hotfoot/cmd/chaos/oracle"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newPhone(m manner) *phone {
	log := &oracle.Log{}
	return &phone{manner: m, log: log.Phone("c", "Sam"), random: rand.New(rand.NewPCG(1, 2)), every: 200 * time.Millisecond, session: sessionOf(m, 7), clock: rightClock}
}

func seqs(batch []kept) []int64 {
	var out []int64
	for _, k := range batch {
		out = append(out, k.Seq)
	}
	return out
}

func (p *phone) rejectFirst(batch []kept) intake {
	var in intake
	in.Receipts = append(in.Receipts, struct {
		Index  int
		Result string
	}{0, "rejected"})
	p.take(batch, http.StatusAccepted, in)
	return in
}

func TestPhone(t *testing.T) {
	t.Parallel()
	t.Run("makes each fix later than the one before, with the next seq", func(t *testing.T) {
		t.Parallel()
		p := newPhone(plain)
		for range 5 {
			p.make()
		}
		for i, k := range p.kept {
			if k.Seq != int64(i)+1 || i > 0 && k.RecordedAt <= p.kept[i-1].RecordedAt {
				t.Fatalf("fix %d: %+v after %+v", i, k.Point, p.kept[max(0, i-1)].Point)
			}
		}
		if len(p.log.Made) != len(p.kept) {
			t.Error("a fix was not noted")
		}
	})
	t.Run("keeps what is not durable, and does not send what was accepted again", func(t *testing.T) {
		t.Parallel()
		p := newPhone(plain)
		p.make()
		first := p.batch()
		p.take(first, http.StatusAccepted, intake{Accepted: p.seq, Durable: 1})
		if len(p.kept) != len(first)-1 || p.kept[0].Seq != 2 {
			t.Errorf("keeps %v", seqs(p.kept))
		}
		if again := p.batch(); len(again) > 0 {
			t.Errorf("sends %v again", seqs(again))
		}
	})
	t.Run("sends everything again, the oldest first, after a failure", func(t *testing.T) {
		t.Parallel()
		p := newPhone(plain)
		p.make()
		p.take(p.batch(), http.StatusAccepted, intake{Accepted: p.seq})
		p.make()
		p.forgetSent()
		if batch := p.batch(); len(batch) != len(p.kept) || batch[0].Seq != 1 {
			t.Errorf("sends %v", seqs(batch))
		}
	})
	t.Run("sends at most 500 a report", func(t *testing.T) {
		t.Parallel()
		p := newPhone(plain)
		for len(p.kept) <= 600 {
			p.make()
		}
		batch := p.batch()
		if len(batch) != maxBatch || batch[0].Seq != 1 {
			t.Errorf("%d fixes from %d on", len(batch), batch[0].Seq)
		}
		p.take(batch, http.StatusAccepted, intake{})
		if rest := p.batch(); len(rest) != len(p.kept)-maxBatch || rest[0].Seq != maxBatch+1 {
			t.Errorf("then %d fixes from %d on", len(rest), rest[0].Seq)
		}
	})
	t.Run("resends from where it is asked to", func(t *testing.T) {
		t.Parallel()
		p := newPhone(plain)
		for p.seq < 6 {
			p.make()
		}
		p.take(p.batch(), http.StatusAccepted, intake{Durable: 2, ResendFrom: 4})
		if batch := p.batch(); batch[0].Seq != 4 || len(batch) != int(p.seq)-3 {
			t.Errorf("sends %v", seqs(batch))
		}
	})
	t.Run("counts what is left anew when it is asked for what it has forgotten", func(t *testing.T) {
		t.Parallel()
		p := newPhone(plain)
		for p.seq < 6 {
			p.make()
		}
		made, left := len(p.log.Made), int(p.seq)-4
		p.take(p.batch(), http.StatusAccepted, intake{Durable: 4})
		session := p.session
		p.take(nil, http.StatusAccepted, intake{Durable: 2, ResendFrom: 3})
		batch := p.batch()
		if p.session == session || len(batch) != left || batch[0].Seq != 1 || batch[0].wire.Seq != 1 || batch[0].Session != p.session {
			t.Errorf("in session %q, after %q, it sends %v", p.session, session, seqs(batch))
		}
		if len(p.log.Made) != made+left {
			t.Errorf("%d fixes are noted, want %d", len(p.log.Made), made+left)
		}
	})
	t.Run("keeps what was rejected until it is durable, too", func(t *testing.T) {
		t.Parallel()
		p := newPhone(plain)
		p.make()
		batch := p.batch()
		p.rejectFirst(batch)
		if len(p.kept) != len(batch) {
			t.Errorf("keeps %v", seqs(p.kept))
		}
		p.take(batch, http.StatusAccepted, intake{Durable: 1})
		if len(p.kept) != len(batch)-1 || p.kept[0].Seq != 2 {
			t.Errorf("keeps %v after that", seqs(p.kept))
		}
	})
	t.Run("without seqs forgets what was rejected, and nothing else of that report", func(t *testing.T) {
		t.Parallel()
		p := newPhone(uncounted)
		p.make()
		batch := p.batch()
		p.rejectFirst(batch)
		if len(p.kept) != len(batch)-1 || p.kept[0].Point != batch[1].Point {
			t.Errorf("keeps %v", seqs(p.kept))
		}
	})
	t.Run("that gives up forgets everything, and counts anew in another session", func(t *testing.T) {
		t.Parallel()
		p := newPhone(plain)
		p.make()
		before, made := p.session, len(p.kept)
		p.giveUp()
		if len(p.kept) > 0 || p.gaveUp.Load() != int64(made) || p.session == before {
			t.Errorf("keeps %v in session %q", seqs(p.kept), p.session)
		}
		p.make()
		if batch := p.batch(); batch[0].Seq != 1 || batch[0].Session != p.session || batch[0].RecordedAt <= p.log.Made[made-1].RecordedAt {
			t.Errorf("goes on with %+v", batch[0].Point)
		}
	})
	t.Run("without seqs forgets on 200 alone", func(t *testing.T) {
		t.Parallel()
		p := newPhone(uncounted)
		p.make()
		batch := p.batch()
		p.take(batch, http.StatusAccepted, intake{})
		if len(p.kept) != len(batch) || p.kept[0].Seq != 0 || p.kept[0].Session != "" {
			t.Errorf("keeps %+v", p.kept)
		}
		p.take(batch, http.StatusOK, intake{})
		if len(p.kept) > 0 {
			t.Errorf("keeps %+v", p.kept)
		}
	})
	t.Run("asks again about what is left when there is nothing new", func(t *testing.T) {
		t.Parallel()
		p := newPhone(wild)
		for range 30 {
			p.make()
		}
		batch := append([]kept(nil), p.kept...)
		p.take(batch, http.StatusAccepted, intake{})
		p.settle()
		left := map[int64]bool{}
		for _, k := range p.batch() {
			left[k.Seq] = true
		}
		if len(left) != len(p.kept) {
			t.Errorf("sends %d of %d", len(left), len(p.kept))
		}
	})
	t.Run("a wild one sends what it had forgotten, late and future fixes", func(t *testing.T) {
		t.Parallel()
		p := newPhone(wild)
		var late, future, repeated bool
		for range 100 {
			p.make()
			batch := p.batch()
			seen := map[int64]bool{}
			for _, k := range p.kept {
				seen[k.Seq] = true
			}
			for _, k := range batch {
				repeated = repeated || !seen[k.Seq]
				late = late || time.Since(time.UnixMilli(k.RecordedAt)) > time.Minute
				future = future || time.Until(time.UnixMilli(k.RecordedAt)) > time.Minute
			}
			p.take(batch, http.StatusAccepted, intake{Durable: p.seq - 1})
		}
		if !late || !future || !repeated {
			t.Errorf("late %t, future %t, repeated %t", late, future, repeated)
		}
	})
}
