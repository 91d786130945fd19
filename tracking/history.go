package tracking

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Fix is a position as its phone numbered it.
type Fix struct {
	Seq      int64 // 0 when the phone does not count
	Position Position
}

// Batch is what one report adds to a courier's track.
type Batch struct {
	CourierID  ID
	Session    string
	ReceivedAt time.Time
	Fixes      []Fix   // by ascending time
	Settled    []int64 // seqs of points that were refused: nothing to store, but done with
}

// Mark is how far a session has come in Postgres.
type Mark struct {
	CourierID  ID
	Session    string
	DurableSeq int64 // highest contiguous seq committed; 0 for none
}

// Track is the durable history of positions.
type Track interface {
	// Store commits batches in one transaction, each point once however often it comes, and answers a mark for each batch, in order.
	// Errors: CodeUnavailable; CodeInvalid when a point can never be stored, and then nothing of the call was.
	Store(ctx context.Context, batches []Batch) ([]Mark, error)
	// Bury keeps what can never be stored where people find it, and settles its seqs: the phone must not send it for ever. Burying the same
	// entry again changes nothing. The mark is zero for an entry that cannot be read. Errors: CodeUnavailable.
	Bury(ctx context.Context, letter DeadLetter) (Mark, error)
}

// Duties is the truth about who is on duty, and where they were. Errors: CodeUnavailable.
type Duties interface {
	// OnDuty answers in the order of the ids; the zero Duty for a courier who does not exist.
	OnDuty(ctx context.Context, couriers []ID) ([]Duty, error)
}

// Duty is a courier's, as the truth knows it.
type Duty struct {
	On bool
	// Recent are the newest fixes that a newer one is judged by, by ascending time: the believed one, and those too far from it.
	Recent []Position
}

// DeadLetter is a batch that cannot be stored.
type DeadLetter struct {
	ID       ID
	Entry    string // the backlog's own name for it
	Payload  []byte // as it stood in the backlog
	Batch    Batch  // zero when the payload cannot be read
	Reason   string
	BuriedAt time.Time
}

// Backlog is the line in which batches wait for Postgres. What was read and not acknowledged is read again by this or another worker.
// Errors: CodeUnavailable.
type Backlog interface {
	// Read answers up to limit entries, waiting a moment for the first; none is no error.
	Read(ctx context.Context, limit int) ([]Entry, error)
	// Ack removes entries for good.
	Ack(ctx context.Context, entries []Entry) error
}

// Entry is a batch in the backlog.
type Entry struct {
	Handle     string // the backlog's own name for it
	Payload    []byte // what stands in the backlog
	Batch      Batch
	Unreadable error // why the payload is no batch; Batch is zero then
}

// Marker tells the hot store how far sessions have come; see Hot.MarkDurable.
type Marker interface {
	MarkDurable(ctx context.Context, marks []Mark) error
}

// HistoryConfig tunes a History; zero fields get defaults.
type HistoryConfig struct {
	// Second is another member of the backlog's group. A second pair of hands works through it while transactions are large: one reads and encodes
	// while the other waits for its commit. Nil for none.
	Second       Backlog
	BatchEntries int           // entries stored in one transaction; 500
	Gather       time.Duration // from one small transaction out of the backlog to the next, in which entries gather; 50 ms
	Queue        int           // direct commits that may wait; 4096
	Retry        time.Duration // pause after a store did not answer; 500 ms
	OnStored     func(points int, took time.Duration)
	OnBuried     func()
}

// History moves positions into Postgres: from the backlog in batches (Run), and straight from a request that wants to wait (Commit), where
// whatever arrives during one commit shares the next.
//
// Each point is stored exactly once: storing is idempotent, and entries are acknowledged only after the commit.
type History struct {
	track   Track
	duties  Duties
	backlog Backlog
	marker  Marker
	config  HistoryConfig
	queue   chan directCommit
	log     *slog.Logger
}

type directCommit struct {
	batch Batch
	rule  Plausibility
	reply chan directReply
}

