package gateway

import (
	"cmp"
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"hotfoot/tracking"
)

// Watch is an interest in something that is announced: Ready is closed once it was confirmed, Live says whether it is now, Close ends it.
type Watch interface {
	Ready() <-chan struct{}
	Live() bool
	Close()
}

// Feed brings announcements. Its callbacks are called from one goroutine and must not block; live(true) says that the watch was confirmed, so
// that anything may have been missed before, and live(false) that it is not any more.
type Feed interface {
	Delivery(id tracking.ID, changed func(tracking.Record), live func(bool)) Watch
	// Courier has moved called for each position, and calm after the last of those that came at one time.
	Courier(id tracking.ID, moved func(tracking.Position), calm func(), live func(bool)) Watch
	Jobs(courier tracking.ID, changed func(), live func(bool)) Watch
	Fleet(merchant tracking.ID, moved func(tracking.ID, tracking.Position), changed func(tracking.Record), staffed func(tracking.Courier), live func(bool)) []Watch
}

// Records reads what topics show: hot, and from the truth while the hot store is away. Errors: CodeNotFound, CodeUnavailable.
type Records interface {
	tracking.Records
	// Revs are the records' revisions, in the order of the deliveries; zero for one that is not known.
	Revs(ctx context.Context, deliveries []tracking.ID) ([]tracking.Revision, error)
}

// Config tunes a Hub; zero fields get defaults.
type Config struct {
	Origins  []string // sites whose pages may open sockets, beside our own; as in https://shop.example
	MaxConns int      // sockets and streams on this node; 100,000
	// MaxPerAddress is how many of them one client address may have open, or one IPv6 network of 64 bits; 20,000. Thousands of phones share an address of a
	// mobile network. Network says whose a request is, and the zero Prefix for who is not counted; nil for nobody.
	MaxPerAddress int
	Network       func(*http.Request) netip.Prefix
	// MaxPerKey is how many sockets one key may have open; 1,000: a shop's staff may share one.
	MaxPerKey int
	// MaxOpening is how many viewers may be on their way in at once, each waiting for its snapshot; 5,000. Of a crowd that comes back in one moment
	// the rest are told when to try again, each at a moment of its own.
	MaxOpening int
	// MaxAge is how long a socket or stream lives, give or take a sixth; 30 min. Then its viewer is sent to find a node anew: so those that were
	// started last get their share, and a node that must go has few who came long ago.
	MaxAge     time.Duration
	DrainOver  time.Duration    // viewers of a node that stops are told to come back within this, each at a moment of its own; 10 s
	Keys       Keys             // that sockets may be opened with; nil when they never end
	StaleSince func() time.Time // since when the truth cannot be read, the zero time while it can; nil when it always can
	timing     timing
}

// timing is the same for everybody but tests, which cannot wait that long.
type timing struct {
	ping    time.Duration // between two pings
	silence time.Duration // two pings and a bit: then the peer is gone, whatever TCP believes
	write   time.Duration // for one frame
	poll    time.Duration // between two reads of what is watched and not live
	check   time.Duration // between two looks at the revisions of what is live: how long a lost announcement can stay unnoticed
	reload  time.Duration // between two reads of a whole fleet, at least
	keys    time.Duration // between two looks at the keys that sockets were opened with
	linger  time.Duration // how long a topic stays that nobody watches any more
}

func (c Config) withDefaults() Config {
	c.MaxConns = cmp.Or(c.MaxConns, 100_000)
	c.MaxPerAddress = cmp.Or(c.MaxPerAddress, 20_000)
	c.MaxPerKey = cmp.Or(c.MaxPerKey, 1000)
	c.MaxOpening = cmp.Or(c.MaxOpening, 5000)
	c.MaxAge = cmp.Or(c.MaxAge, 30*time.Minute)
	c.DrainOver = cmp.Or(c.DrainOver, 10*time.Second)
	if c.StaleSince == nil {
		c.StaleSince = func() time.Time { return time.Time{} }
	}
	c.timing.ping = cmp.Or(c.timing.ping, 25*time.Second)
	c.timing.silence = cmp.Or(c.timing.silence, 55*time.Second)
	// A viewer who is stuck for a moment, in a lift or in a sleeping tab, is worth keeping: what waits for them is bounded, and if they are gone
	// they do not answer pings either.
	c.timing.write = cmp.Or(c.timing.write, c.timing.silence)
	// Nobody may wait for a status for more than five seconds: not who is told nothing until the feed notices that it has gone silent and the next poll
	// comes, and not who was told nothing since an announcement was lost. Each is up to a quarter late, and reading takes a moment.
	c.timing.poll = cmp.Or(c.timing.poll, 1500*time.Millisecond)
	c.timing.check = cmp.Or(c.timing.check, 3500*time.Millisecond)
	c.timing.reload = cmp.Or(c.timing.reload, 5*time.Second)
	// A key that was revoked unheard, or has expired, must not show anything for longer than a minute.
	c.timing.keys = cmp.Or(c.timing.keys, 20*time.Second)
	// Long enough for a reload, and for a crowd that was cut off and comes back with jitter.
	c.timing.linger = cmp.Or(c.timing.linger, 10*time.Second)
	return c
}

