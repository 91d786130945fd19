package load

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestClockOf(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	now := time.Now()
	right, ahead, behind := 0, 0, 0
	for i := range 2 * len(wrongClocks) {
		if got := clockOf(false, plain, i)(now, random); !got.Equal(now) {
			t.Errorf("phone %d is at %v though all clocks are right", i, got)
		}
		if got := clockOf(true, uncounted, i)(now, random); !got.Equal(now) {
			t.Errorf("phone %d does not count and is at %v", i, got)
		}
		switch off := clockOf(true, plain, i)(now, random).Sub(now); {
		case off == 0:
			right++
		case off > 0:
			ahead++
		default:
			behind++
		}
	}
	if right < 8 || ahead < 3 || behind < 5 {
		t.Errorf("%d clocks are right, %d ahead and %d behind", right, ahead, behind)
	}
}

func TestPhone_whose_clock_is_put_back(t *testing.T) {
	t.Parallel()
	p := newPhone(plain)
	p.make()
	p.clock = off(-time.Hour)
	p.make()
	first, last := p.kept[0], p.kept[len(p.kept)-1]
	if back := first.RecordedAt - last.RecordedAt; back < 59*60*1000 || last.Seq != int64(len(p.kept)) {
		t.Errorf("after %+v came %+v", first.Point, last.Point)
	}
}
