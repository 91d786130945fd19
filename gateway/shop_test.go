package gateway_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"hotfoot/gateway"
	"hotfoot/pubsub"
	"hotfoot/store/postgres"
	"hotfoot/store/redisstore"
	"hotfoot/store/storetest"
	"hotfoot/tracking"
	"hotfoot/tracking/api"
)

// patience bounds every wait: what is waited for takes milliseconds, except under -race on a busy machine.
const patience = 30 * time.Second

// shop is a merchant with its stores and use cases; nodes serve its viewers.
type shop struct {
	t        *testing.T
	redisURL string
	client   redis.UniversalClient
	truth    *postgres.Store
	hot      *redisstore.Store
	linker   *tracking.Linker
	dispatch *tracking.Dispatch
	roster   *tracking.Roster
	ingest   *tracking.Ingest
	merchant tracking.ID
	boss     tracking.Actor
	log      *slog.Logger
}

func newShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{t: t, redisURL: storetest.RedisURL(t), truth: postgres.New(storetest.Postgres(t)), log: slog.New(slog.DiscardHandler)}
	s.client = s.connect()
	s.hot = redisstore.New(s.client, s.truth)
	var err error
	s.linker, err = tracking.NewLinker([]byte(strings.Repeat("k", 32)))
	s.must(err)
	m, err := s.truth.Merchant(t.Context(), "Corner Kitchen", time.Now())
	s.must(err)
	s.merchant = m.ID
	s.boss = tracking.Actor{Role: tracking.RoleMerchant, MerchantID: m.ID, KeyID: tracking.NewID()}
	relay := tracking.NewRelay(s.truth, s.hot, tracking.RelayConfig{Patience: patience}, s.log)
	s.run(relay.Run)
	s.dispatch = tracking.NewDispatch(s.truth, relay, time.Now)
	s.roster = tracking.NewRoster(s.truth, s.hot, pubsub.NewControl(s.client), relay, time.Now, s.log)
	s.ingest = tracking.NewIngest(s.hot, nil, s.truth, time.Now) // nobody here asks to wait for Postgres
	return s
}

func (s *shop) connect() redis.UniversalClient {
	s.t.Helper()
	client, err := redisstore.Connect(s.redisURL)
	s.must(err)
	s.t.Cleanup(func() { _ = client.Close() })
	return client
}

// run runs a loop until the test ends, or until it is stopped before.
func (s *shop) run(loop func(context.Context) error) (stopAndWait func()) {
	ctx, stop := context.WithCancel(context.Background())
	var wait sync.WaitGroup
	wait.Go(func() { _ = loop(ctx) })
	stopAndWait = func() {
		stop()
		wait.Wait()
	}
	s.t.Cleanup(stopAndWait)
	return stopAndWait
}

func (s *shop) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// hire makes a courier who is on duty.
func (s *shop) hire(name string) tracking.Actor {
	s.t.Helper()
	c, _, err := s.roster.Hire(s.t.Context(), s.boss, tracking.Courier{Name: name, Vehicle: tracking.Bike})
	s.must(err)
	phone := tracking.Actor{Role: tracking.RoleCourier, MerchantID: s.merchant, CourierID: c.ID, KeyID: tracking.NewID()}
	s.shift(phone, true)
	return phone
}

func (s *shop) shift(phone tracking.Actor, onDuty bool) {
	s.t.Helper()
	_, err := s.roster.SetShift(s.t.Context(), phone, onDuty)
	s.must(err)
}

var (
	kitchen = tracking.Place{Lat: 37.7812, Lon: -122.4112, Name: "Corner Kitchen"}
	home    = tracking.Place{Lat: 37.7893, Lon: -122.4010, Address: "1 Main Street"}
)

// deliver makes a delivery, assigned to whom the phone belongs, and takes it through the statuses.
func (s *shop) deliver(phone tracking.Actor, statuses ...tracking.Status) tracking.Record {
	s.t.Helper()
	r, err := s.dispatch.Create(s.t.Context(), s.boss, tracking.Draft{Pickup: kitchen, Dropoff: home, CourierID: phone.CourierID}, tracking.Once{})
	s.must(err)
	for _, status := range statuses {
		r = s.report(phone, r, status)
	}
	return r
}

