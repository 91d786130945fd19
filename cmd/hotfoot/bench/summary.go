//go:build linux

package bench

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"

	"hotfoot/cmd/hotfoot/bench/post"
	"hotfoot/cmd/hotfoot/bench/report"
	"hotfoot/cmd/hotfoot/bench/rig"
	"hotfoot/cmd/hotfoot/client"
	"hotfoot/tracking/key"
)

// ofSummaries is what the statement is like that sums a day up.
const ofSummaries = "%percentile_cont%"

// forgetEvery is how often the summary is taken from Redis while it is read, as if it had expired, beside the changes that make it stale.
const forgetEvery = 2 * time.Second

// busyClients read the summary at once, to compare with one alone.
const busyClients = 64

// summaries measures a merchant's day summed up, which is computed over many rows.
func (b *Bench) summaries(ctx context.Context, c *city) error {
	s := b.Sizes.Reads
	table := b.Report.New("reads, summary", fmt.Sprintf("GET /v1/ops/summary of the day; %s. For %v, while a delivery changes its status %d times and the summary is taken from Redis every %v. "+
		"uncached: each request says no-cache and is computed, a few at a time; one that was refused since it waited too long counts with the time that took", c.size, s.SummaryFor, statuses, forgetEvery))
	delivery := len(c.Fleet)
	for _, clients := range []int{1, busyClients} {
		what := clientsOf(clients)
		err := b.repeats(ctx, table, what, []rig.System{rig.Uncached, rig.Hotfoot}, func(system rig.System) ([]report.Reading, error) {
			delivery-- // another one each time, since its status is changed
			return b.summary(ctx, c, system, clients, delivery)
		})
		if err != nil {
			return err
		}
		if clients == busyClients {
			b.judgeSummary(table, what)
		}
	}
	return nil
}

func (b *Bench) summary(ctx context.Context, c *city, system rig.System, clients, delivery int) ([]report.Reading, error) {
	node, err := c.Serve(ctx, "api")
	if err != nil {
		return nil, err
	}
	defer node.Stop()
	control := ""
	if system == rig.Uncached {
		control = "no-cache"
	}
	request := c.summaryRequest(nil, control)
	load := post.Load{
		Addresses: []string{node.Address}, Connections: clients, Overload: system == rig.Uncached,
		Request: func(b []byte, _, _ int, _ time.Time) []byte { return append(b, request...) },
	}
	changing, stop := context.WithCancel(ctx)
	var changes sync.WaitGroup
	var told, forgotten error
	courier := c.Fleet[delivery]
	changes.Go(func() {
		_, told = tell(changing, client.New("http://"+node.Address, courier.Key), courier.Delivery.String(), b.Sizes.Reads.SummaryFor)
	})
	changes.Go(func() {
		for wait(changing, forgetEvery) == nil {
			if forgotten = c.forgetSummary(changing); forgotten != nil {
				return
			}
		}
	})
	parts := func() []rig.Part { return []rig.Part{node.Part("server"), c.Redis(), c.Postgres()} }
	readings, err := b.loaded(ctx, c, parts, load, b.Sizes.Reads.SummaryFor, ofSummaries)
	stop()
	changes.Wait()
	// What was under way when the load had ended does not matter.
	if errors.Is(told, context.Canceled) {
		told = nil
	}
	if errors.Is(forgotten, context.Canceled) {
		forgotten = nil
	}
	return readings, errors.Join(err, told, forgotten)
}

// summaryRequest asks for the summary of the day.
func (c *city) summaryRequest(b []byte, control string) []byte {
	return post.AppendGet(b, "/v1/ops/summary?day="+c.day.Date, c.OpsKey, control)
}

// forgetSummary takes the summary from Redis, where it has another name once its day is over, as it may be before a measurement is.
func (c *city) forgetSummary(ctx context.Context) error {
	owner, err := c.Merchant(ctx)
	if err != nil {
		return err
	}
	day := sha256.Sum256([]byte(c.day.Date))
	return c.redis.Del(ctx, key.Computed(owner, "today", day), key.Computed(owner, "day", day)).Err()
}
