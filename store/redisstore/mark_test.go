package redisstore_test

import (
	"context"
	"fmt"
	"reflect"
	"testing"
	"time"

	"hotfoot/store/private"
	"hotfoot/store/redisstore"
	"hotfoot/store/storetest"
	"hotfoot/tracking"
	"hotfoot/tracking/key"
)

func (h hot) durable(t *testing.T, c tracking.Courier) int64 {
	t.Helper()
	n, err := h.client.HGet(t.Context(), key.Session(c.ID, "s"), "durable").Int64()
	must(t, err)
	return n
}

func mark(c tracking.Courier, seq int64) []tracking.Mark {
	return []tracking.Mark{{CourierID: c.ID, Session: "s", DurableSeq: seq}}
}

func TestStore_MarkDurable(t *testing.T) {
	t.Parallel()
	t.Run("never goes down", func(t *testing.T) {
		t.Parallel()
		h := newHot(t)
		c := h.courier()
		for _, step := range []struct{ mark, want int64 }{{5, 5}, {3, 5}, {5, 5}, {9, 9}, {0, 9}, {1<<53 - 1, 1<<53 - 1}, {1<<53 - 2, 1<<53 - 1}} {
			must(t, h.MarkDurable(t.Context(), mark(c, step.mark)))
			if got := h.durable(t, c); got != step.want {
				t.Errorf("after %d it is %d, want %d", step.mark, got, step.want)
			}
		}
		must(t, h.MarkDurable(t.Context(), nil))
	})
	t.Run("owes what Redis does not take, answers by it, and makes it good", func(t *testing.T) {
		t.Parallel()
		server := startRedis(t, storetest.Dir(t))
		dir := server.dir
		h := newHotAt(t, server.URL(), redisstore.Config{})
		c, other := h.courier(), h.courier()
		_, err := h.Place(t.Context(), placement(c, fix(1), 1))
		must(t, err)
		server.Kill()
		for _, seq := range []int64{7, 9, 8} {
			wantCode(t, h.MarkDurable(t.Context(), append(mark(c, seq), mark(other, 3)...)), tracking.CodeUnavailable)
		}
		if waiting, dropped := h.Owed(); waiting != 2 || dropped != 0 {
			t.Errorf("%d are owed, %d dropped, want 2 and 0", waiting, dropped)
		}
		wantCode(t, h.Settle(t.Context()), tracking.CodeUnavailable)
		startRedis(t, dir)
		awaitPlace(t, h, placement(c, fix(2), 2))
		placed, err := h.Place(t.Context(), placement(c, fix(3), 3))
		must(t, err)
		if placed.Durable != 9 || h.durable(t, c) != 0 {
			t.Errorf("it answers %d while Redis knows of %d, want 9 and 0", placed.Durable, h.durable(t, c))
		}
		must(t, h.Settle(t.Context()))
		if waiting, _ := h.Owed(); waiting != 0 || h.durable(t, c) != 9 || h.durable(t, other) != 3 {
			t.Errorf("%d are owed; Redis knows of %d and %d, want 9 and 3", waiting, h.durable(t, c), h.durable(t, other))
		}
		placed, err = h.Place(t.Context(), placement(c, fix(4), 4))
		if err != nil || placed.Durable != 9 {
			t.Errorf("placed %+v, %v", placed, err)
		}
	})
	t.Run("drops and counts what would be too many", func(t *testing.T) {
		t.Parallel()
		h := newHotAt(t, away, redisstore.Config{})
		c := h.courier()
		marks := make([]tracking.Mark, 100_003)
		for i := range marks {
			marks[i] = tracking.Mark{CourierID: c.ID, Session: fmt.Sprint(i), DurableSeq: 1}
		}
		wantCode(t, h.MarkDurable(t.Context(), marks), tracking.CodeUnavailable)
		if waiting, dropped := h.Owed(); waiting != 100_000 || dropped != 3 {
			t.Errorf("%d are owed and %d dropped, want 100000 and 3", waiting, dropped)
		}
	})
}

