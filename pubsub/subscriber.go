package pubsub

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// Listener hears what is said on a channel. Its functions are called from one goroutine and must not block.
type Listener struct {
	Message func(payload []byte)
	// Live says that the channel is confirmed from now on, so that whatever is watched must be read again, or that it is not any more.
	Live func(bool)
}

// The canary: the library does not notice a connection that went silent (no FIN, no RST) for minutes, so each node tells itself something
// every second and takes silence for death.
const (
	canaryEvery  = time.Second
	canaryLimit  = 3 * time.Second
	retryAfter   = 250 * time.Millisecond
	subscribeMax = 500 // channels in one SUBSCRIBE
)

// Subscriber keeps one Pub/Sub connection for a node, whatever is watched.
type Subscriber struct {
	client redis.UniversalClient
	log    *slog.Logger
	canary string
	gaps   atomic.Int64
	// stir says that channels and asked may differ; whoever subscribes never waits for the network.
	stir chan struct{}

	mu       sync.Mutex
	channels map[string]*channel // what is wanted
	asked    map[string]bool     // what the connection was asked for, and whether Redis has confirmed it
	touched  map[string]struct{} // names to compare
}

// channel is one wanted subscription. Its fields are guarded by Subscriber.mu.
type channel struct {
	listeners map[*Subscription]Listener
}

// Subscription is one listener's interest in a channel.
type Subscription struct {
	subscriber *Subscriber
	name       string
	ready      chan struct{}
	readyOnce  sync.Once
}

// NewSubscriber makes a Subscriber; nothing arrives until Run runs.
func NewSubscriber(client redis.UniversalClient, log *slog.Logger) *Subscriber {
	return &Subscriber{
		client: client, log: log, canary: "hotfoot:canary:" + rand.Text(), stir: make(chan struct{}, 1),
		channels: map[string]*channel{}, asked: map[string]bool{}, touched: map[string]struct{}{},
	}
}

// Gaps is how often the connection was lost since the start.
func (s *Subscriber) Gaps() int64 { return s.gaps.Load() }

// Subscribe adds a listener. It does not wait: Ready tells when Redis has confirmed. It cannot fail: with Redis away the listener hears
// Live(true) once it is back.
func (s *Subscriber) Subscribe(name string, listener Listener) *Subscription {
	sub := &Subscription{subscriber: s, name: name, ready: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	ch := s.channels[name]
	if ch == nil {
		ch = &channel{listeners: map[*Subscription]Listener{}}
		s.channels[name] = ch
		s.touch(name)
	}
	ch.listeners[sub] = listener
	if s.asked[name] {
		sub.readyOnce.Do(func() { close(sub.ready) })
	}
	return sub
}

// touch has a name compared soon. Called with mu held.
func (s *Subscriber) touch(name string) {
	s.touched[name] = struct{}{}
	select {
	case s.stir <- struct{}{}:
	default:
	}
}

// Ready is closed once Redis has confirmed the subscription for the first time.
func (s *Subscription) Ready() <-chan struct{} { return s.ready }

// Live reports whether the subscription is confirmed now.
func (s *Subscription) Live() bool {
	s.subscriber.mu.Lock()
	defer s.subscriber.mu.Unlock()
	return s.subscriber.asked[s.name]
}

// Close removes the listener; it may still be in a call that began before.
func (s *Subscription) Close() {
	owner := s.subscriber
	owner.mu.Lock()
	defer owner.mu.Unlock()
	ch := owner.channels[s.name]
	if ch == nil {
		return
	}
	delete(ch.listeners, s)
	if len(ch.listeners) == 0 {
		delete(owner.channels, s.name)
		owner.touch(s.name)
	}
}

// Run keeps the connection until ctx ends.
func (s *Subscriber) Run(ctx context.Context) error {
	var canary sync.WaitGroup
	canary.Go(func() { s.sing(ctx) })
	defer canary.Wait()
	for ctx.Err() == nil {
		err := s.runOnce(ctx)
		if ctx.Err() != nil {
			break
		}
		s.gaps.Add(1)
		s.log.Warn("lost the Pub/Sub connection; what is watched will be read again", "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(retryAfter):
		}
	}
	return nil
}

func (s *Subscriber) sing(ctx context.Context) {
	ticker := time.NewTicker(canaryEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			// Whether it arrives is judged at the other end.
			_ = s.client.Publish(ctx, s.canary, "").Err()
		}
	}
}

