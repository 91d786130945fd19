package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"hotfoot/store/postgres"
	"hotfoot/store/redisstore"
	"hotfoot/tracking"
	"hotfoot/tracking/api"
	"hotfoot/tracking/trackingtest"
	"hotfoot/web"
)

// bare is every route of a node without a store: deliveries are made in memory, positions are taken, and whatever else has passed the checks of the
// edge is told that the stores are away. So it answers tens of thousands of requests a second, and shows how far each one gets.
type bare struct {
	engine *gin.Engine
	keys   keyring
	log    *syncBuffer
}

// keyring knows a key of each role, by its hash.
type keyring struct {
	holders map[[32]byte]tracking.Actor
	secrets map[tracking.Role]string
}

// Actor implements api.Actors.
func (k keyring) Actor(_ context.Context, hash [32]byte) (tracking.Actor, error) {
	if actor, known := k.holders[hash]; known {
		return actor, nil
	}
	return tracking.Actor{}, tracking.Errorf(tracking.CodeUnauthorized, "unknown key")
}

func newKeyring() keyring {
	k := keyring{map[[32]byte]tracking.Actor{}, map[tracking.Role]string{}}
	merchant, courier := tracking.NewID(), tracking.NewID()
	for _, role := range []tracking.Role{tracking.RoleMerchant, tracking.RoleOps, tracking.RoleCourier} {
		key, secret := tracking.NewKey(merchant, role, courier, "test")
		k.holders[tracking.HashSecret(secret)] = tracking.Actor{Role: role, MerchantID: merchant, CourierID: courier, KeyID: key.ID, KeyHash: tracking.HashSecret(secret)}
		k.secrets[role] = secret
	}
	return k
}

// hotAlone takes every position.
type hotAlone struct{}

// Place implements tracking.Hot.
func (hotAlone) Place(context.Context, tracking.Placement) (tracking.Placed, error) {
	return tracking.Placed{Moved: 1}, nil
}

// MarkDurable implements tracking.Hot.
func (hotAlone) MarkDurable(context.Context, []tracking.Mark) error { return nil }

// Commit implements tracking.Direct.
func (hotAlone) Commit(context.Context, tracking.Batch, tracking.Plausibility) (tracking.Commitment, error) {
	return tracking.Commitment{}, tracking.Unavailable("Postgres", nil)
}

// DurableSeq implements tracking.Sessions.
func (hotAlone) DurableSeq(context.Context, tracking.ID, string) (int64, error) { return 0, nil }

func newBare(t testing.TB) *bare {
	t.Helper()
	b := &bare{keys: newKeyring(), log: &syncBuffer{}}
	log, registry := slog.New(slog.NewTextHandler(b.log, nil)), prometheus.NewRegistry()
	check := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	// Of what is closed already nobody waits to hear that it is away.
	pool, err := pgxpool.New(t.Context(), "postgres://127.0.0.1:1/none")
	check(err)
	pool.Close()
	client, err := redisstore.Connect("redis://127.0.0.1:1")
	check(err)
	check(client.Close())
	linker, err := tracking.NewLinker([]byte(secret))
	check(err)
	passes, err := tracking.NewPasses([]byte(secret))
	check(err)
	pages, err := web.New(web.Config{})
	check(err)
	store := postgres.New(pool, nil)
	hot := redisstore.New(client, store, redisstore.Config{})
	answers := redisstore.NewAside(hot, func(tracking.ID, func(), func(bool)) redisstore.Watch { return unwatched{} }, registry, api.Computations...)
	relay := tracking.NewRelay(store, hot, tracking.RelayConfig{}, log)
	front := tracking.NewLimitFront(redisstore.NewLimiter(client), time.Now)
	auth := api.NewAuth(b.keys)
	t.Cleanup(auth.Close)
	server := api.New(api.Deps{
		Dispatch: tracking.NewDispatch(trackingtest.NewMemory(), relay, time.Now),
		Ingest:   tracking.NewIngest(hotAlone{}, hotAlone{}, hotAlone{}, tracking.Plausibility{}, time.Now),
		Roster:   tracking.NewRoster(store, nil, relay, time.Now, log), Locksmith: tracking.NewLocksmith(store, nil, time.Now, log),
		Tenancy: tracking.NewTenancy(store, relay, time.Now, log), Viewing: tracking.NewViewing(linker, hot, tracking.ViewingConfig{}, time.Now), Linker: linker, Auth: auth, Passes: passes,
		Records: hot, Checks: tracking.NewLimitChecks(front, tracking.NewLimitLog(store, tracking.LimitLogConfig{}, time.Now, log), time.Now), Counts: store, Trail: store,
		Deliveries: store, Couriers: store, Ops: store, Hot: hot, Answers: answers, Board: tracking.NewLeaderboard(hot, store, hot, time.Now),
		Roads: tracking.NewRoads(nil, nil, tracking.RoadsConfig{}), Pages: pages, Log: log, Metrics: registry, Now: time.Now,
	}, api.Config{Version: "test", PublicURL: "https://track.example"})
	b.engine = api.NewEngine(registry, log)
	server.Mount(b.engine)
	return b
}

// unwatched is a segment of which nothing is ever told.
type unwatched struct{}

// Close implements redisstore.Watch.
func (unwatched) Close() {}

// routes are those of the contract that this server serves, in the order of the contract.
func (b *bare) routes() []route {
	return slices.DeleteFunc(slices.Clone(contract), func(r route) bool { return r.socket })
}

// ask sends a request through the engine as net/http would, or answers nil for one that net/http lets nobody see.
func (b *bare) ask(r route, id, query string, body []byte, header http.Header) *httptest.ResponseRecorder {
	path, own, _ := strings.Cut(r.path, "?")
	path = strings.NewReplacer("{id}", url.PathEscape(id), "{token}", url.PathEscape(id)).Replace(path)
	if query == "" {
		query = own
	}
	address, err := url.ParseRequestURI(path + "?" + query)
	if err != nil {
		return nil
	}
	request := httptest.NewRequest(r.method, "/", bytes.NewReader(body))
	request.URL, request.RequestURI, request.Header = address, address.RequestURI(), header
	if len(r.roles) > 0 && header.Get("Authorization") == "" && header.Get("Cookie") == "" {
		header.Set("Authorization", "Bearer "+b.keys.secrets[r.roles[0]])
	}
	recorder := httptest.NewRecorder()
	b.engine.ServeHTTP(recorder, request)
	return recorder
}

// sound fails unless an answer is what the contract says of all: never a fault of ours, and every refusal a complete problem of a known code that shows
// nothing of the inside.
func (b *bare) sound(t *testing.T, r route, got *httptest.ResponseRecorder) {
	t.Helper()
	status, body := got.Code, got.Body.Bytes()
	if status == http.StatusInternalServerError {
		t.Fatalf("%s: 500: %s\n%s", r, body, b.log)
	}
	if status < 400 {
		return
	}
	if kind := got.Header().Get("Content-Type"); kind != "application/problem+json" {
		t.Fatalf("%s: %d with the type %q: %s", r, status, kind, body)
	}
	var p api.Problem
	if err := json.Unmarshal(body, &p); err != nil {
		t.Fatalf("%s: %v: %s", r, err, body)
	}
	if !slices.Contains(tracking.Codes, p.Code) || p.Code == tracking.CodeInternal || p.Status != status || p.Title != http.StatusText(status) || p.Type != "about:blank" {
		t.Fatalf("%s: %d with an incomplete problem: %s", r, status, body)
	}
	if len(body) > 32<<10 {
		t.Fatalf("%s: %d bytes of refusal", r, len(body))
	}
}
