package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"hotfoot/gateway"
	"hotfoot/pubsub"
	"hotfoot/store/redisstore"
	"hotfoot/tracking"
	"hotfoot/tracking/api"
	"hotfoot/tracking/oidc"
	"hotfoot/web"
)

// node is one process: stores, use cases, and whatever its roles serve.
type node struct {
	*stores
	flags    nodeFlags
	log      *slog.Logger
	registry *prometheus.Registry
	listener net.Listener
	admin    net.Listener

	subscriber *pubsub.Subscriber
	relay      *tracking.Relay
	tenancy    *tracking.Tenancy
	history    *tracking.History
	board      *tracking.Leaderboard
	roads      *roads
	auth       *api.Auth
	oidc       *oidc.Provider // nil for none
	limitLog   *tracking.LimitLog
	answers    *redisstore.Aside
	hub        *gateway.Hub
	public     *http.Server
	private    *http.Server
	draining   atomic.Bool
	leaving    leaving
}

// newNode builds everything and checks the stores, as far as they answer; nothing runs yet. The caller must call run or close.
func newNode(ctx context.Context, flags nodeFlags, log *slog.Logger) (_ *node, err error) {
	if err := flags.validate(); err != nil {
		return nil, err
	}
	if !flags.has(roleGateway) {
		raiseHeapFloor()
	}
	n := &node{flags: flags, log: log, registry: prometheus.NewRegistry()}
	defer func() {
		if err != nil {
			n.close()
		}
	}()
	if n.listener, err = listen(flags.Listen); err != nil {
		return nil, fmt.Errorf("HOTFOOT_LISTEN: %w", err)
	}
	if n.admin, err = net.Listen("tcp", flags.AdminListen); err != nil {
		return nil, fmt.Errorf("HOTFOOT_ADMIN_LISTEN: %w", err)
	}
	if n.stores, err = openStores(flags, log); err != nil {
		return nil, err
	}
	if err := n.check(ctx); err != nil {
		return nil, err
	}
	n.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), newStoreCollector(n), n.hot)
	n.registry.MustRegister(n.vitals)
	n.probe.Timed(newRoundTrips(n.registry))
	n.learnRuns(ctx)
	return n, n.build()
}