type directReply struct {
	Commitment
	err error
}

// NewHistory ties the loops to their ports.
func NewHistory(track Track, duties Duties, backlog Backlog, marker Marker, config HistoryConfig, log *slog.Logger) *History {
	if config.BatchEntries == 0 {
		config.BatchEntries = 500
	}
	if config.Gather == 0 {
		config.Gather = 50 * time.Millisecond
	}
	if config.Queue == 0 {
		config.Queue = 4096
	}
	if config.Retry == 0 {
		config.Retry = 500 * time.Millisecond
	}
	if config.OnStored == nil {
		config.OnStored = func(int, time.Duration) {}
	}
	if config.OnBuried == nil {
		config.OnBuried = func() {}
	}
	return &History{
		track: track, duties: duties, backlog: backlog, marker: marker, config: config, log: log,
		queue: make(chan directCommit, config.Queue),
	}
}

// Commit implements Direct. RunDirect must be running. Errors also: CodeInvalid.
func (h *History) Commit(ctx context.Context, batch Batch, rule Plausibility) (Commitment, error) {
	c := directCommit{batch: batch, rule: rule, reply: make(chan directReply, 1)}
	select {
	case h.queue <- c:
	default:
		return Commitment{}, &Error{Code: CodeOverloaded, Message: "too many positions are waiting to be stored", RetryAfter: time.Second}
	}
	select {
	case r := <-c.reply:
		return r.Commitment, r.err
	case <-ctx.Done():
		return Commitment{}, Unavailable("Postgres", ctx.Err())
	}
}

// RunDirect serves Commit until ctx ends, with two transactions under way at most: one writes while the next one gathers.
func (h *History) RunDirect(ctx context.Context) error {
	var committers sync.WaitGroup
	for range 2 {
		committers.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case first := <-h.queue:
					h.commit(ctx, h.gather(first))
				}
			}
		})
	}
	committers.Wait()
	for {
		select {
		case c := <-h.queue:
			c.reply <- directReply{err: Unavailable("this node", context.Canceled)}
		default:
			return nil
		}
	}
}

// gather takes what is waiting and no more: a lone request is never delayed for company.
func (h *History) gather(first directCommit) []directCommit {
	group := []directCommit{first}
	for len(group) < h.config.BatchEntries {
		select {
		case c := <-h.queue:
			group = append(group, c)
			continue
		default:
		}
		break
	}
	return group
}

// commit stores what is from couriers on duty, and refuses the rest.
func (h *History) commit(ctx context.Context, group []directCommit) {
	// Requests come and go; the transaction they share has its own bound.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	couriers := make([]ID, len(group))
	for i, c := range group {
		couriers[i] = c.batch.CourierID
	}
	onDuty, err := h.duties.OnDuty(ctx, couriers)
	working := group[:0]
	for i, c := range group {
		switch {
		case err != nil:
			c.reply <- directReply{err: err}
		case !onDuty[i].On:
			c.reply <- directReply{err: OffShift()}
		default:
			c.batch = c.rule.judged(c.batch, onDuty[i].Recent)
			working = append(working, c)
		}
	}
	if len(working) > 0 {
		h.commitAll(ctx, working)
	}
}

// commitAll stores a group; when one member can never be stored, each is tried alone so that the others do not suffer.
func (h *History) commitAll(ctx context.Context, group []directCommit) {
	batches := make([]Batch, len(group))
	points := 0
	for i, c := range group {
		batches[i] = c.batch
		points += len(c.batch.Fixes)
	}
	began := time.Now()
	marks, err := h.track.Store(ctx, batches)
	if CodeOf(err) == CodeInvalid && len(group) > 1 {
		for _, c := range group {
			h.commitAll(ctx, []directCommit{c})
		}
		return
	}
	if err == nil {
		h.config.OnStored(points, time.Since(began))
	}
	for i, c := range group {
		r := directReply{err: err}
		if err == nil {
			r.Commitment = Commitment{marks[i], c.batch}
		}
		c.reply <- r
	}
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
