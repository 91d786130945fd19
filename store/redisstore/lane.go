package redisstore

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/tracking"
)

// How scripts share round trips.
const (
	laneQueue = 4096    // scripts that may wait in one lane
	tripCount = 128     // scripts of one round trip
	tripBytes = 1 << 20 // of their largest arguments: others wait while a server reads them
)

// lane is a line of scripts on their way to Redis. What arrives while a round trip is under way shares the next one, and nobody waits for company: a
// lone script leaves at once. The zero value but for its client is ready.
type lane struct {
	client redis.UniversalClient

	mu      sync.Mutex
	waiting []*errand
	driving bool // somebody makes the round trips
	closed  bool
	driver  sync.WaitGroup
}

// errand is a script on its way, with its arguments, which must stay as they are until it is back.
type errand struct {
	command *redis.Cmd
	size    int
	// back gets one value when the command has its answer, or an error; refused is set when it was never sent.
	back    chan struct{}
	refused error
}

// send runs a command and waits for its answer. An error of ctx or of the connection says nothing about whether it ran: the errand may still be on its
// way, so its arguments belong to the lane then. Errors besides the server's: CodeOverloaded, CodeUnavailable.
func (l *lane) send(ctx context.Context, e *errand) (answered bool, err error) {
	if err := l.join(e); err != nil {
		return true, err
	}
	select {
	case <-e.back:
		if e.refused != nil {
			return true, e.refused
		}
		return true, e.command.Err()
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

func (l *lane) join(e *errand) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return tracking.Unavailable("this node", context.Canceled)
	}
	if len(l.waiting) >= laneQueue {
		return &tracking.Error{Code: tracking.CodeOverloaded, Message: "too many reports are under way; try again", RetryAfter: time.Second}
	}
	l.waiting = append(l.waiting, e)
	if !l.driving {
		l.driving = true
		l.driver.Go(l.drive)
	}
	return nil
}

// drive makes round trips until nobody waits for one.
func (l *lane) drive() {
	var room []*errand
	for {
		trip := l.board(room[:0])
		if len(trip) == 0 {
			return
		}
		err := l.travel(trip)
		for _, e := range trip {
			e.back <- struct{}{}
		}
		if unanswered(err) {
			// Who waited behind a server that does not answer has waited long enough: there is another store to go to.
			l.refuse(err)
		}
		clear(trip)
		room = trip
	}
}

// board takes those who go next.
func (l *lane) board(trip []*errand) []*errand {
	l.mu.Lock()
	defer l.mu.Unlock()
	size := 0
	for _, e := range l.waiting {
		if size += e.size; len(trip) == tripCount || len(trip) > 0 && size > tripBytes {
			break
		}
		trip = append(trip, e)
	}
	left := copy(l.waiting, l.waiting[len(trip):])
	clear(l.waiting[left:])
	l.waiting = l.waiting[:left]
	if len(trip) == 0 {
		l.waiting, l.driving = nil, false
	}
	return trip
}

// travel makes one round trip, which the client's own limits bound: those who wait have different ones. A script that may have run is not sent again.
func (l *lane) travel(trip []*errand) error {
	ctx := context.Background()
	if len(trip) == 1 {
		return l.client.Process(ctx, once{trip[0].command})
	}
	pipe := l.client.Pipeline()
	for _, e := range trip {
		_ = pipe.Process(ctx, once{e.command})
	}
	_, err := pipe.Exec(ctx)
	if err != nil && !unanswered(err) {
		// The first error of many may be one script's own.
		for _, e := range trip {
			if unanswered(e.command.Err()) {
				return e.command.Err()
			}
		}
	}
	return err
}

var errNotSent = errors.New("it was not asked, since it did not answer those before")

func (l *lane) refuse(cause error) {
	l.mu.Lock()
	refused := l.waiting
	l.waiting = nil
	l.mu.Unlock()
	for _, e := range refused {
		e.refused = tracking.Unavailable("Redis", errors.Join(errNotSent, cause))
		e.back <- struct{}{}
	}
}

// close takes nothing more and waits for what is under way.
func (l *lane) close() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.driver.Wait()
}
