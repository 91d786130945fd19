package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"hotfoot/cmd/hotfoot/bench"
	"hotfoot/cmd/hotfoot/bench/report"
	"hotfoot/store/storetest"
)

// Every measurement runs once on everything that there is, and every row of every table has its figures.
func TestBench_All(t *testing.T) {
	t.Parallel()
	b, err := bench.New(bench.Config{Dir: storetest.Dir(t), Repeats: 1, Sizes: bench.Tiny(), Begin: func(step string) func() {
		began := time.Now()
		return func() { t.Logf("%s: %v", step, time.Since(began)) }
	}}, "test")
	must(t, err)
	defer func() { must(t, b.Close()) }()
	must(t, b.All(t.Context()))
	must(t, b.Failed())
	var text, document bytes.Buffer
	must(t, b.Report.Text(&text))
	must(t, b.Report.JSON(&document))
	t.Log(text.String())
	var got report.Report
	must(t, json.Unmarshal(document.Bytes(), &got))

	rows := map[string]int{}
	for _, table := range got.Tables {
		for _, row := range table.Rows {
			rows[table.Name+": "+row.System]++
			for _, f := range row.Figures {
				if len(f.Repeats) != 1 {
					t.Errorf("%s, %s, %s: %d repeats of %s", table.Name, row.What, row.System, len(f.Repeats), f.Name)
				}
				// Not the rate of a ramp: on a busy machine none is carried for the blink of an eye that is measured here.
				// Postgres itself has counted them.
				if hot := table.Name == "reads, snapshot" && row.System == "hotfoot"; hot && f.Name == "statements/read" && f.Median != 0 {
					t.Errorf("%s: %v statements for a hot read, want none", row.What, f.Median)
				}
				if ours := table.Name == "reads, stampede" && row.System == "hotfoot"; ours && f.Name == "fills" && (f.Median < 1 || f.Median > 3) {
					// One; but a filler that a busy machine stops for a second loses its turn.
					t.Errorf("%v fills of a %s that everybody asks for", f.Median, row.What)
				}
				if slices.Contains([]string{"delivered", "updates", "rows", "answers", "asked"}, f.Name) && f.Median <= 0 {
					t.Errorf("%s, %s, %s: %s is %v", table.Name, row.What, row.System, f.Name, f.Median)
				}
			}
		}
	}
	for want, n := range map[string]int{
		"idle: bare": 1, "idle: first version": 1, "idle: hotfoot": 1, "fanout: bare": 1, "fanout: first version": 1, "fanout: hotfoot": 1,
		"fanout, whole path: first version": 1, "fanout, whole path: hotfoot": 1, "ramp: bare": 1, "ramp: first version": 1, "ramp: hotfoot": 1,
		"storm: bare": 1, "storm: first version": 1, "storm: hotfoot": 1, "slow: first version": 1, "slow: hotfoot": 1,
		"ingest: first version": 1, "ingest: hotfoot": 4, "ingest, history: first version": 1, "ingest, history: hotfoot": 1, "ops: hotfoot": 1, "cluster: hotfoot": 4,
		"reads, snapshot: naive": 2, "reads, snapshot: uncached": 2, "reads, snapshot: hotfoot": 2,
		"reads, mixed: naive": 1, "reads, mixed: uncached": 1, "reads, mixed: hotfoot": 1, "reads, layers: uncached": 1, "reads, layers: Redis alone": 1, "reads, layers: hotfoot": 1, "reads, layers: hotfoot, watched": 1,
		"reads, summary: uncached": 2, "reads, summary: hotfoot": 2,
		"reads, stampede: uncached": 1, "reads, stampede: hotfoot": 2, "reads, stampede: hotfoot, hot": 2,
		"reads, limiter: bare round trip": 2, "reads, limiter: fixed_window": 2, "reads, limiter: sliding_window": 2, "reads, limiter: token_bucket": 2,
	} {
		if rows[want] != n {
			t.Errorf("%d rows of %q, want %d", rows[want], want, n)
		}
	}
	for _, v := range got.Verdicts {
		if len(v.Repeats) != 1 {
			t.Errorf("%d repeats of %s: its figures are not found", len(v.Repeats), v.Claim)
		}
	}
}

func TestBench_profile(t *testing.T) {
	t.Parallel()
	sizes, folder := bench.Tiny(), t.TempDir()
	b, err := bench.New(bench.Config{Dir: storetest.Dir(t), Repeats: 1, Sizes: sizes, Begin: func(string) func() { return func() {} }, Profile: folder}, "test")
	must(t, err)
	defer func() { must(t, b.Close()) }()
	must(t, b.Ops(t.Context()))
	must(t, b.Failed())
	for _, kind := range []string{"cpu", "heap"} {
		files, err := filepath.Glob(filepath.Join(folder, "ops-*-gateway."+kind+".pprof"))
		must(t, err)
		if len(files) != 1 {
			t.Errorf("%d %s profiles", len(files), kind)
		}
	}
}
