package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"hotfoot/cmd/chaos/oracle"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestRows(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, row := range rows {
		if seen[row.ID] || row.ID == "" || row.Name == "" || row.Why == "" || row.Run == nil {
			t.Errorf("row %q is there twice or says too little of itself", row.ID)
		}
		seen[row.ID] = true
		if strings.Contains(row.Name, "|") {
			t.Errorf("%s: %q would break the table", row.ID, row.Name)
		}
	}
	if rows[0].ID != "F0" {
		t.Errorf("the first row is %s, want the calm one", rows[0].ID)
	}
}

func TestChoose(t *testing.T) {
	t.Parallel()
	if chosen, err := choose(nil); err != nil || len(chosen) != len(rows) {
		t.Errorf("%d rows, %v", len(chosen), err)
	}
	if chosen, err := choose([]string{"F1", "F0"}); err != nil || len(chosen) != 2 || chosen[0].ID != "F0" {
		t.Errorf("%d rows, %v", len(chosen), err)
	}
	if _, err := choose([]string{"F0", "F999"}); err == nil || !strings.Contains(err.Error(), "F1") {
		t.Errorf("an unknown row: %v", err)
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	broken := &Result{
		ID: "F1", Fault: "Postgres killed", Why: "It must.", Runs: 3, Faults: 3, Positions: 100, Statuses: 20, Slowest: 1500 * time.Millisecond,
		Recovery: []time.Duration{time.Second, 40 * time.Millisecond, 2 * time.Second},
		Broken:   []oracle.Violation{{Invariant: "I1", Fault: oracle.Lost, Who: "Sam", Detail: "session \"p\" seq 3"}},
	}
	results := []*Result{
		{ID: "F0", Fault: "nothing fails", Runs: 1},
		broken,
		{ID: "F5", Fault: "disk full", Skipped: "needs root"},
		{ID: "F6", Fault: "x", Error: "no rig"},
		{ID: "F7", Fault: "slow", First: []oracle.Violation{{Invariant: "row", Who: "expected", Detail: "it took 6 s"}}},
	}
	var out bytes.Buffer
	writeTable(&out, results)
	for _, want := range []string{
		"| F0 | nothing fails | 1 | 0 | 0 / 0 | 0 | 0 | 0 | 0 ms | – | ok |",
		"| F1 | Postgres killed | 3 | 3 | 100 / 20 | 1 | 0 | 0 | 1.5 s | 1.0 s / 2.0 s | **broken: 1** |",
		"| F6 | x | 0 | 0 | 0 / 0 | 0 | 0 | 0 | 0 ms | – | **error** |",
		"| F7 | slow | 0 | 0 | 0 / 0 | 0 | 0 | 0 | 0 ms | – | ok, at the second try |", "F7, first try: row expected: it took 6 s",
		"- F5 disk full: needs root",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, out.String())
		}
	}
	for i, want := range []bool{true, false, true, false, true} {
		if results[i].passed() != want {
			t.Errorf("%s: passed %t", results[i].ID, !want)
		}
	}
	out.Reset()
	writeViolations(&out, broken, again(&cli{Hotfoot: "bin/hotfoot", Long: true}, 42, "F1"))
	for _, want := range []string{"I1 Sam: session \"p\" seq 3", "--hotfoot bin/hotfoot --only F1 --seed 42 --long"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the report lacks %q:\n%s", want, out.String())
		}
	}
}

func TestSweep(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	dead := exec.Command("true")
	if err := dead.Run(); err != nil {
		t.Fatal(err)
	}
	gone := filepath.Join(parent, fmt.Sprintf("chaos-%d-1", dead.Process.Pid))
	ours := filepath.Join(parent, fmt.Sprintf("chaos-%d-1", os.Getpid()))
	others := filepath.Join(parent, "chaos-theory")
	for _, dir := range []string{gone, ours, others} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	sweep(parent)
	for dir, want := range map[string]bool{gone: false, ours: true, others: true} {
		if _, err := os.Stat(dir); (err == nil) != want {
			t.Errorf("%s is there: %t", filepath.Base(dir), err == nil)
		}
	}
}

func TestEnv(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	env := &Env{Hotfoot: self}
	if !env.Has("sh") || env.Has("no-such-program") {
		t.Error("it does not know which programs are there")
	}
	if env.Built("failpoints") || (&Env{Hotfoot: "/nowhere"}).Built("failpoints") {
		t.Error("a program without failpoints counts as one with")
	}
}
