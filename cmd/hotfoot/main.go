// Command hotfoot is the whole product in one binary: servers, migrations, keys, a demo, and tools to move couriers.
//
// This package wires and nothing else: it reads configuration, ties stores, use cases and sockets together, and stops them in order.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
	"github.com/lmittmann/tint"
)

// version is set by the linker.
var version = "dev"

// cli is every command; its tags are what --help says.
type cli struct {
	Version  kong.VersionFlag `help:"Print the version and exit."`
	LogLevel slog.Level       `help:"What to log: debug, info, warn or error." default:"info" env:"HOTFOOT_LOG_LEVEL"`
	LogJSON  bool             `help:"Log JSON lines even on a terminal." env:"HOTFOOT_LOG_JSON"`

	Demo        demoCmd        `cmd:"" help:"Run everything on this machine, with couriers that move through San Francisco."`
	Serve       serveCmd       `cmd:"" help:"Run a node: the HTTP API, the gateway of sockets, the worker, or all of them."`
	Migrate     migrateCmd     `cmd:"" help:"Bring the database's schema up to date, or say where it stands."`
	Keys        keysCmd        `cmd:"" help:"Create, list and revoke API keys."`
	DeadLetters deadLettersCmd `cmd:"" name:"deadletters" help:"Look after positions that could not be stored."`
	Subject     subjectCmd     `cmd:"" help:"Export or erase everything that is kept of a person."`
	Audit       auditCmd       `cmd:"" help:"Show who changed what, and whether that was altered."`
	Epoch       epochCmd       `cmd:"" help:"Show or raise the epoch, after a restore of Postgres."`
	Health      healthCmd      `cmd:"" help:"Ask a node whether it is ready: exit code 0 or 1."`
	Doctor      doctorCmd      `cmd:"" help:"Examine both stores and this machine, and say what to change: exit code 0 or 1."`
	Replay      replayCmd      `cmd:"" help:"Play recorded GPX or CSV tracks as couriers against any server."`
	Simulate    simulateCmd    `cmd:"" help:"Move simulated couriers against any server."`
	Bench       benchCmd       `cmd:"" help:"Measure what everything costs on this machine, beside the limit and beside a usual first version (Linux)."`
}

// world is what a command may touch of the process.
type world struct {
	stdout io.Writer
	log    *slog.Logger
}

func main() {
	// The first signal asks to stop in order; a second one, or a third party's patience, ends it.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is main with everything passed in; tests call it too. It answers the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var c cli
	exit := -1
	parser, err := kong.New(&c,
		kong.Name("hotfoot"),
		kong.Description("Real-time delivery tracking: couriers report, customers watch, dispatchers see everything."),
		kong.Vars{"version": version},
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { exit = code }),
		kong.UsageOnError(),
	)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 2
	}
	command, err := parser.Parse(args)
	if exit >= 0 {
		return exit // --help or --version
	}
	if err != nil {
		fmt.Fprintf(stderr, "hotfoot: %v\nTry hotfoot --help.\n", err)
		return 2
	}
	command.BindTo(ctx, (*context.Context)(nil))
	err = command.Run(&world{stdout: stdout, log: newLogger(stderr, c.LogLevel, c.LogJSON)})
	if err != nil && !(errors.Is(err, context.Canceled) && ctx.Err() != nil) {
		fmt.Fprintf(stderr, "hotfoot: %v\n", err)
		return 1
	}
	return 0
}

// newLogger logs for people on a terminal and for machines elsewhere.
func newLogger(w io.Writer, level slog.Level, asJSON bool) *slog.Logger {
	if !asJSON && terminal(w) {
		return slog.New(tint.NewTextHandler(w, &tint.Options{Level: level, TimeFormat: "15:04:05"}))
	}
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level}))
}

// terminal reports whether a person looks at what is written.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
