package fleet

import (
	"container/heap"
	"context"
	"errors"
	"sync"
	"time"
)

// turnTimeout bounds how long one courier may occupy a sender when the server does not answer. What could not be sent
// stays in the phone.
const turnTimeout = 5 * time.Second

// senders is how many requests may be under way at once: some dozen keep up with a thousand couriers, and a server
// that stalls is not flooded.
func (f *Fleet) senders() int { return min(4+f.cfg.Couriers/16, 64) }

// Run moves everybody until ctx ends, which is no error.
func (f *Fleet) Run(ctx context.Context) error {
	if f.riders == nil {
		return errors.New("fleet: Run before Setup")
	}
	f.start = time.Now()
	queue := make(schedule, 0, len(f.riders))
	for _, r := range f.riders {
		r.due = f.start.Add(time.Duration(r.rng.Int64N(int64(r.every))))
		queue = append(queue, r)
	}
	heap.Init(&queue)

	work, done := make(chan *rider), make(chan *rider, len(f.riders))
	var senders sync.WaitGroup
	for range f.senders() {
		senders.Go(func() {
			for r := range work {
				f.turn(ctx, r)
				done <- r
			}
		})
	}
	queue.run(ctx, work, done)
	close(work)
	senders.Wait()
	return nil
}

// schedule holds the couriers that wait for their turn, the next one first.
type schedule []*rider

func (s schedule) Len() int           { return len(s) }
func (s schedule) Less(i, j int) bool { return s[i].due.Before(s[j].due) }
func (s schedule) Swap(i, j int)      { s[i], s[j] = s[j], s[i] }
func (s *schedule) Push(r any)        { *s = append(*s, r.(*rider)) }
func (s *schedule) Pop() any {
	last := len(*s) - 1
	r := (*s)[last]
	*s = (*s)[:last]
	return r
}

// run hands out couriers when they are due and takes them back, until ctx ends.
func (s *schedule) run(ctx context.Context, work chan<- *rider, done <-chan *rider) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		var next *rider
		var ready chan<- *rider // nil, and so never chosen, while nobody is due
		if s.Len() > 0 {
			next = (*s)[0]
			if wait := time.Until(next.due); wait > 0 {
				timer.Reset(wait)
			} else {
				ready = work
			}
		}
		select {
		case <-ctx.Done():
			return
		case ready <- next:
			heap.Pop(s)
		case r := <-done:
			heap.Push(s, r)
		case <-timer.C:
		}
	}
}

// turn lets one courier live until now and report, and fixes when it is due again.
func (f *Fleet) turn(ctx context.Context, r *rider) {
	now := time.Now()
	if now.Sub(r.due) > r.every {
		f.counts.late.Add(1)
	}
	// The next turn is counted from when this one was due, so that requests that take long do not thin out the fixes.
	r.due = r.due.Add(r.every)
	if r.due.Before(now) {
		r.due = now.Add(r.every)
	}
	ctx, cancel := context.WithTimeout(ctx, turnTimeout)
	defer cancel()
	if !r.breakEnd.IsZero() && !f.resume(ctx, r, now) {
		return
	}
	f.observe(r, now)
	if !r.phone.online(now) || !f.report(ctx, r) || !f.tell(ctx, r) {
		return
	}
	if r.sim.Idle() && r.sim.now >= r.rested {
		f.dispatch(ctx, r)
	}
}

// resume ends a courier's break when it is over: back on duty, at the place and in the state it was left.
func (f *Fleet) resume(ctx context.Context, r *rider, now time.Time) bool {
	if now.Before(r.breakEnd) {
		return false
	}
	if err := r.api.SetShift(ctx, true); err != nil {
		f.failed(ctx, r, "begin shift", err)
		return false
	}
	r.began -= now.Sub(r.paused).Seconds() * f.cfg.Speed
	r.breakEnd = time.Time{}
	return true
}
