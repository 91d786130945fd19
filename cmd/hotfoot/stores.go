package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"

	"hotfoot/store/postgres"
	"hotfoot/store/redisstore"
	"hotfoot/store/redisstore/vitals"
	"hotfoot/tracking"
)

// stores are the two stores as a node sees them: a client of each, and a breaker that answers for it while it does not.
type stores struct {
	flags nodeFlags
	log   *slog.Logger

	pool        *pgxpool.Pool
	pinger      *postgres.Pinger
	truth       *postgres.Store
	truthSwitch *tracking.Breaker

	client    redis.UniversalClient
	probe     *redisstore.Probe
	hot       *redisstore.Store
	hotSwitch *tracking.Breaker
	vitals    *vitals.Watch

	// rewritten is called when the truth's history was rewritten, once the hot store knows; nil for nobody.
	rewritten func()

	// unchecked are the stores whose settings could not be looked at yet.
	unchecked []check
}

// check looks at one store's settings. ErrUnsafe and the like end the node; an error of reaching it does not.
type check struct {
	store string
	run   func(context.Context) error
}

// maxConns is how many Postgres connections a node holds at most: requests are short, and a hundred nodes must fit a server.
const maxConns = 16

// openStores makes the clients; it does not wait for the servers.
func openStores(flags nodeFlags, log *slog.Logger) (_ *stores, err error) {
	s := &stores{flags: flags, log: log}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if s.pool, err = postgres.Connect(flags.DatabaseURL, maxConns); err != nil {
		return nil, err
	}
	if s.pinger, err = postgres.NewPinger(flags.DatabaseURL); err != nil {
		return nil, err
	}
	if s.client, err = redisstore.Connect(flags.RedisURL); err != nil {
		return nil, err
	}
	if s.probe, err = redisstore.NewProbe(flags.RedisURL); err != nil {
		return nil, err
	}
	redis.SetLogger(redisLog{log})
	s.truthSwitch = tracking.NewBreaker("Postgres", s.pinger.Ping, tracking.BreakerConfig{}, log)
	s.hotSwitch = tracking.NewBreaker("Redis", s.probe.Ping, tracking.BreakerConfig{}, log)
	redisstore.Guard(s.client, s.hotSwitch)
	s.vitals = vitals.NewWatch(s.client, vitals.Config{}, log)
	s.truth = postgres.New(s.pool, s.truthSwitch)
	s.hot = redisstore.New(s.client, s.truth, redisstore.Config{BacklogBytes: int64(flags.BacklogMB) << 20})
	s.probe.Tell(s.hot.SetRuns)
	s.unchecked = []check{{"Postgres", s.checkTruth}, {"Redis", s.checkHot}}
	return s, nil
}

// redisLog brings what the Redis client says into our log; it says it again with every failed attempt, and we say it once, so: for debugging.
type redisLog struct{ log *slog.Logger }

func (l redisLog) Printf(ctx context.Context, format string, v ...any) {
	l.log.DebugContext(ctx, "redis client", "said", fmt.Sprintf(format, v...))
}

// unreachable marks an error that says nothing about a store but that it did not answer.
type unreachable struct{ error }

func (e unreachable) Unwrap() error { return e.error }

func (s *stores) checkTruth(ctx context.Context) error {
	if err := postgres.CheckSettings(ctx, s.pool); err != nil {
		switch {
		case errors.Is(err, postgres.ErrUnsafe):
			return s.unsafe(err)
		case errors.Is(err, postgres.ErrTooOld):
			return err
		}
		return unreachable{err}
	}
	if err := checkSchema(ctx, s.pool); errors.Is(err, errBehind) {
		return err
	} else if err != nil {
		return unreachable{err}
	}
	return nil
}

func (s *stores) checkHot(ctx context.Context) error {
	if err := redisstore.CheckSettings(ctx, s.client); err != nil {
		if errors.Is(err, redisstore.ErrUnsafe) {
			return s.unsafe(err)
		}
		return unreachable{err}
	}
	return nil
}

