package redisstore_test

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/store/postgres"
	"hotfoot/store/private"
	"hotfoot/store/redisstore"
	"hotfoot/store/storetest"
	"hotfoot/tracking"
)

// soak is three nodes over a Postgres and a Redis that has accidents, and what was promised about each delivery.
type soak struct {
	t        *testing.T
	ctx      context.Context
	dir      string
	redis    *private.Server
	client   redis.UniversalClient // for accidents
	truth    *postgres.Store
	nodes    [3]*soakNode
	linker   *tracking.Linker
	merchant tracking.Actor
	couriers []tracking.Courier
	// accident is odd while Redis, or what nodes know of it, is in an unknown state: they notice a moment later.
	accident atomic.Int64
	// What was done, so that nobody takes silence for success.
	changes, reads, strict, bounded, refused atomic.Int64
	back                                     atomic.Int64 // when Redis last came back, Unix nanoseconds

	mu         sync.Mutex
	deliveries []tracking.ID
	told       map[tracking.ID]int64 // the newest rev that was announced
	acked      map[tracking.ID][]ack
}

// ack is a change that was acknowledged, announced or not.
type ack struct {
	rev int64
	at  time.Time
}

// How old a read may be. What was acknowledged while it could not be announced is announced by the sweep, so long after Redis is back: production's 3.25 s, of
// which a sweep that is faster here leaves some to a machine that is busy with other tests.
const (
	soakSweep = 100 * time.Millisecond
	soakGrace = 200 * time.Millisecond
	soakBound = 3250 * time.Millisecond
)

// soakNode is what of a node writes and reads deliveries.
type soakNode struct {
	*redisstore.Store
	soak     *soak
	dispatch *tracking.Dispatch
	viewing  *tracking.Viewing
	runs     atomic.Pointer[redisstore.Runs]
}

// Announce is on its way for a while, so that two may cross, and then notes what was announced: from then on nobody may read anything older.
func (n *soakNode) Announce(ctx context.Context, records ...tracking.Record) error {
	<-time.After(rand.N(15 * time.Millisecond))
	err := n.Store.Announce(ctx, records...)
	if err == nil {
		n.soak.mu.Lock()
		defer n.soak.mu.Unlock()
		for _, r := range records {
			n.soak.told[r.Delivery.ID] = max(n.soak.told[r.Delivery.ID], r.Delivery.Rev)
		}
	}
	return err
}

// late is a truth whose answers are on their way for a while, so that much can happen meanwhile.
type late struct{ *postgres.Store }

func (l late) Records(ctx context.Context, ids []tracking.ID) ([]tracking.Record, error) {
	records, err := l.Store.Records(ctx, ids)
	<-time.After(rand.N(15 * time.Millisecond))
	return records, err
}

func newSoak(t *testing.T) *soak {
	t.Helper()
	s := &soak{t: t, ctx: t.Context(), dir: storetest.Dir(t), told: map[tracking.ID]int64{}, acked: map[tracking.ID][]ack{}}
	s.start()
	t.Cleanup(func() { s.redis.Kill() })
	databaseURL := storetest.PostgresURL(t)
	var err error
	s.linker, err = tracking.NewLinker(make([]byte, 32))
	must(t, err)
	for i := range s.nodes {
		s.nodes[i] = s.node(databaseURL)
	}
	pool, err := postgres.Connect(databaseURL, 2)
	must(t, err)
	t.Cleanup(pool.Close)
	s.client, err = redisstore.Connect(s.redis.URL())
	must(t, err)
	t.Cleanup(func() { _ = s.client.Close() })
	truth := postgres.New(pool, nil)
	s.truth = truth
	m, err := truth.Merchant(t.Context(), "Corner Kitchen", time.Now())
	must(t, err)
	s.merchant = tracking.Actor{Role: tracking.RoleMerchant, MerchantID: m.ID, KeyID: tracking.NewID()}
	for range 2 {
		c := tracking.Courier{ID: tracking.NewID(), MerchantID: m.ID, Name: "Sam", Vehicle: tracking.Bike, Rev: 1, CreatedAt: time.Now()}
		k, _ := tracking.NewKey(m.ID, tracking.RoleCourier, c.ID, "")
		must(t, truth.CreateCourier(t.Context(), c, k))
		_, _, err := truth.SetDuty(t.Context(), c.ID, true, time.Now())
		must(t, err)
		s.couriers = append(s.couriers, c)
	}
	return s
}

