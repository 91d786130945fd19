package api

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	"hotfoot/tracking"
)

// Deps is what the API stands on.
type Deps struct {
	Dispatch   *tracking.Dispatch
	Ingest     *tracking.Ingest
	Roster     *tracking.Roster
	Locksmith  *tracking.Locksmith
	Tenancy    *tracking.Tenancy
	Viewing    *tracking.Viewing
	Linker     *tracking.Linker
	Auth       *Auth
	Passes     *tracking.Passes
	SignIn     *SignIn // nil for none
	Records    tracking.Records
	Deliveries DeliveryQueries
	Couriers   CourierQueries
	Ops        OpsQueries
	Hot        HotQueries
	Limits     *Limits // nil for none
	Checks     *tracking.LimitChecks
	Counts     LimitQueries
	Trail      AuditQueries
	Answers    tracking.Answers
	Board      *tracking.Leaderboard
	Roads      *tracking.Roads
	Pages      Pages
	Log        *slog.Logger
	Metrics    prometheus.Registerer
	Now        func() time.Time
}

// Config is what the API is told by its operator.
type Config struct {
	Version   string
	PublicURL string // what tracking links begin with, without a trailing slash
}

// Server is the HTTP contract on a gin engine.
type Server struct {
	Deps
	config  Config
	auth    *Auth
	log     *slog.Logger
	metrics *metrics
	signIns *prometheus.CounterVec // by result
	huma    huma.API
}

// NewEngine makes the gin engine that the API, the gateway's sockets and the pages share: trusting no proxy, recovering from panics,
// answering what nobody serves with a problem, and counting requests.
func NewEngine(registry prometheus.Registerer, log *slog.Logger) *gin.Engine {
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	// The error concerns malformed CIDRs only, and there are none: X-Forwarded-For is nobody's to choose.
	_ = engine.SetTrustedProxies(nil)
	engine.HandleMethodNotAllowed = true
	// The answer would repeat the path, which may hold a token.
	engine.RedirectTrailingSlash = false
	engine.Use(observe(newHTTPMetrics(registry)), gin.CustomRecoveryWithWriter(io.Discard, func(c *gin.Context, cause any) {
		log.Error("a handler panicked", "route", c.FullPath(), "cause", cause)
		writeProblem(c, problemOf(&tracking.Error{Code: tracking.CodeInternal}))
	}), unpack)
	engine.NoRoute(func(c *gin.Context) {
		writeProblem(c, problemOf(tracking.Errorf(tracking.CodeNotFound, "nothing is served at this path")))
	})
	engine.NoMethod(func(c *gin.Context) {
		p := problemOf(tracking.Errorf(tracking.CodeNotFound, "this path does not take %s", c.Request.Method))
		p.Status, p.Title = http.StatusMethodNotAllowed, http.StatusText(http.StatusMethodNotAllowed)
		writeProblem(c, p)
	})
	return engine
}

// writeProblem answers a plain gin request with a problem.
func writeProblem(c *gin.Context, p *Problem) {
	for name, values := range p.GetHeaders() {
		c.Header(name, values[0])
	}
	c.Abort()
	c.Header("Content-Type", p.ContentType(""))
	c.Status(p.Status)
	_ = encode(c.Writer, p)
}

// encode writes JSON as people read it: "<key>" and not "\u003ckey\u003e". Nothing here is ever put into HTML.
func encode(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(v)
}

// New makes the API without serving it.
func New(deps Deps, config Config) *Server {
	return &Server{Deps: deps, config: config, auth: deps.Auth, log: deps.Log, metrics: newMetrics(deps.Metrics)}
}

// Mount puts every route of the API on the engine.
func (s *Server) Mount(engine *gin.Engine) {
	config := humaConfig(s.config)
	config.Transformers = []huma.Transformer{s.countFramework}
	s.huma = humagin.New(engine, config)
	s.mountDeliveries()
	s.mountLinks()
	s.mountMerchant()
	s.mountCouriers()
	s.mountCourier()
	s.mountViewers()
	s.mountPositions(engine)
	s.mountCustomer(engine)
	s.mountOps()
	s.mountKeys()
	s.mountAudit()
	s.mountSession()
	s.mountSignIn(engine)
	s.mountLimits()
	s.mountLeaderboard()
	s.mountETA()
	s.describeSockets()
}

func humaConfig(config Config) huma.Config {
	c := huma.DefaultConfig("Hotfoot", config.Version)
	c.Info.Description = "Real-time delivery tracking: couriers report, customers watch, dispatchers see everything."
	c.CreateHooks, c.DocsPath, c.SchemasPath = nil, "", ""
	strict := huma.Format{Marshal: encode, Unmarshal: unmarshalStrict}
	c.Formats = map[string]huma.Format{"application/json": strict, "json": strict}
	c.DefaultFormat = "application/json"
	c.RejectUnknownQueryParameters = true
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"key": {Type: "http", Scheme: "bearer", Description: "A key of role merchant, ops or courier."},
	}
	return c
}

// operation fills in what all operations of a group share.
func (s *Server) operation(group, id, method, path, summary string, roles ...tracking.Role) huma.Operation {
	return huma.Operation{
		OperationID: id, Method: method, Path: path, Summary: summary, Tags: []string{group},
		Middlewares: s.roles(roles...), Security: []map[string][]string{{"key": {}}},
		MaxBodyBytes: 64 << 10, BodyReadTimeout: 10 * time.Second,
	}
}

// parseID reads an id of a path. An id that cannot exist is answered as one that does not.
func parseID(text, what string) (tracking.ID, error) {
	id, err := tracking.ParseID(text)
	if err != nil {
		return id, tracking.Errorf(tracking.CodeNotFound, "no such %s", what)
	}
	return id, nil
}

// parseBodyID reads an id of a body, whose error names the field. Empty is the zero id.
func parseBodyID(path, text string) (tracking.ID, error) {
	if text == "" {
		return tracking.ID{}, nil
	}
	id, err := tracking.ParseID(text)
	if err != nil {
		return id, tracking.Invalid(path, "is not an id")
	}
	return id, nil
}

// page is a list and where it goes on.
type page[T any] struct {
	Items      []T     `json:"items"`
	NextCursor *string `json:"next_cursor" doc:"Give it back as cursor for the next page; null at the end."`
}

// pageOf cuts one more item than asked for off into a cursor.
func pageOf[S, T any](found []S, limit int, cursorOf func(S) string, convert func(S) T) page[T] {
	p := page[T]{Items: make([]T, 0, min(len(found), limit))}
	for i, item := range found {
		if i == limit {
			cursor := cursorOf(found[limit-1])
			p.NextCursor = &cursor
			break
		}
		p.Items = append(p.Items, convert(item))
	}
	return p
}

// out is an answer with a body.
type out[T any] struct{ Body T }

// observe counts and times requests by route: never by path, which may hold a token.
func observe(m *httpMetrics) gin.HandlerFunc {
	return func(c *gin.Context) {
		began := time.Now()
		c.Next()
		route := c.FullPath()
		if route == "" {
			route = "none"
		}
		method := methodLabel(c.Request.Method)
		m.requests.WithLabelValues(route, method, strconv.Itoa(c.Writer.Status())).Inc()
		m.seconds.WithLabelValues(route, method).Observe(time.Since(began).Seconds())
	}
}

// methodLabel keeps a client from making a series for each word it can think of.
func methodLabel(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}
