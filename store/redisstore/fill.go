package redisstore

import (
	"context"
	"sync"
	"time"

	"hotfoot/tracking"
	"hotfoot/tracking/key"
)

// How misses are filled. An empty Redis with five thousand watched deliveries costs Postgres some thirty queries.
const (
	fillQueries = 2               // under way at once: one runs while the next one gathers
	fillBatch   = 200             // deliveries of one query
	fillQueue   = 10_000          // deliveries that may be asked for and not answered
	fillLimit   = 3 * time.Second // how long a query and keeping what it found may take, and how long a reader waits
	fillTries   = 4               // queries for one delivery that is changed during each, or whose Redis is another after each
)

// fills reads records that Redis does not have from the truth. What is asked for while queries run shares the next one, and nobody waits for
// company. What another process reads already is left to it (await.go), and what is being read here is not read again: whoever finds that Redis does not
// have it will hear of every change that is announced from then on. Only who reads directly has to have a query that began after they asked.
type fills struct {
	records func(context.Context, []tracking.ID) ([]tracking.Record, error)
	claim   func(context.Context, []tracking.ID) ([]claimed, error)
	keep    func(ctx context.Context, runs *Runs, records []*tracking.Record, told []string) (overtaken []bool)
	release func(ctx context.Context, deliveries []tracking.ID, absent []bool)
	absent  func(delivery tracking.ID, epoch int64, asked time.Time)
	runs    func() *Runs
	epoch   func() int64
	count   *counts
	limit   time.Duration

	mu       sync.Mutex
	pending  map[tracking.ID]*fill // asked for and not answered
	queue    []*fill               // those that no query has taken
	awaited  []*fill               // those that another process reads
	awaiting bool                  // somebody looks for those
	queries  int
	closed   bool
	workers  sync.WaitGroup
}

// fill is one delivery on its way. Until it is taken it is guarded by fills.mu, and then it belongs to who has taken it, but for keep.
type fill struct {
	id     tracking.ID
	keep   bool // Redis is there
	direct bool // not to be left to another process
	taken  bool
	ours   bool   // the placeholder in Redis is this process's
	told   string // what had been announced when it was claimed
	tries  int
	// record and err may be read once done is closed.
	done   chan struct{}
	record *tracking.Record
	err    error
}

// get reads one record that Redis does not have. Errors: CodeNotFound, CodeUnavailable, CodeOverloaded.
func (f *fills) get(ctx context.Context, id tracking.ID) (*tracking.Record, error) {
	return f.wait(ctx, &fill{id: id, keep: true})
}

// read reads one record as it is in the truth now; keep says that Redis is there to take it. Errors: CodeNotFound, CodeUnavailable, CodeOverloaded.
func (f *fills) read(ctx context.Context, id tracking.ID, keep bool) (*tracking.Record, error) {
	return f.wait(ctx, &fill{id: id, keep: keep, direct: true})
}

func (f *fills) wait(ctx context.Context, wanted *fill) (*tracking.Record, error) {
	wanted, err := f.join(wanted)
	if err != nil {
		return nil, err
	}
	// A context of their own would cost each of a crowd twice as much as a timer.
	limit := time.NewTimer(f.limit)
	defer limit.Stop()
	select {
	case <-wanted.done:
		return wanted.record, wanted.err
	case <-ctx.Done():
		return nil, tracking.Unavailable("Postgres", ctx.Err())
	case <-limit.C:
		return nil, tracking.Unavailable("Postgres", context.DeadlineExceeded)
	}
}

// join answers the fill that does for a wanted one, mostly itself.
func (f *fills) join(wanted *fill) (*fill, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if other := f.pending[wanted.id]; other != nil && !(wanted.direct && other.taken) {
		other.keep = other.keep || wanted.keep
		if wanted.direct {
			other.direct = true
		}
		return other, nil
	}
	if f.closed {
		return nil, tracking.Unavailable("this node", context.Canceled)
	}
	if len(f.pending) >= fillQueue {
		return nil, &tracking.Error{Code: tracking.CodeOverloaded, Message: "too many deliveries are being looked up", RetryAfter: time.Second}
	}
	wanted.done = make(chan struct{})
	f.pending[wanted.id] = wanted
	f.enqueue(wanted)
	return wanted, nil
}

// enqueue has fills read by the next query. Called with mu held.
func (f *fills) enqueue(wanted ...*fill) {
	f.queue = append(f.queue, wanted...)
	if f.queries < fillQueries && len(f.queue) > 0 {
		f.queries++
		f.workers.Go(f.work)
	}
}

