package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"hotfoot/pubsub"
	"hotfoot/store/postgres"
	"hotfoot/store/private"
	"hotfoot/store/redisstore"
	"hotfoot/store/storetest"
	"hotfoot/tracking"
	"hotfoot/tracking/api"
	"hotfoot/tracking/trackingtest"
	"hotfoot/web"
)

// site is a whole node but for its sockets, over stores of its own, with one merchant.
type site struct {
	*tenant
	url      string
	client   *http.Client
	server   *api.Server
	node     *pgxpool.Pool // by which the node knows Postgres; pool is the owner's
	store    *postgres.Store
	pool     *pgxpool.Pool
	redis    *private.Server
	hot      redis.UniversalClient
	boards   tracking.HotBoards
	linker   *tracking.Linker
	registry *prometheus.Registry
	log      *syncBuffer
}

// tenant is a merchant with a key of each role.
type tenant struct {
	id            tracking.ID
	merchant, ops string
}

const secret = "0123456789abcdef0123456789abcdef"

// newSite starts a node without rate limits. Its loops and its server are stopped, and waited for, when the test ends.
func newSite(t *testing.T) *site {
	t.Helper()
	return newLimitedSite(t, "off")
}

// newLimitedSite starts a node with these rate limits, behind a balancer on this machine.
func newLimitedSite(t *testing.T, limits string) *site {
	t.Helper()
	return newSiteWith(t, limits, func(*site, *api.Deps) {})
}

// newSiteWith starts a node that stands on something else, too. Its store is there by then, and its merchant is not.
func newSiteWith(t *testing.T, limits string, change func(*site, *api.Deps)) *site {
	t.Helper()
	s := &site{registry: prometheus.NewRegistry(), log: &syncBuffer{}}
	var err error
	s.pool = storetest.Postgres(t)
	s.redis, err = private.StartRedis(t.Context(), private.Config{Dir: storetest.Dir(t)})
	must(t, err)
	t.Cleanup(s.redis.Kill)
	client, err := redisstore.Connect(s.redis.URL())
	must(t, err)
	s.hot = client
	t.Cleanup(func() { _ = client.Close() })
	s.linker, err = tracking.NewLinker([]byte(secret))
	must(t, err)
	pages, err := web.New(web.Config{})
	must(t, err)

	log := slog.New(slog.NewTextHandler(trackingtest.NewGuard(t, secret).Log(t, s.log), nil))
	// As nodes should: every test here is also one of what they cannot do.
	s.node = storetest.PostgresAs(t, s.pool, "hotfoot_node", postgres.New(s.pool, nil).Grant)
	s.store = postgres.New(s.node, nil)
	hot := redisstore.New(client, s.store, redisstore.Config{})
	subscriber := pubsub.NewSubscriber(client, log)
	// A machine that is busy with other tests may be slower than a request waits for.
	relay := tracking.NewRelay(s.store, hot, tracking.RelayConfig{Patience: 5 * time.Second}, log)
	history := tracking.NewHistory(s.store, s.store, pubsub.NewBacklog(client, tracking.NewID().String(), log), hot, tracking.HistoryConfig{}, log)
	s.boards = hot
	roads := tracking.NewRoads(nil, nil, tracking.RoadsConfig{})
	board := tracking.NewLeaderboard(hot, s.store, hot, time.Now)
	tenancy := tracking.NewTenancy(s.store, relay, time.Now, log)
	auth := api.NewAuth(s.store)
	t.Cleanup(auth.Close)
	feed := pubsub.NewFeed(subscriber, log)
	answers := redisstore.NewAside(hot, func(id tracking.ID, changed func(), live func(bool)) redisstore.Watch {
		return feed.Segment(id, changed, live)
	}, s.registry, api.Computations...)
	revoked := feed.Revoked(auth.Forget, func(bool) { auth.ForgetAll() })
	rules, err := api.ParseLimits(limits)
	must(t, err)
	proxies, err := api.ParseProxies([]string{"127.0.0.1"})
	must(t, err)
	front := tracking.NewLimitFront(redisstore.NewLimiter(client), time.Now)
	counts := tracking.NewLimitLog(s.store, tracking.LimitLogConfig{Every: 50 * time.Millisecond}, time.Now, log)
	passes, err := tracking.NewPasses([]byte(secret))
	must(t, err)
	deps := api.Deps{
		Dispatch:  tracking.NewDispatch(s.store, relay, time.Now),
		Ingest:    tracking.NewIngest(hot, history, s.store, tracking.Plausibility{}, time.Now),
		Roster:    tracking.NewRoster(s.store, pubsub.NewControl(client), relay, time.Now, log),
		Locksmith: tracking.NewLocksmith(s.store, pubsub.NewControl(client), time.Now, log), Tenancy: tenancy,
		Viewing: tracking.NewViewing(s.linker, hot, tracking.ViewingConfig{}, time.Now), Linker: s.linker, Auth: auth, Passes: passes, Records: hot,
		Limits: api.NewLimits(rules, proxies, front, s.registry, time.Now), Checks: tracking.NewLimitChecks(front, counts, time.Now), Counts: s.store, Trail: s.store,
		Deliveries: s.store, Couriers: s.store, Ops: s.store, Hot: hot, Answers: answers, Board: board, Roads: roads, Pages: pages, Log: log, Metrics: s.registry, Now: time.Now,
	}
	change(s, &deps)
	s.server = api.New(deps, api.Config{Version: "test", PublicURL: "https://track.example"})
	engine := api.NewEngine(s.registry, log)
	s.server.Mount(engine)
	s.mountAdmitted(engine)
	serve(t, s, engine)
	s.run(t, counts.Run, subscriber.Run, relay.Run, tenancy.Run, history.Run, history.RunDirect, answers.Run, board.Run)
	select {
	case <-revoked.Ready():
	case <-time.After(time.Minute):
		t.Fatal("the subscription to revoked keys was never confirmed")
	}
	s.tenant = s.newTenant(t, "Corner Kitchen")
	return s
}

