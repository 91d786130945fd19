package redisstore_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hotfoot/store/redisstore"
	"hotfoot/store/storetest"
	"hotfoot/tracking"
	"hotfoot/tracking/key"
)

// desk is a node that answers questions.
type desk struct {
	hot
	*redisstore.Aside
	stop func()
}

// strict is answered as new as it is asked for, and lax may be old for as long as a test takes.
var (
	strict = &tracking.Computation{Name: "strict", Life: time.Hour, AtOnce: 4}
	lax    = &tracking.Computation{Name: "lax", Life: time.Hour, Rest: time.Hour, AtOnce: 4}
)

// unwatched tells of nothing.
func unwatched(tracking.ID, func(), func(bool)) redisstore.Watch { return unheard{} }

type unheard struct{}

func (unheard) Close() {}

func newDesk(t *testing.T, url string, watch redisstore.WatchSegment, more ...*tracking.Computation) *desk {
	t.Helper()
	h := newHotAt(t, url, redisstore.Config{})
	d := &desk{hot: h, Aside: redisstore.NewAside(h.Store, watch, prometheus.NewRegistry(), append(more, strict, lax)...)}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := d.Aside.Run(ctx); err != nil {
			t.Error(err)
		}
	}()
	d.stop = func() {
		cancel()
		<-ended
	}
	t.Cleanup(d.stop)
	return d
}

// well is where answers come from: a number that goes up, as what is committed does.
type well struct {
	value, asked atomic.Int64
	err          error
	drawn        func(turn int64) // called when a number was drawn, before it is answered
}

func (w *well) work() tracking.Work {
	return tracking.Work{
		Compute: func(context.Context) (any, error) {
			turn, value := w.asked.Add(1), w.value.Load()
			if w.drawn != nil {
				w.drawn(turn)
			}
			return value, w.err
		},
		Encode: func(v any) ([]byte, error) { return strconv.AppendInt(nil, v.(int64), 10), nil },
		Decode: func(b []byte) (any, error) { return strconv.ParseInt(string(b), 10, 64) },
	}
}

// ask answers what a desk says.
func (d *desk) ask(t *testing.T, q tracking.Question, w *well) (int64, tracking.Source) {
	t.Helper()
	answer, err := d.Answer(t.Context(), q, w.work())
	if err != nil {
		t.Error(err)
		return -1, ""
	}
	return answer.Value.(int64), answer.Source
}

func (d *desk) want(t *testing.T, q tracking.Question, w *well, value int64, source tracking.Source) {
	t.Helper()
	if got, from := d.ask(t, q, w); got != value || from != source {
		t.Errorf("%d from %q, want %d from %q", got, from, value, source)
	}
}

// reached waits until somebody has begun to compute.
func reached(t *testing.T, drawn <-chan struct{}) {
	t.Helper()
	select {
	case <-drawn:
	case <-time.After(patience):
		t.Fatal("nobody computes")
	}
}

// changed announces a change of a merchant's delivery.
func (h hot) changed(t *testing.T, merchant tracking.ID) {
	t.Helper()
	r := record(1)
	r.Merchant.ID, r.Delivery.MerchantID = merchant, merchant
	must(t, h.Announce(t.Context(), r))
}

func about(c *tracking.Computation) tracking.Question {
	return tracking.Question{Computation: c, Segment: tracking.NewID(), Arguments: "all"}
}

// nameOf is where the answer to a question is kept.
func nameOf(q tracking.Question) string {
	return key.Computed(q.Segment, q.Computation.Name, tracking.HashOf([]byte(q.Arguments)))
}