func (s *soak) start() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	server, err := private.StartRedis(ctx, private.Config{Dir: s.dir})
	must(s.t, err)
	s.redis = server
	s.back.Store(time.Now().UnixNano())
}

// node starts a node, which ends with the test.
func (s *soak) node(databaseURL string) *soakNode {
	t := s.t
	pool, err := postgres.Connect(databaseURL, 8)
	must(t, err)
	t.Cleanup(pool.Close)
	client, err := redisstore.Connect(s.redis.URL())
	must(t, err)
	t.Cleanup(func() { _ = client.Close() })
	probe, err := redisstore.NewProbe(s.redis.URL())
	must(t, err)
	t.Cleanup(probe.Close)
	log := slog.New(slog.DiscardHandler)
	truth := postgres.New(pool, nil)
	breaker := tracking.NewBreaker("Redis", probe.Ping, tracking.BreakerConfig{Every: 20 * time.Millisecond, Limit: time.Second, Retry: 20 * time.Millisecond}, log)
	redisstore.Guard(client, breaker)
	n := &soakNode{Store: redisstore.New(client, late{truth}, redisstore.Config{}), soak: s}
	probe.Tell(func(runs redisstore.Runs) {
		n.SetRuns(runs)
		n.runs.Store(&runs)
	})
	must(t, probe.Ping(t.Context()))
	relay := tracking.NewRelay(truth, n, tracking.RelayConfig{Sweep: soakSweep, Grace: soakGrace}, log)
	n.dispatch = tracking.NewDispatch(truth, relay, time.Now)
	n.viewing = tracking.NewViewing(s.linker, n.Store, tracking.ViewingConfig{}, time.Now)
	ctx, stop := context.WithCancel(context.Background())
	var loops sync.WaitGroup
	loops.Go(func() { _ = breaker.Run(ctx) })
	loops.Go(func() { _ = relay.Run(ctx) })
	loops.Go(func() { _ = n.Run(ctx) })
	loops.Go(func() {
		ticker := time.NewTicker(50 * time.Millisecond)
		defer ticker.Stop()
		for ctx.Err() == nil {
			if epoch, err := truth.Epoch(ctx); err == nil {
				n.SetEpoch(epoch)
			}
			select {
			case <-ctx.Done():
			case <-ticker.C:
			}
		}
	})
	t.Cleanup(func() { stop(); loops.Wait() })
	return n
}

func (s *soak) any() *soakNode { return s.nodes[rand.N(len(s.nodes))] }

// pick is one of so many of the newest deliveries; the zero ID while there is none.
func (s *soak) pick(among int) (id tracking.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.deliveries); n > 0 {
		id = s.deliveries[n-1-rand.N(min(n, among))]
	}
	return id
}

func (s *soak) acknowledge(r tracking.Record) {
	s.changes.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.acked[r.Delivery.ID] == nil {
		s.deliveries = append(s.deliveries, r.Delivery.ID)
	}
	s.acked[r.Delivery.ID] = append(s.acked[r.Delivery.ID], ack{r.Delivery.Rev, time.Now()})
}

// floor is what a read that begins now must have at least: all that was announced, and once Redis has been there for as long as the bound, all that was
// acknowledged before that, announced or not; bounded says that there was such.
func (s *soak) floor(id tracking.ID) (rev int64, bounded bool) {
	since := time.Now().Add(-soakBound)
	s.mu.Lock()
	defer s.mu.Unlock()
	rev = s.told[id]
	if s.back.Load() > since.UnixNano() {
		return rev, false
	}
	for _, a := range s.acked[id] {
		if a.at.Before(since) {
			rev, bounded = max(rev, a.rev), true
		}
	}
	return rev, bounded
}
