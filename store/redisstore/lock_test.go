package redisstore_test

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hotfoot/store/redisstore"
	"hotfoot/store/storetest"
	"hotfoot/tracking"
	"hotfoot/tracking/key"
)

// long is a life that no test outlives.
const long = time.Hour

func TestStore_Acquire(t *testing.T) {
	t.Parallel()
	t.Run("gives a resource to one at a time, each under a higher fence", func(t *testing.T) {
		t.Parallel()
		h, work := newHot(t), tracking.Resource{Work: "work", Of: tracking.NewID()}
		fence := int64(0)
		for range 50 {
			lease, err := h.Acquire(t.Context(), work, long, 0)
			must(t, err)
			if lease.Fence <= fence {
				t.Fatalf("fence %d after %d", lease.Fence, fence)
			}
			fence = lease.Fence
			_, err = h.Acquire(t.Context(), work, long, 0)
			wantCode(t, err, tracking.CodeConflict)
			other, err := h.Acquire(t.Context(), tracking.Resource{Work: "work", Of: tracking.NewID()}, long, 0)
			must(t, err)
			if other.Token == lease.Token {
				t.Fatal("two leases have one token")
			}
			must(t, h.Release(t.Context(), lease))
		}
	})
	t.Run("goes above what the writer has seen, also on a server that has forgotten all or whose clock was ahead", func(t *testing.T) {
		t.Parallel()
		h, work := newHot(t), tracking.Resource{Work: "work"}
		first, err := h.Acquire(t.Context(), work, long, 0)
		must(t, err)
		must(t, h.client.Del(t.Context(), key.Lock(work), key.Fence(work)).Err())
		second, err := h.Acquire(t.Context(), work, long, 0)
		must(t, err)
		if second.Fence <= first.Fence {
			t.Errorf("fence %d after %d, on a server that has forgotten it", second.Fence, first.Fence)
		}
		must(t, h.Release(t.Context(), second))
		ahead := second.Fence + long.Microseconds()
		third, err := h.Acquire(t.Context(), work, long, ahead)
		must(t, err)
		if third.Fence != ahead+1 {
			t.Errorf("fence %d, want %d", third.Fence, ahead+1)
		}
		must(t, h.Release(t.Context(), third))
		if fourth, err := h.Acquire(t.Context(), work, long, 0); err != nil || fourth.Fence != ahead+2 {
			t.Errorf("fence %d, %v, want %d", fourth.Fence, err, ahead+2)
		}
	})
	t.Run("leaves nothing behind that lives for ever", func(t *testing.T) {
		t.Parallel()
		h, work := newHot(t), tracking.Resource{Work: "work"}
		_, err := h.Acquire(t.Context(), work, time.Minute, 0)
		must(t, err)
		if life := h.client.PTTL(t.Context(), key.Lock(work)).Val(); life <= 0 || life > time.Minute {
			t.Errorf("the lock lives %v", life)
		}
		if life := h.client.TTL(t.Context(), key.Fence(work)).Val(); life < 19*time.Hour || life > 25*time.Hour {
			t.Errorf("the fence lives %v", life)
		}
	})
	t.Run("says at once that Redis is away", func(t *testing.T) {
		t.Parallel()
		server := startRedis(t, storetest.Dir(t))
		h, breaker := guarded(t, server.URL())
		lease, err := h.Acquire(t.Context(), tracking.Resource{Work: "work"}, long, 0)
		must(t, err)
		server.Pause()
		defer server.Resume()
		await(t, "the breaker opens", func() bool { return breaker.Allow() != nil })
		began := time.Now()
		_, err = h.Acquire(t.Context(), tracking.Resource{Work: "other"}, long, 0)
		wantCode(t, err, tracking.CodeUnavailable)
		wantCode(t, h.Extend(t.Context(), lease, long), tracking.CodeUnavailable)
		wantCode(t, h.Release(t.Context(), lease), tracking.CodeUnavailable)
		// A command that is sent waits a second for its answer.
		if took := time.Since(began); took > 900*time.Millisecond {
			t.Errorf("it took %v", took)
		}
	})
}

func TestStore_Extend(t *testing.T) {
	t.Parallel()
	h, work := newHot(t), tracking.Resource{Work: "work"}
	lease, err := h.Acquire(t.Context(), work, time.Minute, 0)
	must(t, err)
	must(t, h.Extend(t.Context(), lease, long))
	if life := h.client.PTTL(t.Context(), key.Lock(work)).Val(); life < long-time.Minute {
		t.Errorf("it lives %v, want %v", life, long)
	}
	forged := lease
	forged.Token = "another"
	wantCode(t, h.Extend(t.Context(), forged, long), tracking.CodeConflict)
	expire(t, h, work)
	wantCode(t, h.Extend(t.Context(), lease, long), tracking.CodeConflict)
	_, err = h.Acquire(t.Context(), work, long, 0)
	must(t, err)
	wantCode(t, h.Extend(t.Context(), lease, long), tracking.CodeConflict)
}

func TestStore_Release(t *testing.T) {
	t.Parallel()
	h, work := newHot(t), tracking.Resource{Work: "work"}
	slow, err := h.Acquire(t.Context(), work, long, 0)
	must(t, err)
	expire(t, h, work)
	next, err := h.Acquire(t.Context(), work, long, 0)
	must(t, err)
	must(t, h.Release(t.Context(), slow))
	if holder := h.client.Get(t.Context(), key.Lock(work)).Val(); holder != next.Token {
		t.Errorf("who was late has given another's lock back: %q holds it", holder)
	}
	must(t, h.Release(t.Context(), next))
	if n := h.client.Exists(t.Context(), key.Lock(work)).Val(); n != 0 {
		t.Error("it is still held")
	}
}

// expire ends a lock's life, and waits until the server says so.
func expire(t *testing.T, h hot, work tracking.Resource) {
	t.Helper()
	must(t, h.client.PExpire(t.Context(), key.Lock(work), time.Millisecond).Err())
	await(t, "the lock expires", func() bool { return h.client.Exists(t.Context(), key.Lock(work)).Val() == 0 })
}

// Contenders on clients of their own who hold a lock at random past its end, give it back late, or not at all.
func TestStore_locks_one_holder(t *testing.T) {
	t.Parallel()
	const contenders, rounds = 2, 1000
	url, work := storetest.RedisURL(t), tracking.Resource{Work: "work", Of: tracking.NewID()}
	var inside, taken atomic.Int64
	var mu sync.Mutex
	fences := map[int64]bool{}
	var contending sync.WaitGroup
	for range contenders {
		h := newHotAt(t, url, redisstore.Config{})
		contending.Go(func() {
			for taken.Load() < rounds {
				lease, err := h.Acquire(t.Context(), work, long, 0)
				if tracking.CodeOf(err) == tracking.CodeConflict {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				taken.Add(1)
				if n := inside.Add(1); n != 1 {
					t.Errorf("%d hold it", n)
				}
				mu.Lock()
				if fences[lease.Fence] {
					t.Errorf("fence %d was given twice", lease.Fence)
				}
				fences[lease.Fence] = true
				mu.Unlock()
				inside.Add(-1)
				if rand.N(2) == 0 {
					// It ends by itself, and what comes too late ends nobody else's.
					if err := h.client.PExpire(t.Context(), key.Lock(work), time.Millisecond).Err(); err != nil {
						t.Error(err)
					}
				}
				if err := h.Release(t.Context(), lease); err != nil {
					t.Error(err)
				}
			}
		})
	}
	contending.Wait()
}
