package vitals

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"hotfoot/tracking/key"
)

// Config tunes a Watch; zero fields get defaults.
type Config struct {
	Every time.Duration // between two looks; 15 s, as often as metrics are usually read
	Limit time.Duration // of one look, at all servers together; 2 s
}

// Watch looks at every server that a client speaks to, and is the collector of what it saw.
type Watch struct {
	client   redis.UniversalClient
	config   Config
	log      *slog.Logger
	failures *prometheus.CounterVec
	said     sync.Map                         // the questions whose failure was logged
	servers  map[string]*server               // by address; Run's alone
	seen     atomic.Pointer[map[string]sight] // by address, what the last look saw
}

// NewWatch makes a Watch; closing the client stays the caller's. Run must run for it to see anything.
func NewWatch(client redis.UniversalClient, config Config, log *slog.Logger) *Watch {
	config.Every = cmp.Or(config.Every, 15*time.Second)
	config.Limit = cmp.Or(config.Limit, 2*time.Second)
	w := &Watch{client: client, config: config, log: log, failures: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "hotfoot_redis_look_failures_total", Help: "Questions about itself that a Redis server did not answer, by question.",
	}, []string{"question"})}
	for _, question := range questions {
		w.failures.WithLabelValues(question)
	}
	w.seen.Store(&map[string]sight{})
	return w
}

// Run looks at once and then at each interval, until ctx ends.
func (w *Watch) Run(ctx context.Context) error {
	ticker := time.NewTicker(w.config.Every)
	defer ticker.Stop()
	for {
		w.runOnce(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// runOnce looks at all servers there are now. Those that are gone are forgotten.
func (w *Watch) runOnce(ctx context.Context) {
	bound, cancel := context.WithTimeout(ctx, w.config.Limit)
	defer cancel()
	fail := func(question string, err error) {
		if ctx.Err() == nil {
			w.fail(question, err)
		}
	}
	var mu sync.Mutex
	servers, seen := map[string]*server{}, map[string]sight{}
	look := func(client *redis.Client, partitions []int) {
		address := client.Options().Addr
		mu.Lock()
		s := w.servers[address]
		if s == nil {
			s = &server{}
		}
		servers[address] = s
		mu.Unlock()
		what := s.look(bound, client, partitions, fail)
		mu.Lock()
		defer mu.Unlock()
		seen[address] = what
	}
	switch client := w.client.(type) {
	case *redis.ClusterClient:
		homes := homesOf(bound, client)
		err := client.ForEachShard(bound, func(_ context.Context, shard *redis.Client) error {
			look(shard, homes[shard])
			return nil
		})
		if err != nil {
			fail(askServers, err)
		}
	case *redis.Client:
		all := make([]int, key.Partitions)
		for p := range all {
			all[p] = p
		}
		look(client, all)
	}
	w.servers = servers
	w.seen.Store(&seen)
}

// homesOf says which partitions each master of a cluster has in its memory, as far as the client knows.
func homesOf(ctx context.Context, cluster *redis.ClusterClient) map[*redis.Client][]int {
	homes := map[*redis.Client][]int{}
	for p := range key.Partitions {
		if master, err := cluster.MasterForKey(ctx, key.Positions(p)); err == nil {
			homes[master] = append(homes[master], p)
		}
	}
	return homes
}

// fail counts a question that had no answer. Its reason is logged once: a server that forbids a question forbids it every time, and one that is away is
// told of by its breaker.
func (w *Watch) fail(question string, err error) {
	w.failures.WithLabelValues(question).Inc()
	level := slog.LevelWarn
	if _, again := w.said.LoadOrStore(question, true); again {
		level = slog.LevelDebug
	}
	w.log.Log(context.Background(), level, "a Redis server does not say how it is", "question", question, "error", err)
}
