package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestUpdateReadme(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "README.md")
	results := []*Result{
		{ID: "F0", Fault: "nothing fails", Positions: 800, Statuses: 90},
		{ID: "F1", Fault: "Postgres killed", Faults: 3, Positions: 1_234_567, Statuses: 1234, Recovery: []time.Duration{40 * time.Millisecond}},
		{ID: "F5", Fault: "disk full", Skipped: "needs root"},
	}
	if err := os.WriteFile(path, []byte("before\n<!-- chaos -->\nold\n<!-- /chaos -->\nafter\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // what it wrote it can replace
		if err := updateReadme(path, results, "--seed 42"); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"before\n<!-- chaos -->\n`make chaos ARGS='--seed 42'` on ",
		"2 rows, 3 faults, 1,235,367 acknowledged positions and 1,324 statuses, 0 lost, 0 duplicated, 0 out of order.",
		"| F0 | nothing fails | 0 | 800 / 90 | 0 | 0 | 0 | – |",
		"| F1 | Postgres killed | 3 | 1,234,567 / 1,234 | 0 | 0 | 0 | 40 ms / 40 ms |",
		"- F5 disk full: needs root\n<!-- /chaos -->\nafter\n",
	} {
		if strings.Count(string(text), want) != 1 {
			t.Errorf("it does not have %q once:\n%s", want, text)
		}
	}
	if strings.Contains(string(text), "old") {
		t.Errorf("it still has what it had:\n%s", text)
	}
}

func TestUpdateReadme_WithoutMarkers(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "README.md")
	if err := os.WriteFile(path, []byte("<!-- chaos -->\nand no end\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := updateReadme(path, nil, "--seed 42"); err == nil {
		t.Error("a file without both markers was changed")
	}
}
