package pubsub

import (
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// The canary: the library does not notice a connection that went silent (no FIN, no RST) for minutes, so each connection is told something every
// second, and silence is taken for death.
const (
	canaryEvery  = time.Second
	canaryLimit  = 2500 * time.Millisecond
	retryAfter   = 250 * time.Millisecond
	subscribeMax = 500 // channels in one SUBSCRIBE
)

// connection is one Pub/Sub connection with its canary.
type connection struct {
	*redis.PubSub
	canary string       // a channel that nobody else knows; a new name each time leads to another node of a cluster each time
	sung   atomic.Int64 // how often the server has taken what the canary says
}

// Run keeps a connection until ctx ends. What happens to it is said once when it is lost and once when it is back.
func (s *Subscriber) Run(ctx context.Context) error {
	var lost time.Time
	back := func() {
		if !lost.IsZero() {
			s.log.Info("the Pub/Sub connection is back", "away", time.Since(lost).Round(time.Millisecond))
			lost = time.Time{}
		}
	}
	for {
		err := s.runOnce(ctx, back)
		if ctx.Err() != nil {
			return nil
		}
		if lost.IsZero() {
			lost = time.Now()
			s.log.Warn("there is no Pub/Sub connection; what is watched will be read again when it is back", "error", err)
		}
		// Nodes that were cut off in the same moment do not come back in the same moment.
		pause(ctx, retryAfter/2+mathrand.N(retryAfter))
	}
}

// runOnce lives as long as one connection. back is called whenever the connection has proved to work.
func (s *Subscriber) runOnce(ctx context.Context, back func()) error {
	canary := "hotfoot:canary:" + rand.Text()
	conn := &connection{PubSub: s.client.Subscribe(ctx, canary), canary: canary}
	defer conn.Close()
	// A receive does not notice that ctx ends.
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	if _, err := conn.ReceiveTimeout(ctx, s.canaryLimit); err != nil {
		return err
	}
	s.adopt()
	tending, stop := context.WithCancel(ctx)
	var tenders sync.WaitGroup
	tenders.Go(func() { s.ask(tending, conn) })
	tenders.Go(func() { s.sing(tending, conn) })
	err := s.receive(ctx, conn, back)
	if ctx.Err() == nil {
		s.gaps.Add(1)
	}
	// Listeners first: those who write to a server that does not read notice only at their own time limit that they should stop.
	s.silence()
	stop()
	tenders.Wait()
	s.forget()
	return err
}

func (s *Subscriber) receive(ctx context.Context, conn *connection, back func()) error {
	mayMiss := int64(s.canaryLimit / s.canaryEvery)
	heard := int64(0)
	for {
		message, err := conn.ReceiveTimeout(ctx, s.canaryLimit)
		if err != nil {
			return err
		}
		switch m := message.(type) {
		case *redis.Message:
			if m.Channel == conn.canary {
				heard = conn.sung.Load()
				back()
				continue
			}
			s.deliver(m)
		case *redis.Subscription:
			if m.Kind == "subscribe" {
				s.confirm(m.Channel)
			}
		}
		// Others are heard, but not the canary: the connection is to a server that is cut off from those that take what we publish.
		if missed := conn.sung.Load() - heard; missed > mayMiss {
			return fmt.Errorf("the canary was not heard %d times", missed)
		}
	}
}

// sing has the canary heard until ctx ends. Whether it arrives is judged at the other end.
func (s *Subscriber) sing(ctx context.Context, conn *connection) {
	ticker := time.NewTicker(s.canaryEvery)
	defer ticker.Stop()
	for {
		if s.client.Publish(ctx, conn.canary, "").Err() == nil {
			conn.sung.Add(1)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// ask keeps what the connection was asked for equal to what is wanted, many channels in one command, until ctx ends. When it fails it ends the
// connection: the library would make another one behind the reader's back.
func (s *Subscriber) ask(ctx context.Context, conn *connection) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.stir:
		}
		more, less := s.compare()
		for names := range slices.Chunk(more, subscribeMax) {
			if conn.Subscribe(ctx, names...) != nil {
				_ = conn.Close()
				return
			}
		}
		for names := range slices.Chunk(less, subscribeMax) {
			if conn.Unsubscribe(ctx, names...) != nil {
				_ = conn.Close()
				return
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
