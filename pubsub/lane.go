package pubsub

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

const (
	retryAfter = 250 * time.Millisecond
	hopsMax    = 5 // masters that may send a lane on to another, one after another
	// sweepEvery is how often is given up what nobody listens to any more: a page that is loaded again comes back to a channel that is live.
	sweepEvery = 2 * time.Second
)

// lane is a connection to Redis, again and again, and everything that is listened to by way of it: on one server the channels of some partitions, on a
// cluster those of one. Lanes share nothing that a message touches, so that as many messages at a time are served as there are lanes.
type lane struct {
	subscriber *Subscriber
	group      string
	stir       chan struct{} // says that there is something to compare
	messages   atomic.Int64
	up         atomic.Bool

	// Used by run alone.
	told []*Subscription // since the reader last waited for something to come
	hint string          // where a master has said that the slot is
	hops int             // how often that was said since a connection worked
	// singing are the canaries of this connection and of those before, which may take seconds to notice that a server does not answer: the next
	// connection does not wait for that.
	singing sync.WaitGroup

	mu               sync.Mutex
	channels         map[string]*channel
	listened         int // channels that somebody listens to
	connected        bool
	touched          []*channel            // to compare
	left, leftBefore map[*channel]struct{} // what lingers: since the last sweep, and from before it
}

func newLane(s *Subscriber, group string) *lane {
	return &lane{
		subscriber: s, group: group, stir: make(chan struct{}, 1),
		channels: map[string]*channel{}, left: map[*channel]struct{}{}, leftBefore: map[*channel]struct{}{},
	}
}

// errIdle ends a connection on which nothing is listened to.
var errIdle = errors.New("nothing is listened to")

// run keeps a connection for as long as something is listened to and ctx lasts.
func (l *lane) run(ctx context.Context) {
	s := l.subscriber
	defer l.singing.Wait()
	for ctx.Err() == nil && !s.retire(l) {
		err := l.runOnce(ctx)
		if ctx.Err() != nil || errors.Is(err, errIdle) {
			continue
		}
		s.findAnew(ctx)
		if moved := (*movedError)(nil); errors.As(err, &moved) && l.hops < hopsMax {
			l.hint = moved.to
			l.hops++
			continue
		}
		l.hops = 0
		s.lost(l, err)
		// Nodes that were cut off in the same moment do not come back in the same moment.
		pause(ctx, retryAfter/2+rand.N(retryAfter))
	}
}

// runOnce lives as long as one connection.
func (l *lane) runOnce(ctx context.Context) error {
	s := l.subscriber
	conn, err := l.dial(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	// A read does not notice that ctx ends.
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	l.up.Store(true)
	defer l.up.Store(false)
	l.adopt()
	tending, stop := context.WithCancelCause(ctx)
	var asking sync.WaitGroup
	asking.Go(func() {
		if err := l.ask(tending, conn); err != nil {
			stop(err)
			_ = conn.Close()
		}
	})
	l.singing.Go(func() { l.sing(tending, conn) })
	err = l.receive(conn)
	if cause := context.Cause(tending); cause != nil {
		err = cause // why the reader found the connection closed
	}
	if ctx.Err() == nil && !errors.Is(err, errIdle) {
		s.gaps.Add(1)
	}
	// Listeners first: those who write to a server that does not read notice only at their own time limit that they should stop.
	l.silence()
	stop(nil)
	_ = conn.Close()
	asking.Wait()
	l.forget()
	return err
}

func (l *lane) dial(ctx context.Context) (*connection, error) {
	s := l.subscriber
	ctx, cancel := context.WithTimeout(ctx, s.canaryLimit)
	defer cancel()
	options, err := s.owner(ctx, l.group)
	if err != nil {
		return nil, err
	}
	hint := l.hint
	l.hint = ""
	return dial(ctx, options, hint, l.group, s.sharded(), s.canaryLimit)
}

// receive reads until the connection ends, and answers why it did.
func (l *lane) receive(conn *connection) error {
	s := l.subscriber
	mayMiss := int64(s.canaryLimit / s.canaryEvery)
	heard := int64(0)
	defer l.calm()
	for {
		f, whole, err := conn.reader.held()
		if err != nil {
			return err
		}
		if !whole {
			l.calm()
			if err := conn.reader.fill(); err != nil {
				return err
			}
			continue
		}
		switch f.kind {
		case message:
			if string(f.channel) == conn.canary {
				heard = conn.sung.Load()
				l.hops = 0
				s.back(l)
				continue
			}
			l.messages.Add(1)
			l.deliver(f.channel, f.payload)
		case subscribed:
			l.confirm(f.channel)
		case unsubscribed:
			// All channels of a lane are of one slot, so that what is true of one is true of all.
			if !l.released(f.channel) {
				return &movedError{}
			}
		case refused:
			return conn.refusal(f.payload)
		}
		// Others are heard, but not the canary: the connection is to a server that is cut off from those that take what we publish.
		if missed := conn.sung.Load() - heard; missed > mayMiss {
			return fmt.Errorf("the canary was not heard %d times", missed)
		}
	}
}

// sing has the canary heard until ctx ends. Whether it arrives is judged at the other end.
func (l *lane) sing(ctx context.Context, conn *connection) {
	ticker := time.NewTicker(l.subscriber.canaryEvery)
	defer ticker.Stop()
	for {
		if publish(ctx, l.subscriber.client, conn.canary, "") == nil {
			conn.sung.Add(1)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// ask keeps what the connection was asked for equal to what is wanted, until ctx ends. What is wanted while it writes goes into the next command
// together, so that a crowd costs few of them.
func (l *lane) ask(ctx context.Context, conn *connection) error {
	ticker := time.NewTicker(l.subscriber.sweepEvery)
	defer ticker.Stop()
	for {
		more, less := l.compare()
		if err := conn.subscribe(more); err != nil {
			return err
		}
		if err := conn.unsubscribe(less); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-l.stir:
		case <-ticker.C:
			if l.sweep() {
				return errIdle
			}
		}
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