// unsafe is what becomes of a server that may lose what we have acknowledged.
func (s *stores) unsafe(err error) error {
	if s.flags.AllowUnsafeStores {
		s.log.Warn("running on an unsafe store", "reason", err)
		return nil
	}
	return fmt.Errorf("%w (or run with --allow-unsafe-stores, and lose what it says)", err)
}

// check looks at the settings of the stores that have not been looked at. One that does not answer is looked at later: a node that was
// restarted during an outage must serve what can be served.
func (s *stores) check(ctx context.Context) error {
	var later []check
	for _, c := range s.unchecked {
		ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
		err := c.run(ctx)
		cancel()
		if errors.As(err, new(unreachable)) {
			s.log.Warn("a store does not answer; serving what can be served without it", "store", c.store, "error", err)
			later = append(later, c)
			continue
		}
		if err != nil {
			return err
		}
	}
	s.unchecked = later
	return nil
}

// learnRuns has the hot store know in which runs of its servers it keeps things before it keeps the first. What it kept without knowing would count as left of
// another run, and whoever read it would ask Postgres too, until it is kept anew. Servers that do not answer are asked again by the breaker.
func (s *stores) learnRuns(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	_ = s.probe.Ping(ctx)
}

// checkLater ends with an error when a store that was away at the start turns out to be unfit.
func (s *stores) checkLater(ctx context.Context) error {
	return every(ctx, 5*time.Second, func() error {
		if len(s.unchecked) == 0 {
			return nil
		}
		err := s.check(ctx)
		if ctx.Err() != nil {
			return nil
		}
		return err
	})
}

// watchEpoch tells the hot store when the truth's history was rewritten, so that it forgets a future that did not happen.
func (s *stores) watchEpoch(ctx context.Context) error {
	known := int64(0)
	return every(ctx, epochEvery, func() error {
		ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
		defer cancel()
		epoch, err := s.truth.Epoch(ctx)
		if err != nil {
			return nil // it changes so seldom that the next look will do
		}
		s.hot.SetEpoch(epoch)
		if known != 0 && epoch != known {
			s.log.Warn("the epoch was raised: what is hot is read again from Postgres", "from", known, "to", epoch)
			if s.rewritten != nil {
				s.rewritten()
			}
		}
		known = epoch
		return nil
	})
}

// epochEvery is how long a node may go on with a history that was rewritten.
const epochEvery = 5 * time.Second

// every calls fn at once and then at each interval, until it fails or ctx ends.
func every(ctx context.Context, interval time.Duration, fn func() error) error {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		if err := fn(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// loops are what the stores need to have run beside them.
func (s *stores) loops(loop func(name string, run func(context.Context) error)) {
	loop("Postgres' breaker", s.truthSwitch.Run)
	loop("Redis' breaker", s.hotSwitch.Run)
	loop("store checks", s.checkLater)
	loop("epoch", s.watchEpoch)
	loop("owed marks", s.hot.Run)
	loop("Redis' vitals", s.vitals.Run)
}

// bothAway says that this node can serve nothing at all.
func (s *stores) bothAway() bool { return s.truthSwitch.Allow() != nil && s.hotSwitch.Allow() != nil }

// close lets go of the stores; it may be called on what was opened in part.
func (s *stores) close() {
	if s.probe != nil {
		s.probe.Close()
	}
	if s.client != nil {
		_ = s.client.Close()
	}
	if s.pinger != nil {
		s.pinger.Close()
	}
	if s.pool != nil {
		s.closePool()
	}
}

// goodbyeLimit is how long the pool may take to part from its server.
const goodbyeLimit = 2 * time.Second

// closePool waits for connections to end, but not for a server that hangs: pgx gives each connection that was broken off a quarter of a minute for
// a goodbye which nobody needs any more.
func (s *stores) closePool() {
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		s.pool.Close()
	}()
	limit := time.NewTimer(goodbyeLimit)
	defer limit.Stop()
	select {
	case <-closed:
	case <-limit.C:
	}
}