// build ties the use cases to their ports.
func (n *node) build() error {
	linker, err := tracking.NewLinker([]byte(n.flags.Secret))
	if err != nil {
		return err
	}
	passes, err := tracking.NewPasses([]byte(n.flags.Secret))
	if err != nil {
		return err
	}
	publicURL := n.flags.publicURL(n.listener.Addr())
	site, err := web.New(web.Config{PublicURL: publicURL, MapStyleURL: n.flags.MapStyleURL, SignIn: n.flags.signInName()})
	if err != nil {
		return err
	}
	signIn, err := n.signIn(publicURL)
	if err != nil {
		return err
	}
	p, err := breakable(ports{
		hot: n.hot, announcer: n.hot, ledger: n.truth, outbox: n.truth, track: n.truth, records: n.hot,
		backlog: pubsub.NewBacklog(n.client, consumerName(), n.log), second: pubsub.NewBacklog(n.client, consumerName(), n.log),
	})
	if err != nil {
		return err
	}
	n.subscriber = pubsub.NewSubscriber(n.client, n.log)
	feed := pubsub.NewFeed(n.subscriber, n.log)
	n.relay = tracking.NewRelay(p.outbox, p.announcer, tracking.RelayConfig{}, n.log)
	n.tenancy = tracking.NewTenancy(n.truth, n.relay, time.Now, n.log)
	stored := newHistoryMetrics(n.registry)
	n.history = tracking.NewHistory(p.track, n.truth, p.backlog, p.hot, tracking.HistoryConfig{Second: p.second, OnStored: stored.observe, OnBuried: stored.buried.Inc}, n.log)
	n.auth = api.NewAuth(tracking.NewKeyring(n.truth, n.hot))
	feed.Revoked(n.revoked, n.controlled)
	limits, err := n.buildLimits()
	if err != nil {
		return err
	}
	n.limitLog = limits.log
	n.answers = redisstore.NewAside(n.hot, segmentPort{feed}.watch, n.registry, api.Computations...)
	if n.roads, err = newRoads(n.flags.RoutingURL, n.client, n.registry); err != nil {
		return err
	}
	n.board = tracking.NewLeaderboard(n.hot, n.truth, n.hot, time.Now)
	viewing := tracking.NewViewing(linker, p.records, tracking.ViewingConfig{LinkLife: n.flags.LinkTTL, Stale: n.truthSwitch.Since}, time.Now)
	nodes := revoker{pubsub.NewControl(n.client), n.hot}
	server := api.New(api.Deps{
		Dispatch: tracking.NewDispatch(p.ledger, n.relay, time.Now),
		Ingest:   tracking.NewIngest(p.hot, n.history, n.truth, tracking.Plausibility{MaxSpeedMPS: n.flags.MaxSpeedMPS}, time.Now),
		Roster:   tracking.NewRoster(n.truth, nodes, n.relay, time.Now, n.log), Locksmith: tracking.NewLocksmith(n.truth, nodes, time.Now, n.log), Tenancy: n.tenancy,
		Viewing: viewing, Linker: linker, Auth: n.auth, Passes: passes, SignIn: signIn, Records: p.records, Deliveries: n.truth, Couriers: n.truth, Ops: n.truth, Hot: n.hot,
		Limits: limits.Limits, Checks: limits.checks, Counts: n.truth, Trail: n.truth, Answers: n.answers, Board: n.board, Roads: n.roads.Roads,
		Pages: site, Log: n.log, Metrics: n.registry, Now: time.Now,
	}, api.Config{Version: version, PublicURL: publicURL})

	engine := api.NewEngine(n.registry, n.log)
	n.mountHealth(engine)
	mountFiles(engine, site)
	if n.flags.has(roleAPI) {
		server.Mount(engine)
	}
	if n.flags.has(roleGateway) {
		config := gateway.Config{
			Origins: append(n.flags.Origins, n.flags.origin(publicURL)), StaleSince: n.truthSwitch.Since, Keys: n.truth,
			MaxPerAddress: n.flags.SocketsPerAddress, MaxPerKey: n.flags.SocketsPerKey, Network: limits.proxies.Network,
		}
		n.hub = gateway.NewHub(feedPort{feed}, p.records, config, gateway.NewMetrics(n.registry), time.Now, n.log)
		n.rewritten = n.hub.Rewritten
		viewing.Beside(n.hub.View)
		n.mountSockets(engine, server, viewing)
	}
	n.leaving.draining = &n.draining
	n.public = &http.Server{
		Handler: n.leaving.wrap(api.Guard(engine, limits.proxies)), ConnState: n.leaving.count,
		// Also of a TLS handshake. Sockets and streams set limits of their own; an answer that takes longer is taken byte by byte, to hold us up.
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(n.log.Handler(), slog.LevelDebug),
	}
	n.private = &http.Server{Handler: n.adminHandler(), ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10}
	if n.flags.TLSCert == "" {
		return nil
	}
	own, err := newCertificate(n.flags.TLSCert, n.flags.TLSKey, n.log)
	if err != nil {
		return err
	}
	n.public.TLSConfig = own.config()
	return nil
}

// revoked is called when a key was revoked somewhere.
func (n *node) revoked(hash [32]byte) {
	n.auth.Forget(hash)
	if n.hub != nil {
		n.hub.Revoked(hash)
	}
}

// controlled is called when what every node must hear is heard again, so that something may have been missed, or is not heard any more.
func (n *node) controlled(live bool) {
	if !live {
		return
	}
	n.auth.ForgetAll()
	if n.hub != nil {
		n.hub.RevokedUnheard()
	}
}

// consumerName is this worker's name in the backlog's group: its own among all, whatever host or container it runs in.
func consumerName() string {
	host, _ := os.Hostname()
	return fmt.Sprintf("%s-%d-%s", host, os.Getpid(), tracking.NewID())
}

// stopLimit bounds an orderly stop: container platforms kill after 30 s.
const stopLimit = 25 * time.Second

