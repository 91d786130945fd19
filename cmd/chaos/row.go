package main

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"path/filepath"
	"time"

	"hotfoot/cmd/chaos/load"
	"hotfoot/cmd/chaos/oracle"
	"hotfoot/cmd/chaos/rig"
)

// Bounds of a row's phases. Each is itself a promise: who goes beyond it breaks it.
const (
	beginLimit  = 20 * time.Second // until everybody is at work
	settleLimit = 30 * time.Second // until phones and riders have got rid of everything, after the faults
	truthLimit  = 15 * time.Second // until every viewer shows the end
	// restLimit is until processes hold what they held before: what nobody watches any more lingers for ten seconds, and its channels for four more.
	restLimit  = 20 * time.Second
	shortLimit = 3 * time.Minute
	longLimit  = 30 * time.Minute
)

// suite is what all rows have in common.
type suite struct {
	env      *Env
	seed     uint64
	dir      string
	template *rig.Template
	tell     func(format string, args ...any)
}

// run does one row from start to verdict.
func (s *suite) run(ctx context.Context, row Scenario) *Result {
	result := &Result{ID: row.ID, Fault: row.Name, Why: row.Why, Seed: s.seed}
	if row.Needs != nil {
		if result.Skipped = row.Needs(s.env); result.Skipped != "" {
			return result
		}
	}
	limit := shortLimit
	if s.env.Long {
		limit, row.Size = longLimit, row.Large
	}
	limit += s.env.For
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	began := time.Now()
	r := &Run{
		Long: s.env.Long, env: s.env, ctx: ctx, log: &oracle.Log{}, repeats: 1,
		tell: func(format string, args ...any) { s.tell("%-4s %s", row.ID, fmt.Sprintf(format, args...)) },
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(row.ID))
	seed := s.seed ^ h.Sum64()
	r.Rand = rand.New(rand.NewPCG(seed, 0))
	err := s.play(r, row, seed)
	result.conclude(r, err)
	result.Took = time.Since(began)
	return result
}

// play builds the rig, lets the scenario do its worst and judges what came of it. An error means that the row could not be carried out.
func (s *suite) play(r *Run, row Scenario, seed uint64) (err error) {
	defer func() {
		if caught := recover(); caught != nil {
			stopped, ok := caught.(abort)
			if !ok {
				panic(caught)
			}
			err = stopped.err
		}
	}()
	r.tell("%s", row.Name)
	r.Rig, err = rig.Start(r.ctx, rig.Config{
		Hotfoot: s.env.Hotfoot, Template: s.template, Dir: filepath.Join(s.dir, row.ID), API: row.API, Gateways: row.Gates,
		Workers: row.Workers, Env: row.Env, Fronts: row.Fronts, Masters: row.Masters, Postgres: row.Postgres, Fail: r.fail,
	})
	if err != nil {
		return fmt.Errorf("build the rig: %w", err)
	}
	defer func() {
		err = errors.Join(err, r.Close())
	}()
	before, err := r.holdings()
	if err != nil {
		return err
	}
	if r.load, err = load.Start(r.ctx, r.Rig, r.log, seed, row.Size); err != nil {
		return fmt.Errorf("begin the load: %w", err)
	}
	defer r.load.Close()
	if !r.begin() {
		return nil
	}
	row.Run(r)
	r.Heal()
	r.end(row, before)
	return nil
}

// begin waits until everybody is at work.
func (r *Run) begin() bool {
	deadline := time.Now().Add(beginLimit)
	for {
		err := r.load.UnderWay()
		if err == nil {
			return true
		}
		if time.Now().After(deadline) {
			r.Expect(false, "before any fault, everybody is at work within %v: %v", beginLimit, err)
			return false
		}
		r.Wait(pollEvery)
	}
}

// end lets everything come to rest and judges it.
func (r *Run) end(row Scenario, before map[string]oracle.Holding) {
	ctx, cancel := context.WithTimeout(r.ctx, settleLimit)
	defer cancel()
	if err := r.load.Settle(ctx); err != nil {
		r.blame(oracle.Violation{Invariant: "I8", Fault: oracle.Wrong, Who: "phones", Detail: err.Error()})
	}
	r.awaitTruth()
	r.load.Close()
	r.rest(row, before)
	truth, err := oracle.Read(r.ctx, r.Postgres.Pool)
	if err != nil {
		r.fail(err)
	}
	facts := r.log.Facts()
	r.excepted.Positions, r.excepted.Statuses = oracle.Excepted(facts, truth)
	r.blame(oracle.Check(facts, truth)...)
}

// awaitTruth gives viewers time to see how it ended; the oracle says who did not.
func (r *Run) awaitTruth() {
	deadline := time.Now().Add(truthLimit)
	for time.Now().Before(deadline) {
		versions, err := r.versions()
		if err == nil {
			err = r.load.Converged(versions)
		}
		if err == nil {
			return
		}
		r.Wait(pollEvery)
	}
}

// holdings asks every node what it holds.
func (r *Run) holdings() (map[string]oracle.Holding, error) {
	held := map[string]oracle.Holding{}
	for _, n := range r.Nodes() {
		v, err := n.Vitals(r.ctx)
		if err != nil {
			return nil, err
		}
		held[n.Name] = oracle.Holding(v)
	}
	return held, nil
}

// memoryPerViewer is what a socket may leave behind in pools and in the heap's shape.
const memoryPerViewer = 32 << 10

// rest waits until processes hold what they held before the row, and judges those that do not.
func (r *Run) rest(row Scenario, before map[string]oracle.Holding) {
	extra := int64(row.Size.WithDefaults().Viewers) * memoryPerViewer
	deadline := time.Now().Add(restLimit)
	for {
		after, err := r.holdings()
		var found []oracle.Violation
		if err != nil {
			found = append(found, oracle.Violation{Invariant: "I5", Fault: oracle.Wrong, Who: "a node", Detail: err.Error()})
		}
		for name, held := range after {
			found = append(found, oracle.CheckRest(name, before[name], held, extra)...)
		}
		if len(found) == 0 {
			return
		}
		if time.Now().After(deadline) {
			r.blame(found...)
			return
		}
		r.Wait(5 * pollEvery)
	}
}
