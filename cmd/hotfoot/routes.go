package main

import (
	"net/http"
	"net/http/pprof"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"hotfoot/gateway"
	"hotfoot/pubsub"
	"hotfoot/tracking"
	"hotfoot/tracking/api"
	"hotfoot/web"
)

// mountHealth tells a supervisor whether the process lives, and a balancer whether to send it work.
func (n *node) mountHealth(engine *gin.Engine) {
	engine.GET("/healthz", func(c *gin.Context) { c.String(http.StatusOK, "ok\n") })
	engine.GET("/readyz", func(c *gin.Context) {
		// One store that is away does not make a node useless: each stands in for the other, and no other node would fare better. One that
		// reaches neither may be cut off alone, so the balancer may look for a better one.
		switch {
		case n.draining.Load():
			c.String(http.StatusServiceUnavailable, "draining\n")
		case n.bothAway():
			c.String(http.StatusServiceUnavailable, "neither Postgres nor Redis answers\n")
		default:
			c.String(http.StatusOK, "ready\n")
		}
	})
}

// mountFiles serves what the pages are made of.
func mountFiles(engine *gin.Engine, site *web.Site) {
	assets, basemap := gin.WrapH(site.Assets()), gin.WrapH(site.Basemap())
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		engine.Handle(method, "/assets/*path", assets)
		engine.Handle(method, "/map/*path", basemap)
	}
	engine.GET("/", func(c *gin.Context) { c.Redirect(http.StatusFound, "/docs") })
}

// mountSockets serves the gateway's sockets and streams.
func (n *node) mountSockets(engine *gin.Engine, server *api.Server, viewing *tracking.Viewing) {
	customers := gateway.NewCustomers(n.hub, viewing, server.RefuseLink)
	engine.GET("/v1/track/:token/live", server.Discreet, server.LimitHandshake, func(c *gin.Context) { customers.Live(c.Writer, c.Request, c.Param("token")) })
	engine.GET("/v1/track/:token/events", server.Discreet, server.LimitHandshake, func(c *gin.Context) { customers.Events(c.Writer, c.Request, c.Param("token")) })
	ops := gateway.NewOps(n.hub, fleetPort{n.truth, n.hot}, server.RefuseHTTP)
	engine.GET("/v1/ops/live", server.LimitHandshake, func(c *gin.Context) {
		if actor, ok := server.Admit(c, tracking.RoleOps, tracking.RoleMerchant); ok {
			ops.Live(c.Writer, c.Request, actor)
		}
	})
	couriers := gateway.NewCouriers(n.hub, server, server.RefuseHTTP)
	engine.GET("/v1/courier/live", server.LimitHandshake, func(c *gin.Context) {
		if actor, ok := server.Admit(c, tracking.RoleCourier); ok {
			couriers.Live(c.Writer, c.Request, actor)
		}
	})
}

// adminHandler serves operators: metrics and profiles.
func (n *node) adminHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/metrics", promhttp.HandlerFor(n.registry, promhttp.HandlerOpts{EnableOpenMetrics: true}))
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}

// feedPort gives the gateway its own kind of Watch; the two packages do not know each other.
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
	watches := p.feed.Fleet(merchant, moved, changed, staffed, live)
	out := make([]gateway.Watch, len(watches))
	for i, w := range watches {
		out[i] = w
	}
	return out
}
