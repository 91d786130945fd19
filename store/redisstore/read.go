package redisstore

import (
	"context"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/tracking"
	"hotfoot/tracking/key"
)

// How hot records are read. Ten thousand viewers who come back in the same second cost Redis some forty round trips.
const (
	readTrips = 2           // under way at once: one travels while the next one gathers
	readBatch = 250         // deliveries of one round trip
	readQueue = 20_000      // deliveries that may wait for one
	readLimit = time.Second // how long one may take: as long as any command
)

// reads gathers reads of what is hot into shared round trips. What is asked for while two are under way shares the next, and nobody waits for company. What many
// want to know at once is asked once.
type reads struct {
	ask   func(ctx context.Context, questions []question) ([]answer, error)
	limit time.Duration

	mu      sync.Mutex
	queue   []*read
	trips   int
	closed  bool
	workers sync.WaitGroup
}

// question is what a reader wants to know: of a delivery, of a courier, or of both. The zero ID is none.
type question struct {
	delivery tracking.ID
	courier  tracking.ID // where they are
	held     bool        // the reader has the record already, and asks for its revision
}

// answer is what is kept: of the delivery its run, and epoch and rev if it was held, else the record; of the courier the newest position and its run; nil
// for what was not asked for. Others have it too.
type answer struct{ fields, place []any }

// read is a question on its way; answer and err may be read once done is closed.
type read struct {
	question
	done   chan struct{}
	answer answer
	err    error
}

// get answers a question. Errors: CodeOverloaded, and whatever ask answers.
func (r *reads) get(ctx context.Context, q question) (answer, error) {
	wanted, err := r.join(q)
	if err != nil {
		return answer{}, err
	}
	select {
	case <-wanted.done:
		return wanted.answer, wanted.err
	case <-ctx.Done():
		return answer{}, unavailable(ctx.Err())
	}
}

func (r *reads) join(q question) (*read, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, unavailable(context.Canceled)
	}
	if len(r.queue) >= readQueue {
		return nil, &tracking.Error{Code: tracking.CodeOverloaded, Message: "too many deliveries are being looked up", RetryAfter: time.Second}
	}
	wanted := &read{question: q, done: make(chan struct{})}
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
		questions, which := distinct(group)
		// Readers come and go; the round trip they share has its own bound.
		ctx, cancel := context.WithTimeout(context.Background(), r.limit)
		answers, err := r.ask(ctx, questions)
		cancel()
		for i, wanted := range group {
			if wanted.err = err; err == nil {
				wanted.answer = answers[which[i]]
			}
			close(wanted.done)
		}
	}
}

// distinct are the questions of a group, each once, and which of them is whose.
func distinct(group []*read) (questions []question, which []int) {
	if len(group) == 1 {
		return []question{group[0].question}, []int{0}
	}
	questions, which = make([]question, 0, len(group)), make([]int, len(group))
	asked := make(map[question]int, len(group))
	for i, wanted := range group {
		at, known := asked[wanted.question]
		if !known {
			at = len(questions)
			asked[wanted.question], questions = at, append(questions, wanted.question)
		}
		which[i] = at
	}
	return questions, which
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

// readKept asks Redis, in one round trip.
func (s *Store) readKept(ctx context.Context, questions []question) ([]answer, error) {
	pipe := s.client.Pipeline()
	for _, q := range questions {
		switch {
		case q.delivery.IsZero():
		case q.held:
			pipe.HMGet(ctx, key.Delivery(q.delivery), "run", "epoch", "rev")
		default:
			pipe.HMGet(ctx, key.Delivery(q.delivery), "run", "rec")
		}
		if !q.courier.IsZero() {
			pipe.HMGet(ctx, key.Courier(q.courier), "pos", "posrun")
		}
	}
	replies, _ := pipe.Exec(ctx)
	if err := firstFailure(replies); err != nil {
		return nil, unavailable(err)
	}
	answers := make([]answer, len(questions))
	for i, q := range questions {
		if !q.delivery.IsZero() {
			answers[i].fields, replies = replies[0].(*redis.SliceCmd).Val(), replies[1:]
		}
		if !q.courier.IsZero() {
			answers[i].place, replies = replies[0].(*redis.SliceCmd).Val(), replies[1:]
		}
	}
	return answers, nil
}