// run serves until ctx ends, then stops in this order: take no new viewers, send those there are away, let connections end, stop the loops, close the stores.
func (n *node) run(ctx context.Context) error {
	defer n.close()
	loops, stopLoops := context.WithCancel(context.WithoutCancel(ctx))
	defer stopLoops()
	failed := make(chan error, 32)
	var wait sync.WaitGroup
	loop := func(name string, run func(context.Context) error) {
		wait.Go(func() {
			if err := run(loops); err != nil {
				failed <- fmt.Errorf("%s: %w", name, err)
			}
		})
	}
	n.stores.loops(loop)
	loop("subscriber", n.subscriber.Run)
	if n.flags.has(roleAPI) || n.flags.has(roleGateway) {
		loop("direct commits", n.history.RunDirect)
	}
	loop("counts of limits", n.limitLog.Run)
	// Every node that makes changes marks its own; every worker sweeps too, should that node be gone.
	loop("relay", n.relay.Run)
	loop("computed answers", n.answers.Run)
	loop("leaderboard", n.board.Run)
	loop("roads", n.roads.Run)
	loop("tenancy", n.tenancy.Run)
	if n.flags.has(roleWorker) {
		loop("sealing", tracking.NewSealing(n.truth, n.hot, tracking.SealingConfig{}, time.Now, n.log).Run)
		loop("retention", n.retention().Run)
		loop("audit", tracking.NewAuditor(n.truth, tracking.AuditorConfig{}, n.log).Run)
		loop("history", n.history.Run)
		loop("partitions", n.keepPartitions)
		loop("old counts of limits", n.forgetLimitCounts)
	}
	if n.hub != nil {
		loop("hub", n.hub.Run)
	}
	serve := func(server *http.Server, listener net.Listener) func(context.Context) error {
		return func(context.Context) error {
			if server.TLSConfig != nil {
				listener = tls.NewListener(listener, server.TLSConfig)
			}
			if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		}
	}
	loop("HTTP", serve(n.public, n.listener))
	loop("admin HTTP", serve(n.private, n.admin))
	n.log.Info("serving", "address", n.listener.Addr().String(), "admin", n.admin.Addr().String(), "roles", n.flags.Roles)

	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	n.log.Info("stopping")
	n.draining.Store(true)
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopLimit)
	defer cancel()
	if n.hub != nil {
		n.hub.Drain(stopping)
		n.hub.Close()
	}
	n.leaving.wait(stopping)
	if shutdownErr := n.public.Shutdown(stopping); shutdownErr != nil {
		_ = n.public.Close()
	}
	_ = n.private.Close()
	stopLoops()
	wait.Wait()
	return err
}

// close lets go of the stores and listeners; it may be called on a node that was built in part.
func (n *node) close() {
	if n.auth != nil {
		n.auth.Close()
	}
	if n.oidc != nil {
		n.oidc.Close()
	}
	if n.roads != nil {
		n.roads.close()
	}
	if n.stores != nil {
		n.stores.close()
	}
	for _, l := range []net.Listener{n.listener, n.admin} {
		if l != nil {
			_ = l.Close()
		}
	}
}

// How far ahead and back there are daily partitions: points as old as a phone may keep them, and days enough to notice a worker that is gone.
const (
	partitionsAhead = 4 * 24 * time.Hour
	partitionsBack  = tracking.MaxAge + 24*time.Hour
)

func (n *node) keepPartitions(ctx context.Context) error {
	return every(ctx, time.Hour, func() error {
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		now := time.Now()
		if err := n.truth.EnsurePartitions(ctx, now.Add(-partitionsBack), now.Add(partitionsAhead)); err != nil && ctx.Err() == nil {
			n.log.Warn("making the next days' partitions failed; they are made when needed", "error", err)
		}
		return nil
	})
}

// retention ends what was kept for long enough.
func (n *node) retention() *tracking.Retention {
	config := tracking.RetentionConfig{PositionDays: n.flags.KeepPositions, DeliveryDays: n.flags.KeepDeliveries, AuditDays: n.flags.KeepAudit, OnRound: newRetentionMetrics(n.registry)}
	return tracking.NewRetention(n.truth, n.hot, n.hot, config, time.Now, n.log)
}
