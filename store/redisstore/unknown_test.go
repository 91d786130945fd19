package redisstore_test

import (
	"encoding/binary"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hotfoot/tracking"
)

// madeAgo is an id as it was made so long ago.
func madeAgo(age time.Duration) tracking.ID {
	id := tracking.NewID()
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(time.Now().Add(-age).UnixMilli()))
	copy(id[:6], ms[2:])
	return id
}

func TestStore_Record_of_what_does_not_exist(t *testing.T) {
	t.Parallel()
	costs := func(t *testing.T, h hot, id tracking.ID) (commands int, queries int64) {
		t.Helper()
		before, stop := h.truth.asked.Load(), h.monitor(t)
		_, err := h.Record(t.Context(), id)
		wantCode(t, err, tracking.CodeNotFound)
		return len(stop()), h.truth.asked.Load() - before
	}
	t.Run("asks no store for an id that nobody made, or will make", func(t *testing.T) {
		t.Parallel()
		h := newHot(t)
		must(t, h.client.Ping(t.Context()).Err()) // a connection's own commands
		foreign := tracking.NewID()
		foreign[6] = foreign[6]&0x0f | 0x40
		for _, id := range []tracking.ID{{}, foreign, madeAgo(-tracking.Unsure - time.Minute)} {
			if commands, queries := costs(t, h, id); commands != 0 || queries != 0 {
				t.Errorf("%s costs %d commands and %d queries", id, commands, queries)
			}
			_, err := h.Fresh(t.Context(), id)
			wantCode(t, err, tracking.CodeNotFound)
		}
		if n := h.truth.asked.Load(); n != 0 {
			t.Errorf("the truth was asked %d times", n)
		}
		registry := prometheus.NewPedanticRegistry()
		must(t, registry.Register(h))
		families, err := registry.Gather()
		must(t, err)
		counted := map[string]float64{}
		for _, family := range families {
			for _, m := range family.GetMetric() {
				counted[m.GetLabel()[0].GetValue()] = m.GetCounter().GetValue()
			}
		}
		want := map[string]float64{"foreign": 4, "future": 2, "absent": 0, "held": 0, "redis": 0, "postgres": 0, "other_process": 0}
		if !maps.Equal(counted, want) {
			t.Errorf("counted %v, want %v", counted, want)
		}
	})
	t.Run("remembers what is not there, and long ago would have been", func(t *testing.T) {
		t.Parallel()
		h := newHot(t)
		h.SetEpoch(1)
		old := madeAgo(time.Hour)
		if _, queries := costs(t, h, old); queries != 1 {
			t.Errorf("the first read costs %d queries", queries)
		}
		if commands, queries := costs(t, h, old); commands != 0 || queries != 0 {
			t.Errorf("the second costs %d commands and %d queries", commands, queries)
		}
	})
	t.Run("remembers nothing of a moment ago, nor before it knows the epoch", func(t *testing.T) {
		t.Parallel()
		h := newHot(t)
		old := madeAgo(time.Hour)
		costs(t, h, old)
		if _, queries := costs(t, h, old); queries != 1 {
			t.Errorf("with the epoch unknown it costs %d queries", queries)
		}
		h.SetEpoch(1)
		for _, id := range []tracking.ID{tracking.NewID(), madeAgo(tracking.Unsure - time.Minute), madeAgo(time.Minute - tracking.Unsure)} {
			costs(t, h, id)
			r := record(1)
			r.Delivery.ID = id
			h.truth.know(r)
			_, err := h.Record(t.Context(), id)
			must(t, err)
		}
	})
	t.Run("forgets when history is rewritten, or a server comes back", func(t *testing.T) {
		t.Parallel()
		h := newHot(t)
		h.SetEpoch(1)
		h.in("first")
		for i, restored := range []func(){func() { h.SetEpoch(2) }, func() { h.in("second") }} {
			r := record(1)
			r.Epoch, r.Delivery.ID = 2, madeAgo(time.Hour)
			costs(t, h, r.Delivery.ID)
			h.truth.know(r)
			_, err := h.Record(t.Context(), r.Delivery.ID)
			wantCode(t, err, tracking.CodeNotFound)
			restored()
			if _, err := h.Record(t.Context(), r.Delivery.ID); err != nil {
				t.Errorf("%d: %v", i, err)
			}
		}
	})
}

// Somebody may ask for a delivery before there is one: an answer in this moment must not stand when there is.
func TestStore_Record_of_what_was_created_a_moment_ago(t *testing.T) {
	t.Parallel()
	stores := processes(t, 2)
	for _, h := range stores {
		h.SetEpoch(1)
	}
	for round := range 50 {
		r := record(1)
		created := make(chan struct{})
		var pollers sync.WaitGroup
		for _, h := range stores {
			pollers.Go(func() {
				for {
					var done bool
					select {
					case <-created:
						done = true
					default:
					}
					_, err := h.Record(t.Context(), r.Delivery.ID)
					if done {
						if err != nil {
							t.Errorf("round %d: it was created, and yet: %v", round, err)
						}
						return
					}
					if err != nil {
						wantCode(t, err, tracking.CodeNotFound)
					}
				}
			})
		}
		stores[0].truth.know(r)
		if round%2 == 0 { // else nobody could tell Redis
			must(t, stores[round/2%2].Announce(t.Context(), r))
		}
		close(created)
		pollers.Wait()
	}
}
