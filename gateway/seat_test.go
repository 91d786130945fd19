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
	began := time.Now()
	for i := range ages {
		if refusal := h.reserve(); refusal != nil {
			t.Fatal(refusal)
		}
		s := &seat{kind: "customer", cut: func() {}}
		h.sit(s)
		defer h.rise(s)
		ages[i], pings[i] = time.Unix(0, s.until).Sub(began), time.Unix(0, s.pingAt).Sub(began)
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
