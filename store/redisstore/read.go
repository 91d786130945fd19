package redisstore

import (
	"context"
	"sync"
	"time"

	"hotfoot/tracking"
)

// How hot records are read. Ten thousand viewers who come back in the same second cost Redis some forty round trips.
const (
	readTrips = 2           // under way at once: one travels while the next one gathers
	readBatch = 250         // deliveries of one round trip
	readQueue = 20_000      // deliveries that may wait for one
	readLimit = time.Second // how long one may take: as long as any command
)

// reads gathers reads of hot records into shared round trips. What is asked for while two are under way shares the next, and nobody waits for company.
type reads struct {
	ask func(ctx context.Context, deliveries []tracking.ID) ([][]any, error)

	mu      sync.Mutex
	queue   []*read
	trips   int
	closed  bool
	workers sync.WaitGroup
}

// read is one delivery's; kept and err may be read once done is closed.
type read struct {
	id   tracking.ID
	done chan struct{}
	kept []any
	err  error
}

// get answers the fields that are kept of a delivery. Errors: CodeOverloaded, and whatever ask answers.
func (r *reads) get(ctx context.Context, id tracking.ID) ([]any, error) {
	wanted, err := r.join(id)
	if err != nil {
		return nil, err
	}
	select {
	case <-wanted.done:
		return wanted.kept, wanted.err
	case <-ctx.Done():
		return nil, unavailable(ctx.Err())
	}
}

func (r *reads) join(id tracking.ID) (*read, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, unavailable(context.Canceled)
	}
	if len(r.queue) >= readQueue {
		return nil, &tracking.Error{Code: tracking.CodeOverloaded, Message: "too many deliveries are being looked up", RetryAfter: time.Second}
	}
	wanted := &read{id: id, done: make(chan struct{})}
	r.queue = append(r.queue, wanted)
	if r.trips < readTrips {
		r.trips++
		r.workers.Go(r.work)
	}
	return wanted, nil
}

// work makes round trips until nothing waits for one.
func (r *reads) work() {
	for group := r.take(); len(group) > 0; group = r.take() {
		ids := make([]tracking.ID, len(group))
		for i, wanted := range group {
			ids[i] = wanted.id
		}
		// Readers come and go; the round trip they share has its own bound.
		ctx, cancel := context.WithTimeout(context.Background(), readLimit)
		kept, err := r.ask(ctx, ids)
		cancel()
		for i, wanted := range group {
			if wanted.err = err; err == nil {
				wanted.kept = kept[i]
			}
			close(wanted.done)
		}
	}
}

func (r *reads) take() []*read {
	r.mu.Lock()
	defer r.mu.Unlock()
	group := r.queue[:min(len(r.queue), readBatch)]
	r.queue = r.queue[len(group):]
	if len(group) == 0 {
		r.queue = nil
		r.trips--
	}
	return group
}

// close takes nothing more and waits for what is under way.
func (r *reads) close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.workers.Wait()
}
