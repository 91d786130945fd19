package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/cmd/hotfoot/bench"
	"hotfoot/pubsub"
	"hotfoot/store/redisstore"
)

type benchCmd struct {
	Couriers int    `help:"Couriers, each with a customer watching." default:"50"`
	Rate     int    `help:"Positions per second while latency is measured." default:"500"`
	Seconds  int    `help:"How long each measurement lasts." default:"5"`
	Repeats  int    `help:"How often each is repeated; medians are shown." default:"3"`
	Dir      string `help:"Folder for the private stores' data." default:"" type:"path"`
	JSON     bool   `help:"Print JSON instead of a table."`
}

// benchResult is what a bench found.
type benchResult struct {
	Bare   bench.Quantiles  `json:"bare_publish_to_subscribe"`
	Socket bench.Quantiles  `json:"post_to_socket"`
	Single bench.Throughput `json:"one_position_a_report"`
	Ten    bench.Throughput `json:"ten_positions_a_report"`
}

// Run measures a deployment of its own: nothing else needs to run, and nothing is left.
func (c *benchCmd) Run(ctx context.Context, w *world) (err error) {
	steps := &progress{out: os.Stderr}
	done := steps.begin("Starting private stores, an api process and a gateway process")
	rig, err := bench.NewRig(ctx, c.Dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rig.Close()) }()
	if _, err := rig.Run(ctx, "migrate", "up"); err != nil {
		return err
	}
	secret, err := rig.Run(ctx, "keys", "create", "--merchant", "Bench")
	if err != nil {
		return err
	}
	api, err := rig.Serve(ctx, "api,worker")
	if err != nil {
		return err
	}
	gateway, err := rig.Serve(ctx, "gateway")
	if err != nil {
		return err
	}
	pairs, err := bench.Stage(ctx, api.URL, secret, c.Couriers)
	if err != nil {
		return err
	}
	watching, stop := context.WithCancel(ctx)
	var reading sync.WaitGroup
	defer reading.Wait()
	defer stop()
	if err := bench.Watch(watching, gateway.URL, pairs, &reading); err != nil {
		return err
	}
	done()
	result, err := c.measure(ctx, rig, pairs, steps)
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(w.stdout).Encode(result)
	}
	return c.print(w, result)
}

func (c *benchCmd) measure(ctx context.Context, rig *bench.Rig, pairs []*bench.Pair, steps *progress) (benchResult, error) {
	client, err := redisstore.Connect(rig.RedisURL())
	if err != nil {
		return benchResult{}, err
	}
	defer client.Close()
	drain := func(ctx context.Context) error { return awaitBacklog(ctx, client) }
	lasting := time.Duration(c.Seconds) * time.Second
	var bare, socket []bench.Quantiles
	var single, ten []bench.Throughput
	for n := range c.Repeats {
		done := steps.begin(fmt.Sprintf("Measuring, %d of %d", n+1, c.Repeats))
		q, err := bench.Bare(ctx, rig.RedisURL(), c.Rate, c.Rate*c.Seconds)
		if err != nil {
			return benchResult{}, err
		}
		bare = append(bare, q)
		if q, err = bench.Latency(ctx, pairs, c.Rate, c.Rate*c.Seconds); err != nil {
			return benchResult{}, err
		}
		socket = append(socket, q)
		t, err := bench.Ingest(ctx, rig, pairs, 1, lasting, drain)
		if err != nil {
			return benchResult{}, err
		}
		single = append(single, t)
		if t, err = bench.Ingest(ctx, rig, pairs, 10, lasting, drain); err != nil {
			return benchResult{}, err
		}
		ten = append(ten, t)
		done()
	}
	p50 := func(q bench.Quantiles) time.Duration { return q.P50 }
	return benchResult{
		Bare: bench.Median(bare, p50), Socket: bench.Median(socket, p50),
		Single: bench.Median(single, bench.Throughput.PerCPUSecond), Ten: bench.Median(ten, bench.Throughput.PerCPUSecond),
	}, nil
}

// awaitBacklog waits until everything accepted is in Postgres.
func awaitBacklog(ctx context.Context, client redis.UniversalClient) error {
	for {
		waiting, err := pubsub.Waiting(ctx, client)
		if err != nil || waiting == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (c *benchCmd) print(w *world, r benchResult) error {
	table := tabwriter.NewWriter(w.stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintf(table, "latency at %d/s, %d couriers\tp50\tp99\n", c.Rate, c.Couriers)
	fmt.Fprintf(table, "bare Redis PUBLISH → SUBSCRIBE\t%s\t%s\n", r.Bare.P50.Round(time.Microsecond), r.Bare.P99.Round(time.Microsecond))
	fmt.Fprintf(table, "POST → api → Redis → gateway → socket\t%s\t%s\n", r.Socket.P50.Round(time.Microsecond), r.Socket.P99.Round(time.Microsecond))
	fmt.Fprintf(table, "\npositions accepted, and moved to Postgres\tper second\tper CPU second\thotfoot\tredis\tpostgres\n")
	for _, row := range []struct {
		name string
		t    bench.Throughput
	}{{"one a report", r.Single}, {"ten a report", r.Ten}} {
		fmt.Fprintf(table, "%s\t%.0f\t%.0f\t%.1f s\t%.1f s\t%.1f s\n", row.name, row.t.PerSecond(), row.t.PerCPUSecond(),
			row.t.CPU["hotfoot"].Seconds(), row.t.CPU["redis"].Seconds(), row.t.CPU["postgres"].Seconds())
	}
	return table.Flush()
}
