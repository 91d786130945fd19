package gateway_test

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"

	"hotfoot/pubsub"
	"hotfoot/store/postgres"
	"hotfoot/store/redisstore"
	"hotfoot/store/storetest"
	"hotfoot/tracking"
	"hotfoot/tracking/trackingtest"
)

// linkSecret seals the shop's links.
const linkSecret = "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"

// patience bounds every wait: what is waited for takes milliseconds, except under -race on a busy machine.
const patience = 30 * time.Second

// shop is a merchant with its stores and use cases; nodes serve its viewers.
type shop struct {
	t        *testing.T
	redisURL string
	client   redis.UniversalClient
	pool     *pgxpool.Pool
	truth    *postgres.Store
	hot      *redisstore.Store
	linker   *tracking.Linker
	dispatch *tracking.Dispatch
	roster   *tracking.Roster
	tenancy  *tracking.Tenancy
	ingest   *tracking.Ingest
	merchant tracking.ID
	boss     tracking.Actor
	log      *slog.Logger
	mu       sync.Mutex
	moved    time.Time // when somebody last moved
}

func newShop(t *testing.T) *shop {
	t.Helper()
	return newShopOver(t, storetest.RedisURL(t))
}

func newShopOver(t *testing.T, redisURL string) *shop {
	t.Helper()
	pool := storetest.Postgres(t)
	s := &shop{t: t, redisURL: redisURL, pool: pool, truth: postgres.New(pool, nil)}
	s.log = slog.New(slog.NewTextHandler(trackingtest.NewGuard(t, linkSecret).Log(t, io.Discard), nil))
	s.client = s.connect()
	s.hot = redisstore.New(s.client, s.truth, redisstore.Config{})
	s.run(s.hot.Run)
	var err error
	s.linker, err = tracking.NewLinker([]byte(linkSecret))
	s.must(err)
	m, err := s.truth.Merchant(t.Context(), "Corner Kitchen", time.Now())
	s.must(err)
	s.merchant = m.ID
	s.boss = tracking.Actor{Role: tracking.RoleMerchant, MerchantID: m.ID, KeyID: tracking.NewID()}
	relay := tracking.NewRelay(s.truth, s.hot, tracking.RelayConfig{Patience: patience}, s.log)
	s.run(relay.Run)
	s.dispatch = tracking.NewDispatch(s.truth, relay, time.Now)
	s.roster = tracking.NewRoster(s.truth, pubsub.NewControl(s.client), relay, time.Now, s.log)
	s.tenancy = tracking.NewTenancy(s.truth, relay, time.Now, s.log)
	s.run(s.tenancy.Run)
	// Couriers here are wherever a test needs them next, and nobody asks to wait for Postgres.
	s.ingest = tracking.NewIngest(s.hot, nil, s.truth, tracking.Plausibility{MaxSpeedMPS: 1e9}, time.Now)
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

// move has a phone report a fix of now, and at least a millisecond after the one before: of two of the same moment the second says nothing new.
func (s *shop) move(phone tracking.Actor, lat, lon float64) {
	s.t.Helper()
	s.mu.Lock()
	at := time.Now()
	if next := s.moved.Add(time.Millisecond); at.Before(next) {
		at = next
	}
	s.moved = at
	s.mu.Unlock()
	s.moveAt(phone, lat, lon, at)
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