// runOnce lives as long as one connection.
func (s *Subscriber) runOnce(ctx context.Context) error {
	conn := s.client.Subscribe(ctx, s.canary)
	defer conn.Close()
	// A receive does not notice that ctx ends.
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	// Receiving does not look at ctx while it waits.
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	if _, err := conn.ReceiveTimeout(ctx, canaryLimit); err != nil {
		return err
	}
	s.adopt()
	defer s.abandon()
	steward, stop := context.WithCancel(ctx)
	var asking sync.WaitGroup
	asking.Go(func() { s.ask(steward, conn) })
	defer asking.Wait()
	defer stop()
	heard := time.Now()
	for {
		message, err := conn.ReceiveTimeout(ctx, canaryLimit)
		if err != nil {
			return err
		}
		switch m := message.(type) {
		case *redis.Message:
			if m.Channel == s.canary {
				heard = time.Now()
				continue
			}
			s.deliver(m)
		case *redis.Subscription:
			if m.Kind == "subscribe" {
				s.confirm(m.Channel)
			}
		}
		// Messages without the canary: the connection lives, but the server does not run what we publish.
		if time.Since(heard) > 2*canaryLimit {
			return errors.New("the canary has gone silent")
		}
	}
}

// adopt has everything that is wanted asked for on a new connection.
func (s *Subscriber) adopt() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name := range s.channels {
		s.touch(name)
	}
}

// ask keeps what the connection was asked for equal to what is wanted, many channels in one command, until ctx ends. When it fails the
// connection is breaking, which its reader notices.
func (s *Subscriber) ask(ctx context.Context, conn *redis.PubSub) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.stir:
		}
		more, less := s.compare()
		for names := range slices.Chunk(more, subscribeMax) {
			if conn.Subscribe(ctx, names...) != nil {
				return
			}
		}
		for names := range slices.Chunk(less, subscribeMax) {
			if conn.Unsubscribe(ctx, names...) != nil {
				return
			}
		}
	}
}

func (s *Subscriber) compare() (more, less []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name := range s.touched {
		_, wanted := s.channels[name]
		_, asked := s.asked[name]
		switch {
		case wanted && !asked:
			s.asked[name] = false
			more = append(more, name)
		case !wanted && asked:
			delete(s.asked, name)
			less = append(less, name)
		}
	}
	clear(s.touched)
	return more, less
}

// abandon tells every listener that nothing is live any more.
func (s *Subscriber) abandon() {
	s.mu.Lock()
	var told []Listener
	for name, confirmed := range s.asked {
		if ch := s.channels[name]; ch != nil && confirmed {
			for _, l := range ch.listeners {
				told = append(told, l)
			}
		}
	}
	clear(s.asked)
	s.mu.Unlock()
	for _, l := range told {
		l.Live(false)
	}
}

func (s *Subscriber) confirm(name string) {
	s.mu.Lock()
	var told []Listener
	if _, asked := s.asked[name]; asked {
		s.asked[name] = true
		if ch := s.channels[name]; ch != nil {
			for sub, l := range ch.listeners {
				sub.readyOnce.Do(func() { close(sub.ready) })
				told = append(told, l)
			}
		}
	}
	s.mu.Unlock()
	for _, l := range told {
		l.Live(true)
	}
}

func (s *Subscriber) deliver(m *redis.Message) {
	s.mu.Lock()
	ch := s.channels[m.Channel]
	var only Listener
	var all []Listener
	if ch != nil {
		for _, l := range ch.listeners {
			if only.Message == nil {
				only = l // nearly always the only one: no slice for it
			} else {
				all = append(all, l)
			}
		}
	}
	s.mu.Unlock()
	if only.Message == nil {
		return
	}
	payload := []byte(m.Payload)
	only.Message(payload)
	for _, l := range all {
		l.Message(payload)
	}
}
