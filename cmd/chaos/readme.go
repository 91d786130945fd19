package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	"hotfoot/cmd/chaos/oracle"
)

// Between these the README has the table.
const (
	readmeBegin = "<!-- chaos -->\n"
	readmeEnd   = "<!-- /chaos -->\n"
)

// updateReadme replaces what stands between the markers of a file by what a run with these arguments has shown.
func updateReadme(path string, results []*Result, args string) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, begins := strings.Cut(string(raw), readmeBegin)
	_, after, ends := strings.Cut(rest, readmeEnd)
	if !begins || !ends {
		return fmt.Errorf("%s lacks the markers %s and %s, each on a line of its own", path, strings.TrimSpace(readmeBegin), strings.TrimSpace(readmeEnd))
	}
	var text strings.Builder
	text.WriteString(before + readmeBegin)
	writeReadme(&text, results, args)
	text.WriteString(readmeEnd + after)
	return os.WriteFile(path, []byte(text.String()), 0o644)
}

// writeReadme writes what readers want to know of the rows, which all have passed, and below it which could not run.
func writeReadme(w io.Writer, results []*Result, args string) {
	fmt.Fprintf(w, "`make chaos ARGS='%s'` on %d cores: %s.\n\n", args, runtime.NumCPU(), totals(results))
	fmt.Fprintln(w, "| | fault | times | acknowledged positions / statuses | lost | duplicated | out of order | recovered in p50 / p99 |")
	fmt.Fprintln(w, "|---|---|---|---|---|---|---|---|")
	for _, res := range results {
		if res.Skipped == "" {
			fmt.Fprintf(w, "| %s | %s | %d | %s / %s | %d | %d | %d | %s |\n", res.ID, res.Fault, res.Faults, grouped(res.Positions), grouped(res.Statuses),
				res.count(oracle.Lost), res.count(oracle.Duplicated), res.count(oracle.Disordered), res.recovered())
		}
	}
	writeExcepted(w, results)
	writeSkipped(w, results)
}

// totals are the sums over all rows that ran.
func totals(results []*Result) string {
	var rows, faults, positions, statuses, lost, duplicated, disordered int
	for _, res := range results {
		if res.Skipped != "" {
			continue
		}
		rows++
		faults += res.Faults
		positions += res.Positions
		statuses += res.Statuses
		lost += res.count(oracle.Lost)
		duplicated += res.count(oracle.Duplicated)
		disordered += res.count(oracle.Disordered)
	}
	return fmt.Sprintf("%d rows, %d faults, %s acknowledged positions and %s statuses, %d lost, %d duplicated, %d out of order",
		rows, faults, grouped(positions), grouped(statuses), lost, duplicated, disordered)
}

// grouped writes a number as people read it: 12,345.
func grouped(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