func serve(t *testing.T, s *site, handler http.Handler) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	s.url = server.URL
	s.client = server.Client()
	s.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
}

// killRedis takes the hot store away for good.
func (s *site) killRedis() {
	s.redis.Kill()
}

// mountAdmitted stands in for the sockets, which are another package's: it shows that Admit lets the right keys to them.
func (s *site) mountAdmitted(engine *gin.Engine) {
	for path, roles := range map[string][]tracking.Role{
		"/v1/ops/live": {tracking.RoleOps, tracking.RoleMerchant}, "/v1/courier/live": {tracking.RoleCourier},
	} {
		engine.GET(path, s.server.LimitHandshake, func(c *gin.Context) {
			if actor, ok := s.server.Admit(c, roles...); ok {
				c.JSON(http.StatusOK, gin.H{"role": actor.Role})
			}
		})
	}
}

func (s *site) run(t *testing.T, loops ...func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var wait sync.WaitGroup
	for _, loop := range loops {
		wait.Go(func() {
			if err := loop(ctx); err != nil {
				t.Errorf("a loop ended with %v", err)
			}
		})
	}
	t.Cleanup(func() {
		cancel()
		s.redis.Kill() // who is waiting for a message need not wait to the end
		wait.Wait()
	})
}

func (s *site) newTenant(t *testing.T, name string) *tenant {
	t.Helper()
	m, err := postgres.New(s.pool, nil).Merchant(t.Context(), name, time.Now())
	must(t, err)
	made := &tenant{id: m.ID}
	for role, secret := range map[tracking.Role]*string{tracking.RoleMerchant: &made.merchant, tracking.RoleOps: &made.ops} {
		key, text := tracking.NewKey(m.ID, role, tracking.ID{}, "test")
		must(t, s.store.CreateKey(t.Context(), key, time.Now()))
		*secret = text
	}
	return made
}

// do sends a request. body is sent as it is when it is text, and as JSON otherwise; headers are "Name: value".
func (s *site) do(t *testing.T, method, path, key string, body any, headers ...string) answer {
	t.Helper()
	var reader io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(b)
	default:
		encoded, err := json.Marshal(b)
		must(t, err)
		reader = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, s.url+path, reader)
	must(t, err)
	if key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		request.Header.Set(name, value)
	}
	response, err := s.client.Do(request)
	must(t, err)
	defer response.Body.Close()
	a := answer{status: response.StatusCode, header: response.Header}
	a.body, err = io.ReadAll(response.Body)
	must(t, err)
	return a
}

// phone is a courier's app.
type phone struct{ id, token string }

func (s *site) hire(t *testing.T, who *tenant, name string) phone {
	t.Helper()
	c := s.do(t, "POST", "/v1/couriers", who.merchant, object{"name": name, "vehicle": "bike"}).want(t, 201)
	return phone{id: c["id"].(string), token: c["token"].(string)}
}

// onDuty hires a courier and starts their shift.
func (s *site) onDuty(t *testing.T) phone {
	t.Helper()
	p := s.hire(t, s.tenant, "Sam")
	s.do(t, "PUT", "/v1/courier/shift", p.token, object{"on_duty": true}).want(t, 200)
	return p
}

func draft() object {
	return object{
		"pickup":  object{"lat": 37.7812, "lon": -122.4112, "name": "Corner Kitchen"},
		"dropoff": object{"lat": 37.7893, "lon": -122.4010, "address": "1 Main Street"},
	}
}

// with is a copy of an object with fields set, or left out when the value is nil.
func with(o object, changes ...any) object {
	out := object{}
	for k, v := range o {
		out[k] = v
	}
	for i := 0; i < len(changes); i += 2 {
		if changes[i+1] == nil {
			delete(out, changes[i].(string))
			continue
		}
		out[changes[i].(string)] = changes[i+1]
	}
	return out
}

// deliver creates a delivery, assigned when a courier is given.
func (s *site) deliver(t *testing.T, courier string) object {
	t.Helper()
	d := draft()
	if courier != "" {
		d["courier_id"] = courier
	}
	return s.do(t, "POST", "/v1/deliveries", s.merchant, d).want(t, 201)
}

// report moves a delivery through statuses.
func (s *site) report(t *testing.T, p phone, delivery any, statuses ...string) {
	t.Helper()
	for _, status := range statuses {
		s.do(t, "POST", "/v1/courier/deliveries/"+delivery.(string)+"/status", p.token,
			object{"status": status, "client_event_id": tracking.NewID().String()}).want(t, 200)
	}
}

// fix is a position recorded this long ago.
func fix(ago time.Duration, more ...any) object {
	return with(object{"lat": 37.7812, "lon": -122.4112, "recorded_at": stamp(time.Now().Add(-ago))}, more...)
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline.C:
			t.Fatalf("%s: still not so after a minute", what)
		case <-tick.C:
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// syncBuffer is a log that tests can read while it is written.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
