package pubsub

import (
	"log/slog"
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

// Subscriber keeps one Pub/Sub connection for a node, whatever is watched.
type Subscriber struct {
	client redis.UniversalClient
	log    *slog.Logger
	gaps   atomic.Int64
	// stir says that channels and asked may differ; whoever subscribes never waits for the network.
	stir chan struct{}

	mu       sync.Mutex
	channels map[string]*channel // what is wanted
	asked    map[string]bool     // what the connection was asked for, and whether Redis has confirmed it
	touched  map[string]struct{} // names to compare

	// Changed by tests alone.
	canaryEvery, canaryLimit time.Duration
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
		client: client, log: log, stir: make(chan struct{}, 1),
		channels: map[string]*channel{}, asked: map[string]bool{}, touched: map[string]struct{}{},
		canaryEvery: canaryEvery, canaryLimit: canaryLimit,
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

// adopt has everything that is wanted asked for on a new connection.
func (s *Subscriber) adopt() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name := range s.channels {
		s.touch(name)
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

// silence tells every listener that nothing is live any more.
func (s *Subscriber) silence() {
	s.mu.Lock()
	var told []Listener
	for name, confirmed := range s.asked {
		if ch := s.channels[name]; ch != nil && confirmed {
			for _, l := range ch.listeners {
				told = append(told, l)
			}
		}
		s.asked[name] = false
	}
	s.mu.Unlock()
	for _, l := range told {
		l.Live(false)
	}
}

// forget has nothing asked for any more. Whoever asks must have stopped.
func (s *Subscriber) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.asked)
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
