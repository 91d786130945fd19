package redisstore_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hotfoot/store/storetest"
	"hotfoot/tracking"
)

func TestAside_fillers(t *testing.T) {
	t.Parallel()
	// half computes until it is told to go on.
	half := func() (w *well, drawn, goOn chan struct{}) {
		drawn, goOn = make(chan struct{}), make(chan struct{})
		return &well{drawn: func(turn int64) {
			if turn == 1 {
				close(drawn)
				<-goOn
			}
		}}, drawn, goOn
	}
	t.Run("one that has died holds nobody up for longer than its lease", func(t *testing.T) {
		t.Parallel()
		url := storetest.RedisURL(t)
		dead, alive := newDesk(t, url, unwatched), newDesk(t, url, unwatched)
		q := about(strict)
		w, drawn, goOn := half()
		var first sync.WaitGroup
		first.Go(func() { _, _ = dead.Answer(t.Context(), q, w.work()) })
		reached(t, drawn)
		must(t, dead.client.Close()) // as far as anybody else can see
		began := time.Now()
		w.value.Store(1)
		alive.want(t, q, w, 1, tracking.Computed)
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("it took %v", took)
		}
		close(goOn)
		first.Wait()
		alive.want(t, q, w, 1, tracking.FromHot)
	})
	t.Run("one that lives is waited for, however long it takes", func(t *testing.T) {
		t.Parallel()
		url := storetest.RedisURL(t)
		slow, other := newDesk(t, url, unwatched), newDesk(t, url, unwatched)
		q := about(strict)
		w, drawn, goOn := half()
		var both sync.WaitGroup
		both.Go(func() { slow.want(t, q, w, 0, tracking.Computed) })
		reached(t, drawn)
		lease := func() string { return slow.client.HGet(t.Context(), nameOf(q), "until").Val() }
		first := lease()
		both.Go(func() { other.want(t, q, w, 0, tracking.Collapsed) })
		await(t, "its lease is extended, twice", func() bool { return lease() != first })
		second := lease()
		await(t, "its lease is extended, twice", func() bool { return lease() != second })
		close(goOn)
		both.Wait()
		if n := w.asked.Load(); n != 1 {
			t.Errorf("it was computed %d times", n)
		}
	})
	t.Run("one whose turn is over stores nothing", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, storetest.RedisURL(t), unwatched)
		q := about(strict)
		w, drawn, goOn := half()
		var first sync.WaitGroup
		first.Go(func() { d.want(t, q, w, 0, tracking.Computed) })
		reached(t, drawn)
		must(t, d.client.HSet(t.Context(), nameOf(q), "filler", "another", "leased", "1").Err())
		close(goOn)
		first.Wait()
		if d.client.HExists(t.Context(), nameOf(q), "answer").Val() {
			t.Error("it is kept")
		}
	})
	t.Run("a full server keeps nothing and holds nobody up", func(t *testing.T) {
		t.Parallel()
		url := storetest.RedisURL(t)
		here, there := newDesk(t, url, unwatched), newDesk(t, url, unwatched)
		q, w := about(strict), &well{}
		drain := here.fill(t)
		here.want(t, q, w, 0, tracking.Computed)
		there.want(t, q, w, 0, tracking.Computed)
		drain()
		here.want(t, q, w, 0, tracking.Computed)
		there.want(t, q, w, 0, tracking.FromHot)
	})
	t.Run("after the end nothing is begun", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, storetest.RedisURL(t), unwatched)
		d.stop()
		if _, err := d.Answer(t.Context(), about(strict), (&well{}).work()); tracking.CodeOf(err) != tracking.CodeUnavailable {
			t.Errorf("got %v", err)
		}
	})
}

func TestAside_without_Redis(t *testing.T) {
	t.Parallel()
	// crowd has many ask at once, and answers how many computed at the same time.
	crowd := func(t *testing.T, d *desk, w *well, questions ...tracking.Question) (most int64) {
		t.Helper()
		var now, peak atomic.Int64
		w.drawn = func(int64) {
			n := now.Add(1)
			for p := peak.Load(); n > p && !peak.CompareAndSwap(p, n); p = peak.Load() {
			}
			_ = d.client.Ping(t.Context()).Err() // takes a moment
			now.Add(-1)
		}
		var asking sync.WaitGroup
		for i := range 300 {
			asking.Go(func() { d.ask(t, questions[i%len(questions)], w) })
		}
		asking.Wait()
		return peak.Load()
	}
	t.Run("one thing is computed once for all who wait, and no more at once than may be", func(t *testing.T) {
		t.Parallel()
		d, w := newDesk(t, away, unwatched), &well{}
		var questions []tracking.Question
		for range 30 {
			questions = append(questions, about(strict))
		}
		if most := crowd(t, d, w, questions...); most > int64(strict.AtOnce) {
			t.Errorf("%d at once, want at most %d", most, strict.AtOnce)
		}
		if n := w.asked.Load(); n > 200 {
			t.Errorf("300 who asked 30 things had them computed %d times", n)
		}
	})
	t.Run("what rests is not computed again", func(t *testing.T) {
		t.Parallel()
		d, w := newDesk(t, away, unwatched), &well{}
		q := about(lax)
		d.want(t, q, w, 0, tracking.Uncached)
		d.want(t, q, w, 0, tracking.FromMemory)
	})
	t.Run("who has changed something does not get what was begun before", func(t *testing.T) {
		t.Parallel()
		d, drawn, goOn := newDesk(t, away, unwatched), make(chan struct{}), make(chan struct{})
		w := &well{drawn: func(turn int64) {
			if turn == 1 {
				close(drawn)
				<-goOn
			}
		}}
		q := about(strict)
		var first sync.WaitGroup
		first.Go(func() { d.ask(t, q, w) })
		reached(t, drawn)
		w.value.Store(1)
		d.want(t, q, w, 1, tracking.Uncached)
		close(goOn)
		first.Wait()
	})
}