func TestStore_Run_settles(t *testing.T) {
	t.Parallel()
	server := startRedis(t, storetest.Dir(t))
	h := newHotAt(t, server.URL(), redisstore.Config{})
	ctx, cancel := cancellable(t)
	done := make(chan error)
	go func() { done <- h.Run(ctx) }()
	server.Kill()
	// More than one round trip makes.
	for i := range 1200 {
		c := h.courier()
		c.Rev = int64(i)
		if err := h.MarkDurable(t.Context(), mark(c, 1)); err == nil {
			t.Fatal("a server that is gone took a mark")
		}
	}
	if waiting, _ := h.Owed(); waiting != 1200 {
		t.Errorf("%d are owed, want 1200", waiting)
	}
	startRedis(t, server.dir)
	await(t, "nothing is owed", func() bool { waiting, _ := h.Owed(); return waiting == 0 })
	if n := len(keys(t, h.client)); n != 1200 {
		t.Errorf("%d sessions are marked, want 1200", n)
	}
	cancel()
	must(t, <-done)
}

// redisServer is a private server that a test may kill, and start again in the same folder.
type redisServer struct {
	*private.Server
	dir string
}

func startRedis(t *testing.T, dir string) redisServer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	server, err := private.StartRedis(ctx, private.Config{Dir: dir})
	must(t, err)
	t.Cleanup(server.Kill)
	return redisServer{server, dir}
}

// awaitPlace places until Redis is back: the client dials again after a moment only.
func awaitPlace(t *testing.T, h hot, p tracking.Placement) {
	t.Helper()
	await(t, "Redis takes a batch", func() bool { _, err := h.Place(t.Context(), p); return err == nil })
}

func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v", what, patience)
		}
	}
}

// A batch that is in Postgres already is shown, and its mark made, in one go.
func TestStore_Place_committed(t *testing.T) {
	t.Parallel()
	committed := func(c tracking.Courier, durable int64, seqs ...int64) tracking.Placement {
		p := placement(c, fix(float64(seqs[0])), seqs...)
		p.Keep, p.Committed = false, &tracking.Mark{CourierID: c.ID, Session: "s", DurableSeq: durable}
		return p
	}
	t.Run("answers what was there before, and notes what is there now", func(t *testing.T) {
		t.Parallel()
		h := newHot(t)
		c := h.courier()
		_, err := h.Place(t.Context(), placement(c, nil, 1))
		must(t, err)
		placed, err := h.Place(t.Context(), committed(c, 2, 2))
		must(t, err)
		if placed.Durable != 0 || !reflect.DeepEqual(placed.Known, []tracking.Span{{First: 1, Last: 1}}) || placed.Moved == 0 || h.durable(t, c) != 2 {
			t.Errorf("placed %+v, the mark is %d", placed, h.durable(t, c))
		}
		placed, err = h.Place(t.Context(), committed(c, 1, 3))
		must(t, err)
		if placed.Durable != 2 || !reflect.DeepEqual(placed.Known, []tracking.Span{{First: 1, Last: 2}}) || h.durable(t, c) != 2 {
			t.Errorf("a lower mark: placed %+v, the mark is %d", placed, h.durable(t, c))
		}
		if n := h.waiting(t, c.ID); n != 1 {
			t.Errorf("%d batches wait, want the one that was not committed", n)
		}
	})
	t.Run("a batch is no duplicate of itself when its session must be looked up", func(t *testing.T) {
		t.Parallel()
		h := newHot(t)
		h.truth.durable = 7
		c := h.courier()
		placed, err := h.Place(t.Context(), committed(c, 7, 7))
		must(t, err)
		if placed.Durable != 0 || placed.Known != nil || h.durable(t, c) != 7 {
			t.Errorf("placed %+v, the mark is %d", placed, h.durable(t, c))
		}
	})
	t.Run("a mark of an epoch before the session's is none", func(t *testing.T) {
		t.Parallel()
		h := newHot(t)
		c := h.courier()
		other := redisstore.New(h.client, h.truth, redisstore.Config{})
		other.SetEpoch(2)
		_, err := other.Place(t.Context(), placement(c, nil, 1))
		must(t, err)
		h.SetEpoch(1)
		_, err = h.Place(t.Context(), committed(c, 5, 5))
		must(t, err)
		if got := h.durable(t, c); got != 0 {
			t.Errorf("the mark is %d, want 0", got)
		}
	})
}
