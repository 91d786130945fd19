//go:build linux

package bench

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"hotfoot/cmd/hotfoot/bench/post"
	"hotfoot/cmd/hotfoot/bench/report"
	"hotfoot/cmd/hotfoot/bench/rig"
	"hotfoot/tracking"
	"hotfoot/tracking/key"
)

// stampedeNodes are the processes that the requests of a stampede are spread over.
const stampedeNodes = 3

// What is shown of stampedes, by these names.
const (
	fills      = "fills"
	filled     = "filled after"
	waiters    = "waiters' p99"
	afterwards = "p99 after the fill"
)

// stampedes measures what happens when something that everybody looks at is hot no more.
func (b *Bench) stampedes(ctx context.Context, c *city) error {
	s := b.Sizes.Reads
	table := b.Report.New("reads, stampede", fmt.Sprintf("%d requests for one thing at the same moment, each on an open connection, over %d processes, right after it was deleted from Redis. "+
		"Fills are what Postgres has counted; nobody can be answered before the first fill has ended, so the fill's time is when the first is answered. "+
		"delivery: its table is locked for %v, so that all requests are there before the fill can end. net/http alone: one statement in each process, whose snapshot it answers to all, "+
		"with nothing else on Go's server, which is as fast as that can be. hot: the same requests with nothing deleted, which is what so many answers "+
		"at once take these processes anyway. The kernel says when an answer came", s.Stampede, stampedeNodes, s.Hold))
	link, delivery := c.Fleet[0].Token, c.Fleet[0].Delivery
	snapshot := stampede{first: post.AppendGet(nil, trackPath(link), "", ""), fill: ofRecords, hold: s.Hold}
	snapshot.request, snapshot.forget = snapshot.first, func() error { return c.forget(ctx, delivery) }
	summary := stampede{
		// Of something else: no process may have the summary in its memory.
		first: post.AppendGet(nil, "/v1/ops/couriers?limit=1", c.OpsKey, ""), request: c.summaryRequest(nil, ""), fill: ofSummaries,
		forget: func() error { return c.forgetSummary(ctx) },
	}
	for _, kind := range []struct {
		what    string
		systems []rig.System
		stampede
	}{
		{"delivery", []rig.System{rig.Uncached, rig.Crowd, rig.Hotfoot, stillHot}, snapshot},
		{"summary", []rig.System{rig.Hotfoot, stillHot}, summary},
	} {
		err := b.repeats(ctx, table, kind.what, kind.systems, func(system rig.System) ([]report.Reading, error) { return b.stampede(ctx, c, system, kind.stampede) })
		if err != nil {
			return err
		}
		b.judgeStampede(table, kind.what)
	}
	return nil
}

// stillHot is Hotfoot when nothing was deleted.
const stillHot rig.System = "hotfoot, hot"

// stampede is what everybody asks for at once.
type stampede struct {
	first, request []byte
	fill           string        // what the statement is like that fills it
	forget         func() error  // takes it from Redis
	hold           time.Duration // how long the fill is kept from ending, 0 for not at all
}

// stampede sends one request many times at once to fresh processes of a system.
func (b *Bench) stampede(ctx context.Context, c *city, system rig.System, s stampede) ([]report.Reading, error) {
	burst := post.Burst{Connections: b.Sizes.Reads.Stampede, First: s.first, Request: s.request}
	for range stampedeNodes {
		node, err := c.StartReader(ctx, system)
		if err != nil {
			return nil, err
		}
		defer node.Stop()
		burst.Addresses = append(burst.Addresses, node.Address)
	}
	var counted func() ([]rig.Statements, error)
	var locking sync.WaitGroup
	defer locking.Wait()
	burst.Ready = func() (err error) {
		if counted, err = c.counting(ctx, s.fill); err != nil || system == stillHot {
			return err
		}
		if err := s.forget(); err != nil || s.hold == 0 {
			return err
		}
		return c.lock(ctx, &locking, s.hold)
	}
	took, err := burst.Run(ctx)
	if err != nil {
		return nil, err
	}
	did, err := counted()
	if err != nil {
		return nil, err
	}
	last := took[len(took)*99/100]
	return []report.Reading{
		{Name: fills, Value: float64(did[0].Calls)},
		{Name: filled, Unit: "ms", Value: milliseconds(took[0])},
		{Name: waiters, Unit: "ms", Value: milliseconds(last)},
		{Name: afterwards, Unit: "ms", Value: milliseconds(last - took[0])},
	}, nil
}

// lock keeps everybody from the deliveries for a while; busy is done when it has let go.
func (c *city) lock(ctx context.Context, busy *sync.WaitGroup, lasting time.Duration) error {
	tx, err := c.DB().Begin(ctx)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `LOCK TABLE deliveries IN ACCESS EXCLUSIVE MODE`); err != nil {
		_ = tx.Rollback(context.WithoutCancel(ctx))
		return err
	}
	busy.Go(func() {
		_ = wait(ctx, lasting)
		_ = tx.Rollback(context.WithoutCancel(ctx))
	})
	return nil
}

// forget takes deliveries from Redis.
func (c *city) forget(ctx context.Context, deliveries ...tracking.ID) error {
	for some := range slices.Chunk(deliveries, 1000) {
		names := make([]string, len(some))
		for i, id := range some {
			names[i] = key.Delivery(id)
		}
		if err := c.redis.Del(ctx, names...).Err(); err != nil {
			return err
		}
	}
	return nil
}
