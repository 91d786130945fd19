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
	readBatch = 250         // questions of one round trip
	readQueue = 20_000      // questions that may wait for one
	readLimit = time.Second // how long one may take: as long as any command
	// readEnough is how many questions must wait for a second round trip to leave beside one that is under way.
	readEnough = 8
)

// reads gathers reads of what is hot into shared round trips. A question that finds none under way leaves at once. What is asked for meanwhile shares the next,
// which leaves when that one is back, or beside it once enough wait: two that carry little cost both sides more than they save. What many want to know at once
// is asked once.
type reads struct {
	ask   func(ctx context.Context, questions []question) ([]answer, error)
	limit time.Duration

	mu      sync.Mutex
	queue   []*trip // none of which has left; the last one gathers
	waiting int     // questions of those
	driving int     // how many make the round trips, two at most
	closed  bool
	driver  sync.WaitGroup
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

// trip is questions that travel together.
type trip struct {
	questions []question
	asked     map[question]int // which of them it is
	// answers, in the order of the questions, and err may be read once done is closed.
	done    chan struct{}
	answers []answer
	err     error
}

// get answers a question. Errors: CodeOverloaded, and whatever ask answers.
func (r *reads) get(ctx context.Context, q question) (answer, error) {
	t, which, err := r.join(q)
	if err != nil {
		return answer{}, err
	}
	select {
	case <-t.done:
	case <-ctx.Done():
		return answer{}, unavailable(ctx.Err())
	}
	if t.err != nil {
		return answer{}, t.err
	}
	return t.answers[which], nil
}

// join has a question travel, and answers with whom and as which of them.
func (r *reads) join(q question) (t *trip, which int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, 0, unavailable(context.Canceled)
	}
	if n := len(r.queue); n > 0 {
		t = r.queue[n-1]
		if which, asked := t.asked[q]; asked {
			return t, which, nil
		}
	}
	if r.waiting >= readQueue {
		return nil, 0, &tracking.Error{Code: tracking.CodeOverloaded, Message: "too many deliveries are being looked up", RetryAfter: time.Second}
	}
	if t == nil || len(t.questions) == readBatch {
		t = &trip{asked: map[question]int{}, done: make(chan struct{})}
		r.queue = append(r.queue, t)
	}
	which = len(t.questions)
	t.asked[q], t.questions = which, append(t.questions, q)
	r.waiting++
	if r.driving == 0 || r.driving == 1 && r.waiting >= readEnough {
		r.driving++
		r.driver.Go(r.drive)
	}
	return t, which, nil
}

// drive makes round trips until too few wait for one.
func (r *reads) drive() {
	for t := r.depart(); t != nil; t = r.depart() {
		// Readers come and go; the round trip they share has its own bound.
		ctx, cancel := context.WithTimeout(context.Background(), r.limit)
		t.answers, t.err = r.ask(ctx, t.questions)
		cancel()
		close(t.done)
	}
}

// depart takes the questions that go next; nil when there are none, or too few for two, and then whoever was driving has stopped.
func (r *reads) depart() (t *trip) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.queue) == 0 || r.driving == 2 && r.waiting < readEnough {
		r.driving--
		if len(r.queue) == 0 {
			r.queue = nil
		}
		return nil
	}
	t, r.queue = r.queue[0], r.queue[1:]
	r.waiting -= len(t.questions)
	return t
}

// close takes nothing more and waits for what is under way.
func (r *reads) close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.driver.Wait()
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
