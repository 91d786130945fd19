package redisstore_test

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hotfoot/store/storetest"
	"hotfoot/tracking"
	"hotfoot/tracking/key"
)

// ledger is a segment's truth: what was committed, and what of it was acknowledged when.
type ledger struct {
	q    [2]tracking.Question // strict, and one that may be a little old
	well well

	mu    sync.Mutex
	acked []time.Time // acked[n] is when the n+1st change was
}

// due is what nobody may be behind who asked at a time.
func (l *ledger) due(asked time.Time) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	for n := len(l.acked); n > 0; n-- {
		if !l.acked[n-1].After(asked) {
			return int64(n)
		}
	}
	return 0
}

// Whatever is changed, computed and lost at the same time on several nodes, nobody is shown anything older than what was acknowledged before they asked,
// or before the bound of what they asked for.
func TestAside_consistency(t *testing.T) {
	t.Parallel()
	const (
		nodes, segments, writers, readers = 3, 4, 2, 6
		changes                           = 300 // by each writer
		// hears is how long a node may take to hear of a change that Redis has told of: milliseconds, and pauses of the machine.
		hears = 2 * time.Second
	)
	tolerant := &tracking.Computation{Name: "tolerant", Life: time.Hour, Rest: 20 * time.Millisecond, Grace: 30 * time.Millisecond, AtOnce: 4}
	bounds := [2]time.Duration{0, tolerant.Rest + tolerant.Grace + hears}
	url := storetest.RedisURL(t)
	var desks [nodes]*desk
	for i := range desks {
		desks[i] = newDesk(t, url, feed(t, url), tolerant)
	}
	var ledgers [segments]*ledger
	for i := range ledgers {
		id := tracking.NewID()
		l := &ledger{q: [2]tracking.Question{{Computation: strict, Segment: id}, {Computation: tolerant, Segment: id}}}
		// As long as a query, or longer than a lock is waited for.
		l.well.drawn = func(int64) {
			for range rand.IntN(8) {
				_ = desks[0].client.Ping(t.Context()).Err()
			}
		}
		ledgers[i] = l
	}
	var writing, reading sync.WaitGroup
	var done atomic.Bool
	for range writers {
		writing.Go(func() {
			for range changes {
				d, l := desks[rand.IntN(nodes)], ledgers[rand.IntN(segments)]
				// One writer of a segment at a time: so the nth to be committed is the nth to be acknowledged.
				l.mu.Lock()
				l.well.value.Add(1)
				d.changed(t, l.q[0].Segment)
				l.acked = append(l.acked, time.Now())
				l.mu.Unlock()
				d.ask(t, l.q[rand.IntN(2)], &l.well)
			}
		})
	}
	for range readers {
		reading.Go(func() {
			for !done.Load() {
				d, l, kind := desks[rand.IntN(nodes)], ledgers[rand.IntN(segments)], rand.IntN(2)
				due := l.due(time.Now().Add(-bounds[kind]))
				if got, source := d.ask(t, l.q[kind], &l.well); got < due {
					t.Errorf("%s: %d from %q, want at least %d", l.q[kind].Computation.Name, got, source, due)
					return
				}
			}
		})
	}
	// Evicts and empties by hand.
	reading.Go(func() {
		client := desks[0].client
		for !done.Load() {
			q := ledgers[rand.IntN(segments)].q[rand.IntN(2)]
			var err error
			switch rand.IntN(10) {
			case 0:
				err = client.FlushDB(t.Context()).Err()
			case 1, 2, 3:
				err = client.Del(t.Context(), key.SegmentVersion(q.Segment)).Err()
			case 4, 5:
				err = client.HDel(t.Context(), nameOf(q), "filler", "leased", "until").Err()
			default:
				err = client.Del(t.Context(), nameOf(q)).Err()
			}
			if err != nil {
				t.Error(err)
				return
			}
		}
	})
	writing.Wait()
	done.Store(true)
	reading.Wait()
	for _, l := range ledgers {
		for _, d := range desks {
			if got, _ := d.ask(t, l.q[0], &l.well); got != l.well.value.Load() {
				t.Errorf("in the end it is %d, want %d", got, l.well.value.Load())
			}
		}
	}
}
