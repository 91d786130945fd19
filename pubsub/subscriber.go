package pubsub

import (
	"context"
	"fmt"
	"hash/fnv"
	"log/slog"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/tracking/key"
)

// Listener hears what is said on a channel. Its functions are called from one goroutine and must not block.
type Listener struct {
	// Message brings what was published. payload is good during the call alone.
	Message func(payload []byte)
	// Calm follows the last of what came at one time, once for those messages of it that were for this listener; nil when it need not.
	Calm func()
	// Live says that the channel is confirmed from now on, so that whatever is watched must be read again, or that it is not any more.
	Live func(bool)
}

// Subscriber listens for a node, whatever is watched, over a few connections of its own.
type Subscriber struct {
	client redis.UniversalClient
	log    *slog.Logger
	width  uint32 // how many lanes there are on one server
	gaps   atomic.Int64
	opened chan struct{} // says that a lane is to be run

	mu    sync.Mutex
	lanes map[string]*lane // by group
	unrun []*lane          // opened, and not running yet
	past  int64            // messages of lanes that are gone
	away  map[*lane]struct{}
	since time.Time // when the first of those that are away was lost, or there was no saying so

	// Changed by tests alone.
	canaryEvery, canaryLimit, sweepEvery time.Duration
}

// Subscription is one listener's interest in a channel.
type Subscription struct {
	name     string
	listener Listener
	lane     *lane
	channel  *channel
	told     bool // it stands among lane.told
	// Guarded by lane.mu. Whoever waits has a channel made, and it is gone once they need not wait any more: a hundred thousand that are ready hold none.
	ready   chan struct{}
	isReady bool
}

// NewSubscriber makes a Subscriber; nothing arrives until Run runs. The client must be one of a server or of a cluster.
func NewSubscriber(client redis.UniversalClient, log *slog.Logger) *Subscriber {
	return &Subscriber{
		client: client, log: log, width: uint32(max(1, runtime.GOMAXPROCS(0)/2)), opened: make(chan struct{}, 1),
		lanes: map[string]*lane{}, away: map[*lane]struct{}{},
		canaryEvery: canaryEvery, canaryLimit: canaryLimit, sweepEvery: sweepEvery,
	}
}

// Run keeps connections until ctx ends. What happens to them is said once when one is lost and once when all are back.
func (s *Subscriber) Run(ctx context.Context) error {
	var running sync.WaitGroup
	defer running.Wait()
	for {
		s.mu.Lock()
		for _, l := range s.unrun {
			running.Go(func() { l.run(ctx) })
		}
		s.unrun = nil
		s.mu.Unlock()
		select {
		case <-ctx.Done():
			return nil
		case <-s.opened:
		}
	}
}

// Subscribe adds a listener. It does not wait: Ready tells when Redis has confirmed. It cannot fail: with Redis away the listener hears
// Live(true) once it is back.
func (s *Subscriber) Subscribe(name string, listener Listener) *Subscription {
	sub := &Subscription{name: name, listener: listener}
	s.mu.Lock()
	l := s.laneOf(name)
	l.mu.Lock()
	s.mu.Unlock() // not sooner: a lane on which nothing is listened to may be gone
	defer l.mu.Unlock()
	l.add(sub)
	return sub
}

// Ready is closed once Redis has confirmed the subscription for the first time.
func (s *Subscription) Ready() <-chan struct{} {
	s.lane.mu.Lock()
	defer s.lane.mu.Unlock()
	switch {
	case s.isReady:
		return alreadyReady
	case s.ready == nil:
		s.ready = make(chan struct{})
	}
	return s.ready
}

var alreadyReady = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// becomeReady is called with lane.mu held.
func (s *Subscription) becomeReady() {
	s.isReady = true
	if s.ready != nil {
		close(s.ready)
		s.ready = nil
	}
}

// Live reports whether the subscription is confirmed now.
func (s *Subscription) Live() bool {
	s.lane.mu.Lock()
	defer s.lane.mu.Unlock()
	return s.channel.confirmed
}

// Close removes the listener; it may still be in a call that began before.
func (s *Subscription) Close() { s.lane.remove(s) }

// laneOf answers a name's lane and opens it if need be. Called with mu held.
func (s *Subscriber) laneOf(name string) *lane {
	group := key.Tag(name)
	if !s.sharded() {
		h := fnv.New32a()
		_, _ = h.Write([]byte(group))
		group = strconv.Itoa(int(h.Sum32() % s.width))
	}
	l := s.lanes[group]
	if l == nil {
		l = newLane(s, group)
		s.lanes[group] = l
		s.unrun = append(s.unrun, l)
		select {
		case s.opened <- struct{}{}:
		default:
		}
	}
	return l
}

// retire takes away a lane on which nothing is listened to, and answers whether it did.
func (s *Subscriber) retire(l *lane) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.channels) > 0 {
		return false
	}
	delete(s.lanes, l.group)
	delete(s.away, l)
	s.past += l.messages.Load()
	return true
}

// sharded reports whether channels belong to slots.
func (s *Subscriber) sharded() bool {
	_, cluster := s.client.(*redis.ClusterClient)
	return cluster
}

// owner answers how to connect to the server of a group.
func (s *Subscriber) owner(ctx context.Context, group string) (*redis.Options, error) {
	switch client := s.client.(type) {
	case *redis.Client:
		return client.Options(), nil
	case *redis.ClusterClient:
		master, err := client.MasterForKey(ctx, "{"+group+"}")
		if err != nil {
			return nil, err
		}
		return master.Options(), nil
	}
	return nil, fmt.Errorf("no subscriptions over a %T", s.client)
}

// findAnew has a cluster's client look again who serves what.
func (s *Subscriber) findAnew(ctx context.Context) {
	if client, cluster := s.client.(*redis.ClusterClient); cluster {
		client.ReloadState(ctx)
	}
}

func (s *Subscriber) lost(l *lane, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away[l] = struct{}{}
	if s.since.IsZero() {
		s.since = time.Now()
		s.log.Warn("there is no Pub/Sub connection; what is watched will be read again when it is back", "lane", l.group, "error", err)
	}
}

// back is called whenever a lane's connection has proved to work.
func (s *Subscriber) back(l *lane) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.away, l)
	if len(s.away) == 0 && !s.since.IsZero() {
		s.log.Info("the Pub/Sub connection is back", "away", time.Since(s.since).Round(time.Millisecond))
		s.since = time.Time{}
	}
}

// Gaps is how often a connection was lost since the start.
func (s *Subscriber) Gaps() int64 { return s.gaps.Load() }

// Lanes is how many connections there are now.
func (s *Subscriber) Lanes() (connected int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.lanes {
		if l.up.Load() {
			connected++
		}
	}
	return connected
}

// Messages is how many messages have come since the start.
func (s *Subscriber) Messages() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.past
	for _, l := range s.lanes {
		n += l.messages.Load()
	}
	return n
}