func TestAside_keeps(t *testing.T) {
	t.Parallel()
	url := storetest.RedisURL(t)
	here, there := newDesk(t, url, unwatched), newDesk(t, url, unwatched)
	t.Run("what was computed is found on every node, and each question has its own answer", func(t *testing.T) {
		t.Parallel()
		q, w := about(strict), &well{}
		w.value.Store(7)
		here.want(t, q, w, 7, tracking.Computed)
		here.want(t, q, w, 7, tracking.FromHot)
		there.want(t, q, w, 7, tracking.FromHot)
		q.Arguments = "some"
		there.want(t, q, w, 7, tracking.Computed)
		if ttl := here.client.PTTL(t.Context(), nameOf(q)).Val(); ttl <= 0 || ttl > time.Hour+time.Second {
			t.Errorf("it lives for %v", ttl)
		}
		if ttl := here.client.PTTL(t.Context(), key.SegmentVersion(q.Segment)).Val(); ttl < 40*time.Hour || ttl > 48*time.Hour {
			t.Errorf("its version lives for %v", ttl)
		}
	})
	t.Run("a change makes everything of its segment stale, and nothing else", func(t *testing.T) {
		t.Parallel()
		q, other, w := about(strict), about(strict), &well{}
		more := q
		more.Arguments = "some"
		for _, q := range []tracking.Question{q, more, other} {
			here.want(t, q, w, 0, tracking.Computed)
		}
		w.value.Store(1)
		there.changed(t, q.Segment)
		here.want(t, q, w, 1, tracking.Computed)
		here.want(t, more, w, 1, tracking.Computed)
		here.want(t, other, w, 0, tracking.FromHot)
	})
	t.Run("a courier's answers are stale when a stop is given to them, or taken away", func(t *testing.T) {
		t.Parallel()
		q, w := about(strict), &well{}
		here.want(t, q, w, 0, tracking.Computed)
		r := record(2)
		r.Courier.ID, r.Delivery.CourierID, r.Delivery.Status = q.Segment, q.Segment, tracking.Assigned
		must(t, there.Announce(t.Context(), r))
		here.want(t, q, w, 0, tracking.Computed)
		r.Delivery.CourierID, r.Courier, r.Delivery.Status, r.Delivery.Rev = tracking.ID{}, tracking.Courier{}, tracking.Created, 3
		r.Events = append(r.Events, tracking.Event{Ver: 2, CourierID: q.Segment, Status: tracking.Assigned}, tracking.Event{Ver: 3, Status: tracking.Created})
		must(t, there.Announce(t.Context(), r))
		here.want(t, q, w, 0, tracking.Computed)
	})
	t.Run("a merchant's are when a courier goes off duty, but not when a position is placed", func(t *testing.T) {
		t.Parallel()
		q, w := about(strict), &well{}
		c := here.courier()
		q.Segment = c.MerchantID
		must(t, here.KeepCourier(t.Context(), c))
		here.want(t, q, w, 0, tracking.Computed)
		_, err := here.Place(t.Context(), placement(c, fix(1)))
		must(t, err)
		here.want(t, q, w, 0, tracking.FromHot)
		c.OnDuty, c.Rev = false, c.Rev+1
		must(t, here.KeepCourier(t.Context(), c))
		here.want(t, q, w, 0, tracking.Computed)
	})
	t.Run("an error is nobody's answer but theirs who asked, and holds nobody up", func(t *testing.T) {
		t.Parallel()
		q, w := about(strict), &well{err: errors.New("no")}
		if _, err := here.Answer(t.Context(), q, w.work()); !errors.Is(err, w.err) {
			t.Errorf("got %v", err)
		}
		w.err = nil
		began := time.Now()
		there.want(t, q, w, 0, tracking.Computed)
		if took := time.Since(began); took > time.Second {
			t.Errorf("the next waited for %v", took)
		}
	})
	t.Run("asked again it is computed, and not kept", func(t *testing.T) {
		t.Parallel()
		q, w := about(lax), &well{}
		here.want(t, q, w, 0, tracking.Computed)
		w.value.Store(1)
		again := q
		again.Again = true
		here.want(t, again, w, 1, tracking.AskedAgain)
		there.want(t, q, w, 0, tracking.FromHot)
	})
	t.Run("what is too large is answered and not kept", func(t *testing.T) {
		t.Parallel()
		q, w := about(strict), &well{}
		work := w.work()
		work.Encode = func(any) ([]byte, error) { return make([]byte, 3<<20), nil }
		for range 2 {
			if answer, err := here.Answer(t.Context(), q, work); err != nil || answer.Source != tracking.Computed {
				t.Errorf("%v, %v", answer, err)
			}
		}
	})
	t.Run("what another release wrote is computed, and left to it", func(t *testing.T) {
		t.Parallel()
		q, w := about(strict), &well{}
		here.want(t, q, w, 0, tracking.Computed)
		must(t, here.client.HSet(t.Context(), nameOf(q), "answer", "written otherwise").Err())
		here.want(t, q, w, 0, tracking.Uncached)
	})
}

