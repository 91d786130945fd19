package gateway

import (
	"slices"
	"testing"
	"time"
)

func TestHub_sit(t *testing.T) {
	t.Parallel()
	h := newHub(t, newLine(), newShelf())
	ages := make([]time.Duration, 1000)
	pings := make([]time.Duration, len(ages))
	sitting := map[*seat]int{}
	began := time.Now()
	for i := range ages {
		if refusal := h.reserve(); refusal != nil {
			t.Fatal(refusal)
		}
		s := &seat{kind: "customer"}
		h.sit(s)
		defer h.rise(s)
		ages[i] = time.Unix(0, s.until).Sub(began)
		sitting[s] = i
	}
	// Time goes by, and each has one turn.
	for second := range 25 {
		h.seats.turn(began.Add(time.Duration(second)*time.Second), h.config.timing.ping, func(s *seat, _ int64) {
			if i, waits := sitting[s]; waits {
				pings[i] = time.Duration(second) * time.Second
				delete(sitting, s)
			}
		})
	}
	if len(sitting) > 0 {
		t.Errorf("%d had no turn in a whole interval", len(sitting))
	}
	slack := time.Since(began)
	for _, spread := range []struct {
		name       string
		of         []time.Duration
		from, till time.Duration
	}{{"age", ages, 25 * time.Minute, 35 * time.Minute}, {"first ping", pings, 0, 25 * time.Second}} {
		slices.Sort(spread.of)
		first, last := spread.of[0], spread.of[len(spread.of)-1]
		if first < spread.from || last > spread.till+slack {
			t.Errorf("%s: from %v to %v", spread.name, first, last)
		}
		if median := spread.of[len(spread.of)/2]; (median - (spread.from+spread.till)/2).Abs() > (spread.till-spread.from)/10 {
			t.Errorf("%s: the median is %v", spread.name, median)
		}
	}
	if timing := h.config.timing; timing.silence > time.Minute || timing.silence < 2*timing.ping {
		t.Errorf("half-open sockets are freed after %v, with a ping every %v", timing.silence, timing.ping)
	}
}
