package gateway_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hotfoot/gateway"
	"hotfoot/pubsub"
	"hotfoot/store/postgres"
	"hotfoot/store/redisstore"
	"hotfoot/tracking"
	"hotfoot/tracking/api"
)

// node is a gateway over the shop's stores.
type node struct {
	*shop
	hub      *gateway.Hub
	server   *httptest.Server
	registry *prometheus.Registry
	reads    *counted
	// still ends the hub's ticks, pings and checks.
	still func()
	// ahead is how far the node's clock is ahead of ours.
	ahead atomic.Int64
}

// counted counts what a hub reads.
type counted struct {
	gateway.Records
	record, revs, places atomic.Int64
}

func (c *counted) Record(ctx context.Context, id tracking.ID) (tracking.Record, error) {
	c.record.Add(1)
	return c.Records.Record(ctx, id)
}

func (c *counted) Fresh(ctx context.Context, id tracking.ID) (tracking.Record, error) {
	c.record.Add(1)
	return c.Records.Fresh(ctx, id)
}

func (c *counted) Revs(ctx context.Context, ids []tracking.ID) ([]tracking.Revision, error) {
	c.revs.Add(1)
	return c.Records.Revs(ctx, ids)
}

func (c *counted) NewestOf(ctx context.Context, couriers []tracking.ID) ([]*tracking.Position, error) {
	c.places.Add(1)
	return c.Records.NewestOf(ctx, couriers)
}

// narrow makes a listener's connections hold next to nothing that the peer has not read.
type narrow struct{ net.Listener }

func (l narrow) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		_ = conn.(*net.TCPConn).SetWriteBuffer(4 << 10)
	}
	return conn, err
}

func (s *shop) node(config gateway.Config) *node { return s.nodeOver(nodeParts{config: config}) }

// nodeParts are what a test may put into a node instead of what belongs there.
type nodeParts struct {
	config gateway.Config
	truth  *postgres.Store        // what it asks on a miss, and without Redis
	staff  truth                  // what its live map reads of Postgres
	tune   func(*httptest.Server) // has a look at its server before it starts
}

func (s *shop) nodeOver(parts nodeParts) *node {
	s.t.Helper()
	if parts.truth == nil {
		parts.truth = s.truth
	}
	if parts.staff == nil {
		parts.staff = parts.truth
	}
	n := &node{shop: s, registry: prometheus.NewRegistry()}
	now := func() time.Time { return time.Now().Add(time.Duration(n.ahead.Load())) }
	client := s.connect()
	hot := redisstore.New(client, parts.truth, redisstore.Config{})
	s.run(hot.Run)
	subscriber := pubsub.NewSubscriber(client, s.log)
	s.run(subscriber.Run)
	n.reads = &counted{Records: hot}
	n.hub = gateway.NewHub(feedPort{pubsub.NewFeed(subscriber, s.log)}, n.reads, parts.config, gateway.NewMetrics(n.registry), now, s.log)
	s.t.Cleanup(n.hub.Close)
	n.still = s.run(n.hub.Run)
	contract := api.New(api.Deps{
		Ingest: s.ingest, Records: hot, Couriers: parts.truth, Linker: s.linker, Log: s.log, Metrics: prometheus.NewRegistry(), Now: now,
	}, api.Config{})
	customers := gateway.NewCustomers(n.hub, tracking.NewViewing(s.linker, hot, tracking.ViewingConfig{}, now), func(w http.ResponseWriter, _ *http.Request, err error) {
		contract.RefuseHTTP(w, err)
	})
	ops, couriers := gateway.NewOps(n.hub, staffPort{parts.staff, hot}, contract.RefuseHTTP), gateway.NewCouriers(n.hub, contract, contract.RefuseHTTP)
	mux := http.NewServeMux()
	mux.HandleFunc("/track/{token}/live", func(w http.ResponseWriter, r *http.Request) { customers.Live(w, r, r.PathValue("token")) })
	mux.HandleFunc("/track/{token}/events", func(w http.ResponseWriter, r *http.Request) { customers.Events(w, r, r.PathValue("token")) })
	// Who is let in is not decided here: the key is what the address says.
	held := func(r *http.Request, actor tracking.Actor) tracking.Actor {
		actor.KeyHash = tracking.HashSecret(r.URL.Query().Get("key"))
		return actor
	}
	mux.HandleFunc("/ops", func(w http.ResponseWriter, r *http.Request) { ops.Live(w, r, held(r, s.boss)) })
	mux.HandleFunc("/courier/{id}", func(w http.ResponseWriter, r *http.Request) {
		id, err := tracking.ParseID(r.PathValue("id"))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		couriers.Live(w, r, held(r, tracking.Actor{Role: tracking.RoleCourier, MerchantID: s.merchant, CourierID: id}))
	})
	n.server = httptest.NewUnstartedServer(mux)
	n.server.Listener = narrow{n.server.Listener}
	if parts.tune != nil {
		parts.tune(n.server)
	}
	n.server.Start()
	s.t.Cleanup(func() {
		n.server.CloseClientConnections()
		n.server.Close()
	})
	return n
}

// advance puts the node's clock forward.
func (n *node) advance(d time.Duration) { n.ahead.Add(int64(d)) }

// truth is what a live map reads of Postgres.
type truth interface {
	Couriers(ctx context.Context, merchant tracking.ID, onDuty *bool, after tracking.ID, limit int) ([]tracking.Courier, error)
	Active(ctx context.Context, merchant tracking.ID, limit int) ([]tracking.Record, error)
	Records(ctx context.Context, deliveries []tracking.ID) ([]tracking.Record, error)
}

type staffPort struct {
	truth
	*redisstore.Store
}

// feedPort is what cmd does: the two packages do not know each other.
type feedPort struct{ feed *pubsub.Feed }

func (p feedPort) Delivery(id tracking.ID, changed func(tracking.Record), live func(bool)) gateway.Watch {
	return p.feed.Delivery(id, changed, live)
}

func (p feedPort) Courier(id tracking.ID, moved func(tracking.Position), calm func(), live func(bool)) gateway.Watch {
	return p.feed.Courier(id, moved, calm, live)
}

func (p feedPort) Jobs(courier tracking.ID, changed func(), live func(bool)) gateway.Watch {
	return p.feed.Jobs(courier, changed, live)
}

func (p feedPort) Fleet(merchant tracking.ID, moved func(tracking.ID, tracking.Position), changed func(tracking.Record), staffed func(tracking.Courier), live func(bool)) []gateway.Watch {
	var watches []gateway.Watch
	for _, w := range p.feed.Fleet(merchant, moved, changed, staffed, live) {
		watches = append(watches, w)
	}
	return watches
}

// count reads one of the node's metrics, named as it is exposed.
func (n *node) count(t *testing.T, name string) float64 {
	t.Helper()
	families, err := n.registry.Gather()
	must(t, err)
	for _, family := range families {
		for _, m := range family.GetMetric() {
			labels := make([]string, 0, 2)
			for _, l := range m.GetLabel() {
				labels = append(labels, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
			}
			full := family.GetName()
			if len(labels) > 0 {
				full += "{" + strings.Join(labels, ",") + "}"
			}
			if full == name {
				return m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	t.Fatalf("there is no metric %s", name)
	return 0
}