// work runs queries until nothing waits for one.
func (f *fills) work() {
	for group := f.take(); len(group) > 0; group = f.take() {
		// Readers come and go; the query they share has its own bound.
		ctx, cancel := context.WithTimeout(context.Background(), f.limit)
		group, theirs := f.divide(ctx, group)
		f.await(theirs)
		if len(group) > 0 {
			// Before the truth is asked: what it answers is at least of this epoch, and true of this run.
			runs, epoch, asked := f.runs(), f.epoch(), time.Now()
			f.query(ctx, group)
			for _, wanted := range group {
				if wanted.absent() {
					f.absent(wanted.id, epoch, asked)
				}
			}
			f.answer(ctx, runs, group)
		}
		cancel()
	}
}

func (f *fills) take() []*fill {
	f.mu.Lock()
	defer f.mu.Unlock()
	group := f.queue[:min(len(f.queue), fillBatch)]
	f.queue = f.queue[len(group):]
	for _, wanted := range group {
		wanted.taken = true
	}
	if len(group) == 0 {
		f.queue = nil
		f.queries--
	}
	return group
}

// query finds out about a group; when one member cannot be read, halves are tried so that the others do not suffer.
func (f *fills) query(ctx context.Context, group []*fill) {
	ids := idsOf(group)
	records, err := f.records(ctx, ids)
	if tracking.CodeOf(err) == tracking.CodeInternal && len(group) > 1 {
		f.query(ctx, group[:len(group)/2])
		f.query(ctx, group[len(group)/2:])
		return
	}
	found := make(map[tracking.ID]*tracking.Record, len(records))
	for i := range records {
		// A copy of its own: one that is held must not hold all that were read with it.
		r := records[i]
		found[r.Delivery.ID] = &r
	}
	for _, wanted := range group {
		record, ok := found[wanted.id]
		switch {
		case err != nil:
			wanted.err = err
		case !ok:
			wanted.err = errNoDelivery
		default:
			wanted.record = record
			f.count.filled.Inc()
		}
	}
}

func idsOf(group []*fill) []tracking.ID {
	ids := make([]tracking.ID, len(group))
	for i, wanted := range group {
		ids[i] = wanted.id
	}
	return ids
}

// answer keeps what was found in these runs before anybody goes on with it, so that the next reader finds it in Redis. What was overtaken by an announcement
// is looked for again: whoever joined it after that must not be given what was before.
func (f *fills) answer(ctx context.Context, runs *Runs, group []*fill) {
	var kept, without []*fill
	f.mu.Lock()
	for _, wanted := range group {
		switch {
		case wanted.keep && wanted.err == nil:
			kept = append(kept, wanted)
		case wanted.keep && (wanted.ours || wanted.absent()):
			without = append(without, wanted)
		}
	}
	f.mu.Unlock()
	if len(without) > 0 {
		absent := make([]bool, len(without))
		for i, wanted := range without {
			absent[i] = wanted.absent()
		}
		f.release(ctx, idsOf(without), absent)
	}
	overtaken := map[*fill]bool{}
	if len(kept) > 0 {
		records, told := make([]*tracking.Record, len(kept)), make([]string, len(kept))
		for i, wanted := range kept {
			records[i], told[i] = wanted.record, wanted.told
		}
		for i, late := range f.keep(ctx, runs, records, told) {
			overtaken[kept[i]] = late
		}
	}
	f.done(runs, group, overtaken)
}

// absent reports whether the truth has no such delivery.
func (w *fill) absent() bool { return tracking.CodeOf(w.err) == tracking.CodeNotFound }

// done lets those go on who wait for fills that began in these runs. What was overtaken, and what was found in a run that has ended since, is looked for
// again: with that run may have gone all that Redis knew of a change. Whether it has is decided in the moment from which nobody can join.
func (f *fills) done(runs *Runs, group []*fill, overtaken map[*fill]bool) {
	var ended []*fill
	f.mu.Lock()
	now := f.runs()
	for _, wanted := range group {
		partition := key.Partition(wanted.id)
		again := overtaken[wanted] || runs[partition] != now[partition] && (wanted.err == nil || wanted.absent())
		if wanted.tries++; again && wanted.tries < fillTries {
			wanted.ours, wanted.record, wanted.err = false, nil, nil
			f.enqueue(wanted)
			continue
		}
		if f.pending[wanted.id] == wanted {
			delete(f.pending, wanted.id)
		}
		ended = append(ended, wanted)
	}
	f.mu.Unlock()
	for _, wanted := range ended {
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
