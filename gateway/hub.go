package gateway

import (
	"context"
	"log/slog"
	"math/rand/v2"
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
// that anything may have been missed before.
type Feed interface {
	Delivery(id tracking.ID, changed func(tracking.Record), live func(bool)) Watch
	Courier(id tracking.ID, moved func(tracking.Position), live func(bool)) Watch
	Jobs(courier tracking.ID, changed func(), live func(bool)) Watch
	Fleet(merchant tracking.ID, moved func(tracking.ID, tracking.Position), changed func(tracking.Record), staffed func(tracking.Courier), live func(bool)) []Watch
}

// Records reads what topics show. Errors: CodeNotFound, CodeUnavailable.
type Records interface {
	tracking.Records
	// Revs are the revisions kept hot, 0 for one that is not.
	Revs(ctx context.Context, deliveries []tracking.ID) ([]int64, error)
}

// Config tunes a Hub; zero fields get defaults.
type Config struct {
	Origins   []string      // sites whose pages may open sockets, beside our own; as in https://shop.example
	MaxConns  int           // sockets and streams on this node; 100,000
	DrainOver time.Duration // viewers of a node that stops are told to come back within this, each at a moment of its own; 10 s
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

	conns    atomic.Int64
	draining atomic.Bool

	mu      sync.Mutex
	topics  map[tracking.ID]*topic
	fleets  map[tracking.ID]*fleet
	open    map[*conn]struct{}
	streams map[*outbox]struct{}
}

// NewHub makes a Hub. Run must run for ticks, pings and checks to happen; Close ends everything.
func NewHub(feed Feed, records Records, config Config, metrics *metrics, now func() time.Time, log *slog.Logger) *Hub {
	if config.MaxConns == 0 {
		config.MaxConns = 100_000
	}
	if config.DrainOver == 0 {
		config.DrainOver = 10 * time.Second
	}
	h := &Hub{
		feed: feed, records: records, config: config, now: now, log: log, metrics: metrics,
		topics: map[tracking.ID]*topic{}, fleets: map[tracking.ID]*fleet{}, open: map[*conn]struct{}{}, streams: map[*outbox]struct{}{},
	}
	h.ctx, h.cancel = context.WithCancel(context.Background())
	h.upgrader = websocket.Upgrader{
		HandshakeTimeout: 5 * time.Second,
		// A viewer sends next to nothing, and frames are written whole: small buffers, and none while idle.
		ReadBufferSize: 256, WriteBufferSize: 1024, WriteBufferPool: &sync.Pool{},
		Subprotocols: []string{subprotocol}, CheckOrigin: h.originAllowed,
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

// admit takes a place for one more socket, if there is one.
func (h *Hub) admit() bool {
	if h.draining.Load() {
		return false
	}
	if h.conns.Add(1) > int64(h.config.MaxConns) {
		h.conns.Add(-1)
		return false
	}
	return true
}

func (h *Hub) release() { h.conns.Add(-1) }

func (h *Hub) add(c *conn) {
	// The first ping comes at a random moment of the interval, so that a crowd that came together is not pinged together.
	c.pingAt = h.now().Add(rand.N(pingEvery)).UnixNano()
	h.mu.Lock()
	h.open[c] = struct{}{}
	h.mu.Unlock()
	// Drain tells those it finds; who came by it at that moment is told here.
	if h.draining.Load() {
		c.outbox.end(restarting, rand.N(h.config.DrainOver))
	}
	h.metrics.conns.WithLabelValues(c.kind).Inc()
}

func (h *Hub) remove(c *conn) {
	h.mu.Lock()
	delete(h.open, c)
	h.mu.Unlock()
	h.release()
	h.metrics.conns.WithLabelValues(c.kind).Dec()
}

func (h *Hub) addStream(o *outbox) {
	h.mu.Lock()
	h.streams[o] = struct{}{}
	h.mu.Unlock()
	if h.draining.Load() {
		o.end(restarting, rand.N(h.config.DrainOver))
	}
	h.metrics.conns.WithLabelValues("stream").Inc()
}

func (h *Hub) removeStream(o *outbox) {
	h.mu.Lock()
	delete(h.streams, o)
	h.mu.Unlock()
	h.metrics.conns.WithLabelValues("stream").Dec()
}

// Run ticks, pings and checks until ctx ends.
func (h *Hub) Run(ctx context.Context) error {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			h.pulse()
			if n%checkEvery == 0 {
				h.check(ctx)
			}
		}
	}
}

// checkEvery is how many seconds lie between two looks at the revisions of what is watched: how long a lost announcement can stay unnoticed.
const checkEvery = 5

// pulse does for all sockets what would otherwise need a timer in each.
func (h *Hub) pulse() {
	now := h.now()
	h.mu.Lock()
	topics := make([]*topic, 0, len(h.topics))
	for _, t := range h.topics {
		topics = append(topics, t)
	}
	for c := range h.open {
		if now.UnixNano() >= c.pingAt {
			c.pingAt = now.Add(pingEvery).UnixNano()
			c.outbox.pingSoon()
		}
	}
	h.mu.Unlock()
	for _, t := range topics {
		t.tick(now)
	}
}

// check compares what topics show with what is kept hot, in one round trip, and reads again what differs.
func (h *Hub) check(ctx context.Context) {
	h.mu.Lock()
	ids := make([]tracking.ID, 0, len(h.topics))
	topics := make([]*topic, 0, len(h.topics))
	for id, t := range h.topics {
		ids, topics = append(ids, id), append(topics, t)
	}
	h.mu.Unlock()
	if len(ids) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	revs, err := h.records.Revs(ctx, ids)
	for i, t := range topics {
		if err != nil || t.rev() != revs[i] {
			t.refresh()
		}
	}
}

// Drain stops taking sockets and sends those there are away, each with its own moment to come back at, until all are gone or ctx ends.
func (h *Hub) Drain(ctx context.Context) {
	h.draining.Store(true)
	h.mu.Lock()
	for c := range h.open {
		c.outbox.end(restarting, rand.N(h.config.DrainOver))
	}
	for o := range h.streams {
		o.end(restarting, rand.N(h.config.DrainOver))
	}
	h.mu.Unlock()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		h.mu.Lock()
		left := len(h.open) + len(h.streams)
		h.mu.Unlock()
		if left == 0 {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Close ends every socket that Drain has left, and waits for everything that was started.
func (h *Hub) Close() {
	h.draining.Store(true)
	h.closing.Lock()
	h.cancel()
	h.closing.Unlock()
	h.mu.Lock()
	for c := range h.open {
		_ = c.socket.Close()
	}
	h.mu.Unlock()
	h.wait.Wait()
}