func TestAside_versions(t *testing.T) {
	t.Parallel()
	t.Run("what was begun before a change is never taken for newer, nor given to who asks after it", func(t *testing.T) {
		t.Parallel()
		url := storetest.RedisURL(t)
		here, there := newDesk(t, url, unwatched), newDesk(t, url, unwatched)
		q, drawn, goOn := about(strict), make(chan struct{}), make(chan struct{})
		w := &well{drawn: func(turn int64) {
			if turn == 1 {
				close(drawn)
				<-goOn
			}
		}}
		var first sync.WaitGroup
		first.Go(func() { here.want(t, q, w, 0, tracking.Computed) })
		reached(t, drawn)
		w.value.Store(1)
		there.changed(t, q.Segment)
		here.want(t, q, w, 1, tracking.Computed)
		close(goOn)
		first.Wait()
		there.want(t, q, w, 1, tracking.FromHot)
	})
	t.Run("a version that Redis lost does not come again", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, storetest.RedisURL(t), unwatched)
		q, w := about(strict), &well{}
		seen := map[string]bool{}
		for round := range int64(5) {
			w.value.Store(round)
			d.want(t, q, w, round, tracking.Computed)
			for range 3 {
				version := d.client.Get(t.Context(), key.SegmentVersion(q.Segment)).Val()
				if version == "" || seen[version] {
					t.Errorf("version %q was there before", version)
				}
				seen[version] = true
				d.changed(t, q.Segment)
			}
			if round%2 == 0 {
				must(t, d.client.Del(t.Context(), key.SegmentVersion(q.Segment)).Err())
			} else {
				must(t, d.client.FlushDB(t.Context()).Err())
			}
		}
	})
	t.Run("nothing counts that is left of another run of the server, or of a history that was rewritten", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, storetest.RedisURL(t), unwatched)
		var runs redisstore.Runs
		for i := range runs {
			runs[i] = "another"
		}
		q, w := about(strict), &well{}
		d.want(t, q, w, 0, tracking.Computed)
		d.SetRuns(runs)
		d.want(t, q, w, 0, tracking.Computed)
		d.want(t, q, w, 0, tracking.FromHot)
		d.SetEpoch(2)
		d.want(t, q, w, 0, tracking.Computed)
	})
}

func TestAside_staleness(t *testing.T) {
	t.Parallel()
	url := storetest.RedisURL(t)
	graceful := &tracking.Computation{Name: "graceful", Life: time.Hour, Grace: time.Hour, AtOnce: 1}
	brief := &tracking.Computation{Name: "brief", Life: time.Hour, Rest: time.Millisecond, Grace: time.Millisecond, AtOnce: 1}
	here, there := newDesk(t, url, unwatched, graceful, brief), newDesk(t, url, unwatched, graceful, brief)
	t.Run("whatever changes, it is not computed again while it rests", func(t *testing.T) {
		t.Parallel()
		q, w := about(lax), &well{}
		here.want(t, q, w, 0, tracking.Computed)
		w.value.Store(1)
		for range 5 {
			here.changed(t, q.Segment)
			there.ask(t, q, w)
		}
		if n := w.asked.Load(); n != 1 {
			t.Errorf("it was computed %d times", n)
		}
	})
	t.Run("the old one is given while one computes the new", func(t *testing.T) {
		t.Parallel()
		q, drawn, goOn := about(graceful), make(chan struct{}), make(chan struct{})
		w := &well{drawn: func(turn int64) {
			if turn == 2 {
				close(drawn)
				<-goOn
			}
		}}
		here.want(t, q, w, 0, tracking.Computed)
		w.value.Store(1)
		there.changed(t, q.Segment)
		here.want(t, q, w, 0, tracking.FromStale)
		reached(t, drawn)
		for range 3 {
			here.want(t, q, w, 0, tracking.FromStale)
			there.want(t, q, w, 0, tracking.FromStale)
		}
		close(goOn)
		await(t, "the new one is there", func() bool {
			value, source := there.ask(t, q, w)
			return value == 1 && source == tracking.FromHot
		})
		if n := w.asked.Load(); n != 2 {
			t.Errorf("it was computed %d times, want twice", n)
		}
	})
	t.Run("but not beyond its grace", func(t *testing.T) {
		t.Parallel()
		q, w := about(brief), &well{}
		here.want(t, q, w, 0, tracking.Computed)
		changed := time.Now()
		w.value.Store(1)
		here.changed(t, q.Segment)
		for time.Since(changed) < 3*time.Millisecond {
			here.ask(t, about(brief), &well{}) // the clock goes on
		}
		if value, source := there.ask(t, q, w); value != 1 {
			t.Errorf("%d from %q after its grace", value, source)
		}
	})
}

func TestAside_metrics(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	h := newHot(t)
	redisstore.NewAside(h.Store, unwatched, registry, strict, lax)
	families, err := registry.Gather()
	must(t, err)
	var names []string
	for _, f := range families {
		names = append(names, f.GetName()+"/"+strconv.Itoa(len(f.GetMetric())))
	}
	want := "hotfoot_computed_answers_total/14 hotfoot_computed_fill_seconds/2 hotfoot_computed_fills_total/6 hotfoot_computed_waits_total/2"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("from the start there are %s\nwant %s", got, want)
	}
}
