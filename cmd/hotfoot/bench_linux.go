package main

import (
	"context"
	"errors"
	"os"

	"hotfoot/cmd/hotfoot/bench"
)

type benchCmd struct {
	Repeats  int    `help:"How often each figure is taken; the median is shown. Default: 3, or 1 with --short." placeholder:"N"`
	Short    bool   `help:"Small sizes: a few minutes for all, and rough figures."`
	JSON     bool   `help:"Print one JSON document, with every repeat of every figure, instead of tables." xor:"form"`
	Markdown bool   `help:"Print the tables as the documentation has them." xor:"form"`
	Profile  string `help:"Folder for CPU and heap profiles of Hotfoot's processes while they are measured. They cost a few percent." type:"path" placeholder:"DIR"`
	Dir      string `help:"Folder below which the private stores keep their data meanwhile." default:"" type:"path" placeholder:"DIR"`

	Idle    benchIdleCmd    `cmd:"" help:"Memory and goroutines of a watching socket while nothing happens."`
	Fanout  benchFanoutCmd  `cmd:"" help:"CPU and latency of bringing updates to sockets, at a rate that every system carries."`
	Ramp    benchRampCmd    `cmd:"" help:"The highest rate at which p99 stays below 100 ms."`
	Storm   benchStormCmd   `cmd:"" help:"All viewers lose their connection at once and come back."`
	Slow    benchSlowCmd    `cmd:"" help:"Viewers who never read: what they do to the others, and what they have missed."`
	Ingest  benchIngestCmd  `cmd:"" help:"CPU and rate of taking positions in, until they are safe and until they are in Postgres."`
	Ops     benchOpsCmd     `cmd:"" help:"The live map of a whole city, with many dispatchers."`
	Cluster benchClusterCmd `cmd:"" help:"One Redis against a cluster of three masters, one gateway against four."`
	Reads   benchReadsCmd   `cmd:"" help:"Hot reads beside the same reads from Postgres, and what each claim about them comes to."`
	All     benchAllCmd     `cmd:"" help:"All of these, in this order."`

	ServeBare         benchServeBareCmd         `cmd:"" hidden:"" help:"Run the bare server that a bench compares with."`
	ServeCrowd        benchServeCrowdCmd        `cmd:"" hidden:"" help:"Answer all who ask for a snapshot at the same time from one statement, by net/http alone."`
	ServeFirstVersion benchServeFirstVersionCmd `cmd:"" hidden:"" help:"Run the first version that a bench compares with."`
	ServeHash         benchServeHashCmd         `cmd:"" hidden:"" help:"Answer snapshots from Redis alone."`
	ServeNaive        benchServeNaiveCmd        `cmd:"" hidden:"" help:"Answer snapshots from Postgres, with a statement for each part."`
	ServeUncached     benchServeUncachedCmd     `cmd:"" hidden:"" help:"Answer snapshots from Postgres, with one statement."`
}

type (
	benchIdleCmd    struct{}
	benchFanoutCmd  struct{}
	benchRampCmd    struct{}
	benchStormCmd   struct{}
	benchSlowCmd    struct{}
	benchIngestCmd  struct{}
	benchOpsCmd     struct{}
	benchClusterCmd struct{}
	benchReadsCmd   struct{}
	benchAllCmd     struct{}
)

func (benchIdleCmd) Run(ctx context.Context, c *benchCmd, w *world) error {
	return c.measure(ctx, w, (*bench.Bench).Idle)
}

func (benchFanoutCmd) Run(ctx context.Context, c *benchCmd, w *world) error {
	return c.measure(ctx, w, (*bench.Bench).Fanout)
}

func (benchRampCmd) Run(ctx context.Context, c *benchCmd, w *world) error {
	return c.measure(ctx, w, (*bench.Bench).Ramp)
}

func (benchStormCmd) Run(ctx context.Context, c *benchCmd, w *world) error {
	return c.measure(ctx, w, (*bench.Bench).Storm)
}

func (benchSlowCmd) Run(ctx context.Context, c *benchCmd, w *world) error {
	return c.measure(ctx, w, (*bench.Bench).Slow)
}

func (benchIngestCmd) Run(ctx context.Context, c *benchCmd, w *world) error {
	return c.measure(ctx, w, (*bench.Bench).Ingest)
}

func (benchOpsCmd) Run(ctx context.Context, c *benchCmd, w *world) error {
	return c.measure(ctx, w, (*bench.Bench).Ops)
}

func (benchClusterCmd) Run(ctx context.Context, c *benchCmd, w *world) error {
	return c.measure(ctx, w, (*bench.Bench).Cluster)
}

func (benchReadsCmd) Run(ctx context.Context, c *benchCmd, w *world) error {
	return c.measure(ctx, w, (*bench.Bench).Reads)
}

func (benchAllCmd) Run(ctx context.Context, c *benchCmd, w *world) error {
	return c.measure(ctx, w, (*bench.Bench).All)
}

// measure runs one measurement, or all, on a deployment of its own: nothing else needs to run, and nothing is left.
func (c *benchCmd) measure(ctx context.Context, w *world, what func(*bench.Bench, context.Context) error) (err error) {
	config := bench.Config{Dir: c.Dir, Profile: c.Profile, Repeats: 3, Sizes: bench.Full(), Begin: (&progress{out: os.Stderr}).begin}
	if c.Short {
		config.Repeats, config.Sizes = 1, bench.Short()
	}
	if c.Repeats > 0 {
		config.Repeats = c.Repeats
	}
	b, err := bench.New(config, version)
	if err != nil {
		return err
	}
	// What was measured before something failed is worth showing.
	failed := errors.Join(what(b, ctx), b.Failed(), b.Close())
	show := b.Report.Text
	switch {
	case c.JSON:
		show = b.Report.JSON
	case c.Markdown:
		show = b.Report.Markdown
	}
	return errors.Join(failed, show(w.stdout))
}