// Hub owns the topics, fleets and sockets of one node.
type Hub struct {
	feed     Feed
	records  Records
	config   Config
	now      func() time.Time
	log      *slog.Logger
	metrics  *metrics
	upgrader websocket.Upgrader

	// ctx ends with the node; whatever is started hangs on it and on wait.
	ctx    context.Context
	cancel context.CancelFunc
	wait   sync.WaitGroup
	// closing is held to start something, and to say that nothing starts any more: what Close waits for must not grow while it waits.
	closing sync.RWMutex

	began    time.Time    // of this node's uptime
	taken    atomic.Int64 // seats
	opening  atomic.Int64 // viewers on their way in
	draining atomic.Bool
	seats    ring
	// By whose they are: of addresses all seats, of keys the sockets that were opened with one.
	addresses quota[netip.Prefix]
	keys      quota[[32]byte]
	poller    poller
	crowd     crowd
	shards    [shards]shard
	tended    []*topic // scratch of the loop that tends the shards
	holders   holders
	// Topics are read in two lines, so that whoever comes new never waits behind everybody who missed something.
	newcomers *catchUp
	behind    *catchUp
	// routes is held to read a courier's route: when all courier sockets must read theirs anew, they do it in turns.
	routes chan struct{}

	mu       sync.Mutex
	fleets   map[tracking.ID]*fleet
	couriers map[*courierSocket]struct{}
}

// NewHub makes a Hub. Run must run for ticks, pings and checks to happen; Close ends everything.
func NewHub(feed Feed, records Records, config Config, metrics *metrics, now func() time.Time, log *slog.Logger) *Hub {
	h := &Hub{
		feed: feed, records: records, config: config.withDefaults(), now: now, log: log, metrics: metrics, routes: make(chan struct{}, readsAtOnce),
		began: time.Now(), fleets: map[tracking.ID]*fleet{}, couriers: map[*courierSocket]struct{}{},
	}
	for i := range h.shards {
		h.shards[i].topics = map[tracking.ID]*topic{}
	}
	h.newcomers, h.behind = newCatchUp(h), newCatchUp(h)
	h.ctx, h.cancel = context.WithCancel(context.Background())
	h.upgrader = websocket.Upgrader{
		// The library has only the handshake to do.
		WriteBufferPool: &sync.Pool{},
		Subprotocols:    []string{subprotocol}, CheckOrigin: h.originAllowed,
	}
	return h
}

// start runs fn in a goroutine that Close waits for; it answers false when nothing starts any more.
func (h *Hub) start(fn func()) bool {
	h.closing.RLock()
	defer h.closing.RUnlock()
	if h.ctx.Err() != nil {
		return false
	}
	h.wait.Go(fn)
	return true
}

// Run ticks, pings, polls and checks until ctx ends.
func (h *Hub) Run(ctx context.Context) error {
	var loops sync.WaitGroup
	loops.Go(func() { every(ctx, time.Second, 0, h.pulse) })
	loops.Go(func() { every(ctx, time.Second, 0, h.crowd.tidy) })
	loops.Go(func() {
		next := 0
		every(ctx, time.Second/shards, 0, func() {
			h.tend(&h.shards[next], h.now())
			next = (next + 1) % shards
		})
	})
	loops.Go(func() { every(ctx, h.config.timing.keys, h.config.timing.keys/4, func() { h.checkKeys(ctx) }) })
	loops.Go(func() { every(ctx, h.config.timing.poll, h.config.timing.poll/4, h.poll) })
	loops.Go(func() { every(ctx, h.config.timing.check, h.config.timing.check/4, func() { h.check(ctx) }) })
	loops.Wait()
	return nil
}

// every calls fn, one call after the other, until ctx ends. Between two lies d and up to jitter more: a hundred nodes must not ask the stores in
// the same moment.
func every(ctx context.Context, d, jitter time.Duration, fn func()) {
	for {
		pause(ctx, d+rand.N(jitter+1))
		if ctx.Err() != nil {
			return
		}
		fn()
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

// Close ends every socket that Drain has left, and waits for everything that was started.
func (h *Hub) Close() {
	h.draining.Store(true)
	h.closing.Lock()
	h.cancel()
	h.closing.Unlock()
	h.poller.stop()
	h.seats.each(func(s *seat) { s.outbox.pipe.cut() })
	h.wait.Wait()
	for _, t := range h.watched() {
		h.forget(t)
		t.close()
	}
}

// uptime is a clock that nobody sets.
func (h *Hub) uptime() time.Duration { return time.Since(h.began) }
