package redisstore_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"hotfoot/store/storetest"
)

// A thousand who miss the same answer at once, on three nodes, cost the truth one computation, and wait for it little longer than it takes.
//
// It is not parallel to others of the package, which would be measured too.
func TestAside_stampede(t *testing.T) {
	const (
		crowd = 1000
		takes = 100 * time.Millisecond
		more  = 20 * time.Millisecond
		// Others use this machine too: in one of so many stampedes nothing may be late, in each there is one computation.
		attempts = 25
	)
	url := storetest.RedisURL(t)
	desks := []*desk{newDesk(t, url, unwatched), newDesk(t, url, unwatched), newDesk(t, url, unwatched)}
	best := time.Hour
	for range attempts {
		q := about(strict)
		var filled time.Duration
		w := &well{}
		w.drawn = func(int64) {
			began := time.Now()
			<-time.After(takes) // what a query would take
			filled = time.Since(began)
		}
		waited := make([]time.Duration, crowd)
		start := make(chan struct{})
		var asking sync.WaitGroup
		for i := range waited {
			asking.Go(func() {
				<-start
				asked := time.Now()
				if value, _ := desks[i%len(desks)].ask(t, q, w); value != 0 {
					t.Errorf("somebody got %d", value)
				}
				waited[i] = time.Since(asked)
			})
		}
		close(start)
		asking.Wait()
		if n := w.asked.Load(); n != 1 {
			t.Fatalf("it was computed %d times", n)
		}
		slices.Sort(waited)
		p99 := waited[crowd*99/100] - filled
		best = min(best, p99)
		if best <= more || raced {
			break
		}
	}
	t.Logf("99 in 100 of those who asked had the answer %v after what it took to compute", best.Round(10*time.Microsecond))
	if best > more && !raced {
		t.Errorf("that is more than %v, in each of %d stampedes", more, attempts)
	}
}