func (s *shop) report(phone tracking.Actor, r tracking.Record, status tracking.Status) tracking.Record {
	s.t.Helper()
	reported, err := s.dispatch.Report(s.t.Context(), phone, r.Delivery.ID, tracking.Move{
		To: status, ClientID: tracking.NewID().String(), Actor: phone, Reason: "as it was",
	})
	s.must(err)
	return reported.Record
}

// move has a phone report a fix of now at a latitude.
func (s *shop) move(phone tracking.Actor, lat, lon float64) {
	s.t.Helper()
	s.moveAt(phone, lat, lon, time.Now())
}

func (s *shop) moveAt(phone tracking.Actor, lat, lon float64, at time.Time) {
	s.t.Helper()
	_, err := s.ingest.Take(s.t.Context(), phone, tracking.PositionReport{
		Points: []tracking.Point{{Position: tracking.Position{RecordedAt: at.UTC().Truncate(time.Millisecond), Lat: lat, Lon: lon}}},
	})
	s.must(err)
}

func (s *shop) token(r tracking.Record) string {
	return s.linker.Token(r.Delivery.ID, r.Delivery.LinkGen)
}

// node is a gateway over the shop's stores.
type node struct {
	*shop
	hub      *gateway.Hub
	server   *httptest.Server
	registry *prometheus.Registry
	// still ends the hub's ticks, pings and checks.
	still func()
	// ahead is how far the node's clock is ahead of ours.
	ahead atomic.Int64
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

func (s *shop) node(config gateway.Config) *node { return s.nodeOver(config, s.truth, nil) }

// nodeOver lets a test put something between the node and the truth of its live map, and tune its server.
func (s *shop) nodeOver(config gateway.Config, staff truth, tune func(*httptest.Server)) *node {
	s.t.Helper()
	n := &node{shop: s, registry: prometheus.NewRegistry()}
	now := func() time.Time { return time.Now().Add(time.Duration(n.ahead.Load())) }
	client := s.connect()
	hot := redisstore.New(client, s.truth)
	subscriber := pubsub.NewSubscriber(client, s.log)
	s.run(subscriber.Run)
	n.hub = gateway.NewHub(feedPort{pubsub.NewFeed(subscriber, s.log)}, hot, config, gateway.NewMetrics(n.registry), now, s.log)
	s.t.Cleanup(n.hub.Close)
	n.still = s.run(n.hub.Run)
	contract := api.New(api.Deps{
		Ingest: s.ingest, Records: hot, Couriers: s.truth, Linker: s.linker, Log: s.log, Metrics: prometheus.NewRegistry(), Now: now,
	}, api.Config{})
	customers := gateway.NewCustomers(n.hub, tracking.NewViewing(s.linker, hot, now), func(w http.ResponseWriter, _ *http.Request, err error) {
		contract.RefuseHTTP(w, err)
	})
	ops, couriers := gateway.NewOps(n.hub, staffPort{staff, hot}), gateway.NewCouriers(n.hub, contract)
	mux := http.NewServeMux()
	mux.HandleFunc("/track/{token}/live", func(w http.ResponseWriter, r *http.Request) { customers.Live(w, r, r.PathValue("token")) })
	mux.HandleFunc("/track/{token}/events", func(w http.ResponseWriter, r *http.Request) { customers.Events(w, r, r.PathValue("token")) })
	mux.HandleFunc("/ops", func(w http.ResponseWriter, r *http.Request) { ops.Live(w, r, s.boss) })
	mux.HandleFunc("/courier/{id}", func(w http.ResponseWriter, r *http.Request) {
		id, err := tracking.ParseID(r.PathValue("id"))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		couriers.Live(w, r, tracking.Actor{Role: tracking.RoleCourier, MerchantID: s.merchant, CourierID: id})
	})
	n.server = httptest.NewUnstartedServer(mux)
	n.server.Listener = narrow{n.server.Listener}
	if tune != nil {
		tune(n.server)
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

func (p feedPort) Courier(id tracking.ID, moved func(tracking.Position), live func(bool)) gateway.Watch {
	return p.feed.Courier(id, moved, live)
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
