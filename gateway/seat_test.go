package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hotfoot/tracking"
)

func TestHub_sit(t *testing.T) {
	t.Parallel()
	h := newHub(t, newLine(), newShelf())
	ages := make([]time.Duration, 1000)
	pings := make([]time.Duration, len(ages))
	sitting := map[*seat]int{}
	began := time.Now()
	for i := range ages {
		if refusal := h.reserve(netip.Prefix{}); refusal != nil {
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

// stalled is an Opener whose store does not answer until it is released.
type stalled struct{ asked, release chan struct{} }

func (o stalled) Open(context.Context, string, tracking.Seen, func(tracking.ID) *tracking.Record) (*tracking.Record, error) {
	o.asked <- struct{}{}
	<-o.release
	return nil, tracking.Errorf(tracking.CodeNotFound, "no such link")
}

// Whoever cannot be let in at once is told when to come back, and costs nothing.
func TestHub_admit(t *testing.T) {
	t.Parallel()
	h := NewHub(newLine(), newShelf(), Config{MaxOpening: 2}, NewMetrics(prometheus.NewRegistry()), time.Now, slog.New(slog.DiscardHandler))
	t.Cleanup(h.Close)
	opener := stalled{make(chan struct{}), make(chan struct{})}
	refusals := make(chan *tracking.Error, 8)
	customers := NewCustomers(h, opener, func(_ http.ResponseWriter, _ *http.Request, err error) {
		var refusal *tracking.Error
		errors.As(err, &refusal)
		refusals <- refusal
	})
	var coming sync.WaitGroup
	come := func(serve func(http.ResponseWriter, *http.Request, string)) {
		coming.Go(func() { serve(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil), "token") })
	}
	come(customers.Live)
	<-opener.asked
	come(customers.Events)
	<-opener.asked
	moments := map[time.Duration]bool{}
	for range 4 {
		come(customers.Live)
		refusal := <-refusals
		if refusal.Code != tracking.CodeOverloaded || refusal.RetryAfter < time.Second || refusal.RetryAfter > 5*time.Second {
			t.Errorf("refused with %+v", refusal)
		}
		moments[refusal.RetryAfter] = true
	}
	if len(moments) < 3 {
		t.Errorf("they all come back at %v", moments)
	}
	close(opener.release)
	coming.Wait()
	if h.opening.Load() != 0 || h.taken.Load() != 0 {
		t.Errorf("%d are on their way in and %d there, though all were refused", h.opening.Load(), h.taken.Load())
	}
}
