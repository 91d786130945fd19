// Command chaos breaks a real deployment in every way that we know, under load, and judges whether it kept its promises.
//
//	for each row:   fresh Postgres, Redis, two api and two gateway nodes ── load ── faults ── heal ── settle ── oracle
//
// What it guarantees. It sees only what clients see: HTTP, WebSockets, and at the end what Postgres has. A row passes when no invariant of
// package oracle was broken; it is repeated with the seed that is printed first. Nothing outside its own folder and loopback is touched, and
// nothing is left running.
//
// To add a row, write a file beside this one that calls add with a Scenario; Run has what a scenario may use.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"hotfoot/cmd/chaos/rig"
)

type commands struct {
	Rows      cli       `cmd:"" default:"withargs" help:"Break things and check what is promised; the default."`
	Mutations mutations `cmd:"" help:"Put known faults into the program and check that the rows notice them."`
}

type cli struct {
	Hotfoot string        `help:"The program under test." required:"" type:"existingfile"`
	Seed    uint64        `help:"Repeats an earlier run's choices; 0 takes a new one."`
	Only    []string      `help:"Rows to run, such as F1,F8; all when not given."`
	Long    bool          `help:"More repetitions and longer outages: for a night, not for every change."`
	Retry   bool          `help:"Do a row again, once, that broke only bounds of time and expectations of its own, as a busy machine makes it. What it broke is shown."`
	For     time.Duration `help:"How long the random nemesis goes on; 8s, or 1h with --long."`
	JSON    string        `help:"Also write the results to this file." placeholder:"FILE"`
	Readme  string        `help:"Also put the table between the markers of this file, if nothing was broken." placeholder:"FILE" type:"existingfile"`
	Data    string        `help:"Folder for the private servers' data; a temporary one when not given." placeholder:"DIR" type:"path"`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var c commands
	run := c.Rows.run
	if kong.Parse(&c, kong.Name("chaos"), kong.Description("Breaks a deployment of hotfoot under load and checks what it promises.")).Command() == "mutations" {
		run = c.Mutations.run
	}
	ok, err := run(ctx, os.Stdout, os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(2)
	}
	if !ok {
		os.Exit(1)
	}
}

// run does the rows asked for and prints the table to out, progress to progress; ok is false when a promise was broken.
func (c *cli) run(ctx context.Context, out, progress io.Writer) (ok bool, err error) {
	chosen, err := choose(c.Only)
	if err != nil {
		return false, err
	}
	if c.Readme != "" && (len(c.Only) > 0 || c.Retry) {
		return false, errors.New("--readme wants all rows at the first try; it goes with neither --only nor --retry")
	}
	seed, tell := seedOr(c.Seed), teller(progress)
	fmt.Fprintf(out, "seed %d\n\n", seed)
	dir, err := makeFolder(c.Data)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	tell("making a migrated database")
	hotfoot, err := filepath.Abs(c.Hotfoot)
	if err != nil {
		return false, err
	}
	template, err := rig.NewTemplate(ctx, hotfoot, dir)
	if err != nil {
		return false, err
	}
	s := &suite{env: &Env{Hotfoot: hotfoot, Long: c.Long, For: c.For}, seed: seed, dir: dir, template: template, tell: tell}
	do := s.run
	if c.Retry {
		do = s.patient
	}
	var results []*Result
	ok = true
	for _, row := range chosen {
		if ctx.Err() != nil {
			break
		}
		res := do(ctx, row)
		results = append(results, res)
		ok = ok && res.passed()
		if res.Skipped == "" {
			tell("%-4s %s after %.1f s", res.ID, res.verdict(), res.Took.Seconds())
		}
	}
	writeTable(out, results)
	for _, res := range results {
		if !res.passed() {
			writeViolations(out, res, again(c, seed, res.ID))
		}
	}
	if c.JSON != "" {
		err = writeJSON(c.JSON, results)
	}
	ok = ok && ctx.Err() == nil
	if ok && c.Readme != "" {
		err = errors.Join(err, updateReadme(c.Readme, results, c.repeat(seed)))
	}
	return ok, err
}

// seedOr is the seed, or a new one for 0.
func seedOr(seed uint64) uint64 {
	for seed == 0 {
		seed = rand.Uint64() >> 32 // short enough to type
	}
	return seed
}

// teller says what is being done, and when.
func teller(progress io.Writer) func(format string, args ...any) {
	began := time.Now()
	return func(format string, args ...any) {
		fmt.Fprintf(progress, "%6.1f s  %s\n", time.Since(began).Seconds(), fmt.Sprintf(format, args...))
	}
}

// choose finds the rows that were asked for.
func choose(only []string) ([]Scenario, error) {
	if len(only) == 0 {
		return rows, nil
	}
	var chosen []Scenario
	for _, row := range rows {
		if slices.Contains(only, row.ID) {
			chosen = append(chosen, row)
		}
	}
	if len(chosen) < len(only) {
		var known []string
		for _, row := range rows {
			known = append(known, row.ID)
		}
		return nil, fmt.Errorf("--only %s: there are %s", strings.Join(only, ","), strings.Join(known, ", "))
	}
	return chosen, nil
}
