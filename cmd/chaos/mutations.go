package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"hotfoot/cmd/chaos/mutation"
	"hotfoot/cmd/chaos/oracle"
	"hotfoot/cmd/chaos/rig"
)

// mutations is the command that shows that the suite can fail: a program with a known fault must be given away by the row that is there for it.
type mutations struct {
	Source string `help:"The checkout to mutate; it is not changed." default:"." type:"existingdir"`
	Only   string `help:"Mutations whose names hold this; all when not given."`
	Seed   uint64 `help:"Repeats an earlier run's choices; 0 takes a new one."`
	Data   string `help:"Folder for programs and the private servers' data; a temporary one when not given." placeholder:"DIR" type:"path"`
}

// tries is how often a row may miss a mutation: a fault hits or misses by a moment.
const tries = 3

// trial is what became of one mutation.
type trial struct {
	mutation mutation.Mutation
	caught   *oracle.Violation
	tried    int
	missed   string // why it does not count as caught
}

// run tries every mutation and prints the table to out; ok is false when one was not caught.
func (m *mutations) run(ctx context.Context, out, progress io.Writer) (ok bool, err error) {
	dir, err := makeFolder(m.Data)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	seed := seedOr(m.Seed)
	fmt.Fprintf(out, "seed %d\n\n", seed)
	lab := &laboratory{root: m.Source, dir: dir, seed: seed, tell: teller(progress), controls: map[string]string{}}
	if lab.unchanged, err = lab.build(ctx, mutation.Mutation{Name: "none"}); err != nil {
		return false, err
	}
	ok = true
	var trials []trial
	for _, mutant := range mutation.All {
		if ctx.Err() != nil || !strings.Contains(mutant.Name, m.Only) {
			continue
		}
		t, err := lab.try(ctx, mutant)
		if err != nil {
			return false, err
		}
		lab.tell("%s", t)
		trials = append(trials, t)
		ok = ok && t.caught != nil
	}
	if len(trials) == 0 {
		return false, fmt.Errorf("--only %s: no mutation is called so", m.Only)
	}
	writeTrials(out, trials)
	return ok && ctx.Err() == nil, nil
}

// laboratory has what all mutations have in common.
type laboratory struct {
	root, dir string
	seed      uint64
	tell      func(format string, args ...any)
	unchanged *suite
	controls  map[string]string // what a row says of the unchanged program, by the row and what is changed about it
	built     int
}

// build makes a suite for a mutated program, with a database that its own migrations have made.
func (l *laboratory) build(ctx context.Context, m mutation.Mutation) (*suite, error) {
	l.built++
	l.tell("building with mutation: %s", m.Name)
	s := &suite{seed: l.seed, dir: filepath.Join(l.dir, fmt.Sprint(l.built)), tell: l.tell}
	program, err := m.Build(ctx, l.root, s.dir)
	if err != nil {
		return nil, err
	}
	s.env = &Env{Hotfoot: program}
	// The servers may run as another user, who must be able to get here.
	if err := os.Chmod(s.dir, 0o711); err != nil {
		return nil, err
	}
	s.template, err = rig.NewTemplate(ctx, program, s.dir)
	return s, err
}

// try runs the row of a mutation until it fails as it should. An error means that the mutation could not be made.
func (l *laboratory) try(ctx context.Context, m mutation.Mutation) (trial, error) {
	row, err := choose([]string{m.Row})
	if err != nil {
		return trial{}, fmt.Errorf("mutation %q: %w", m.Name, err)
	}
	t := trial{mutation: m}
	scenario := row[0]
	scenario.Env = append(scenario.Env[:len(scenario.Env):len(scenario.Env)], m.Env...)
	scenario.Size = cmp.Or(m.Size, scenario.Size)
	if t.missed = l.control(ctx, scenario); t.missed != "" {
		return t, nil
	}
	mutant, err := l.build(ctx, m)
	if err != nil {
		return t, err
	}
	defer os.RemoveAll(mutant.dir)
	for t.caught == nil && t.tried < tries && ctx.Err() == nil {
		t.tried++
		mutant.seed = l.seed + uint64(t.tried)
		result := mutant.run(ctx, scenario)
		t.caught, t.missed = result.sign(m.Sign)
	}
	return t, nil
}

// control answers what a row has against the unchanged program; a row that fails anyhow proves nothing.
func (l *laboratory) control(ctx context.Context, row Scenario) string {
	key := fmt.Sprint(row.ID, row.Env, row.Size)
	said, known := l.controls[key]
	if known {
		return said
	}
	l.tell("%s with the program as it is", row.ID)
	for range tries {
		result := l.unchanged.run(ctx, row)
		if result.Skipped == "" && result.passed() {
			said = ""
			break
		}
		said = "the row fails without the mutation: " + result.complaint()
	}
	l.controls[key] = said
	return said
}

// sign finds the violation that a mutation must cause, or says what there was instead.
func (res *Result) sign(want mutation.Sign) (found *oracle.Violation, missed string) {
	for i, v := range res.Broken {
		if v.Invariant == want.Invariant && strings.Contains(v.Detail, want.Says) {
			return &res.Broken[i], ""
		}
	}
	return nil, res.complaint()
}

// complaint is the first thing that was wrong with a row.
func (res *Result) complaint() string {
	switch {
	case res.Skipped != "":
		return res.Skipped
	case res.Error != "":
		return res.Error
	case len(res.Broken) > 0:
		return res.Broken[0].String()
	}
	return "nothing was broken"
}

func (t trial) String() string {
	if t.caught == nil {
		return "SURVIVED: " + t.mutation.Name + ": " + t.missed
	}
	return "caught: " + t.mutation.Name + ": " + t.caught.String()
}

// writeTrials writes the table of mutations, and below it what was seen of each.
func writeTrials(w io.Writer, trials []trial) {
	fmt.Fprintln(w, "| mutation | row | caught by | runs |")
	fmt.Fprintln(w, "|---|---|---|---|")
	for _, t := range trials {
		by := "**survived**"
		if t.caught != nil {
			by = t.caught.Invariant
		}
		fmt.Fprintf(w, "| %s | %s | %s | %d |\n", t.mutation.Name, t.mutation.Row, by, t.tried)
	}
	fmt.Fprintln(w)
	for _, t := range trials {
		fmt.Fprintf(w, "%s\n", t)
	}
}
