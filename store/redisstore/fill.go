package redisstore

import (
	"context"
	"sync"
	"time"

	"hotfoot/tracking"
)

// How misses are filled. An empty Redis with five thousand watched deliveries costs Postgres some thirty queries.
const (
	fillQueries = 2               // under way at once: one runs while the next one gathers
	fillBatch   = 200             // deliveries of one query
	fillQueue   = 10_000          // deliveries that may wait for a query
	fillLimit   = 3 * time.Second // how long a query and keeping what it found may take, and how long a reader waits
)

// fills reads records that Redis does not have from the truth. What is asked for while queries run shares the next one, and nobody waits for
// company. A delivery that is being read already is not read again: whoever finds that Redis does not have it will hear of every change
// that is announced from then on.
type fills struct {
	records func(context.Context, []tracking.ID) ([]tracking.Record, error)
	keep    func(context.Context, *Runs, []tracking.Record)
	runs    func() *Runs

	mu      sync.Mutex
	pending map[tracking.ID]*fill // asked for and not answered
	queue   []*fill               // those of them that no query has taken
	queries int
	closed  bool
	workers sync.WaitGroup
}

// fill is one delivery on its way.
type fill struct {
	id   tracking.ID
	keep bool // Redis is there; guarded by fills.mu
	// record and err may be read once done is closed.
	done   chan struct{}
	record tracking.Record
	err    error
}

// get reads one record; keep says that Redis can take it. Errors: CodeNotFound, CodeUnavailable, CodeOverloaded.
func (f *fills) get(ctx context.Context, id tracking.ID, keep bool) (tracking.Record, error) {
	wanted, err := f.join(id, keep)
	if err != nil {
		return tracking.Record{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, fillLimit)
	defer cancel()
	select {
	case <-wanted.done:
		return wanted.record, wanted.err
	case <-ctx.Done():
		return tracking.Record{}, tracking.Unavailable("Postgres", ctx.Err())
	}
}

func (f *fills) join(id tracking.ID, keep bool) (*fill, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if wanted := f.pending[id]; wanted != nil {
		wanted.keep = wanted.keep || keep
		return wanted, nil
	}
	if f.closed {
		return nil, tracking.Unavailable("this node", context.Canceled)
	}
	if len(f.queue) >= fillQueue {
		return nil, &tracking.Error{Code: tracking.CodeOverloaded, Message: "too many deliveries are being looked up", RetryAfter: time.Second}
	}
	wanted := &fill{id: id, keep: keep, done: make(chan struct{})}
	f.pending[id] = wanted
	f.queue = append(f.queue, wanted)
	if f.queries < fillQueries {
		f.queries++
		f.workers.Go(f.work)
	}
	return wanted, nil
}

// work runs queries until nothing waits for one.
func (f *fills) work() {
	for {
		group := f.take()
		if len(group) == 0 {
			return
		}
		// Readers come and go; the query they share has its own bound.
		ctx, cancel := context.WithTimeout(context.Background(), fillLimit)
		runs := f.runs()
		f.read(ctx, group)
		f.answer(ctx, runs, group)
		cancel()
	}
}

func (f *fills) take() []*fill {
	f.mu.Lock()
	defer f.mu.Unlock()
	group := f.queue[:min(len(f.queue), fillBatch)]
	f.queue = f.queue[len(group):]
	if len(group) == 0 {
		f.queue = nil
		f.queries--
	}
	return group
}

// read finds out about a group; when one member cannot be read, halves are tried so that the others do not suffer.
func (f *fills) read(ctx context.Context, group []*fill) {
	ids := make([]tracking.ID, len(group))
	for i, wanted := range group {
		ids[i] = wanted.id
	}
	records, err := f.records(ctx, ids)
	if tracking.CodeOf(err) == tracking.CodeInternal && len(group) > 1 {
		f.read(ctx, group[:len(group)/2])
		f.read(ctx, group[len(group)/2:])
		return
	}
	found := make(map[tracking.ID]tracking.Record, len(records))
	for _, r := range records {
		found[r.Delivery.ID] = r
	}
	for _, wanted := range group {
		record, ok := found[wanted.id]
		switch {
		case err != nil:
			wanted.err = err
		case !ok:
			wanted.err = tracking.Errorf(tracking.CodeNotFound, "no such delivery")
		default:
			wanted.record = record
		}
	}
}

// answer keeps what was found before anybody goes on with it, so that the next reader finds it in Redis.
func (f *fills) answer(ctx context.Context, runs *Runs, group []*fill) {
	var kept []tracking.Record
	f.mu.Lock()
	for _, wanted := range group {
		if wanted.keep && wanted.err == nil {
			kept = append(kept, wanted.record)
		}
	}
	f.mu.Unlock()
	if len(kept) > 0 {
		f.keep(ctx, runs, kept)
	}
	f.mu.Lock()
	for _, wanted := range group {
		delete(f.pending, wanted.id)
	}
	f.mu.Unlock()
	for _, wanted := range group {
		close(wanted.done)
	}
}

// close takes nothing more and waits for what is under way.
func (f *fills) close() {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.workers.Wait()
}
