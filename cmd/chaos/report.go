package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"hotfoot/cmd/chaos/oracle"
)

// Result is a row's line in the table.
type Result struct {
	ID        string             `json:"row"`
	Fault     string             `json:"fault"`
	Why       string             `json:"why"`
	Seed      uint64             `json:"seed"`
	Skipped   string             `json:"skipped,omitempty"`
	Error     string             `json:"error,omitempty"`
	Runs      int                `json:"runs"`
	Faults    int                `json:"faults"`
	Positions int                `json:"acknowledged_positions"`
	Statuses  int                `json:"acknowledged_statuses"`
	Excepted  Excepted           `json:"excepted,omitzero"`
	Requests  int                `json:"requests"`
	Frames    int                `json:"frames"`
	Slowest   time.Duration      `json:"slowest_answer_ns"`
	Recovery  []time.Duration    `json:"recovery_ns"`
	Broken    []oracle.Violation `json:"violations"`
	First     []oracle.Violation `json:"first_try,omitempty"` // what was broken before the row was done again
	Took      time.Duration      `json:"took_ns"`
}

// Excepted is what was acknowledged and is not counted as lost, since the fault itself consists in taking it away.
type Excepted struct {
	Positions int `json:"positions"`
	Statuses  int `json:"statuses"`
}

// conclude fills in what a run has come to.
func (res *Result) conclude(r *Run, err error) {
	facts := r.log.Facts()
	res.Runs, res.Faults, res.Recovery = r.repeats, r.faults, r.recovery
	res.Statuses, res.Requests, res.Slowest = len(facts.Acks), len(facts.Answers), oracle.Slowest(facts.Answers)
	for i := range facts.Phones {
		res.Positions += facts.Phones[i].Acked()
	}
	for i := range facts.Viewers {
		res.Frames += len(facts.Viewers[i].Frames)
	}
	res.Excepted, res.Broken = r.excepted, r.found
	if err != nil {
		res.Error = err.Error()
	}
}

func (res *Result) passed() bool { return res.Skipped != "" || res.Error == "" && len(res.Broken) == 0 }

func (res *Result) count(f oracle.Fault) (n int) {
	for _, v := range res.Broken {
		if v.Fault == f {
			n++
		}
	}
	return n
}

func (res *Result) verdict() string {
	switch {
	case res.Error != "":
		return "**error**"
	case len(res.Broken) > 0:
		return fmt.Sprintf("**broken: %d**", len(res.Broken))
	case len(res.First) > 0:
		return "ok, at the second try"
	}
	return "ok"
}

// writeTable writes the suite's Markdown table, and below it what could not run.
func writeTable(w io.Writer, results []*Result) {
	fmt.Fprintln(w, "| row | fault | runs | faults | acknowledged positions / statuses | lost | duplicated | out of order | slowest answer | recovery p50 / p99 | verdict |")
	fmt.Fprintln(w, "|---|---|---|---|---|---|---|---|---|---|---|")
	for _, res := range results {
		if res.Skipped == "" {
			fmt.Fprintf(w, "| %s | %s | %d | %d | %d / %d | %d | %d | %d | %s | %s | %s |\n", res.ID, res.Fault, res.Runs, res.Faults, res.Positions, res.Statuses,
				res.count(oracle.Lost), res.count(oracle.Duplicated), res.count(oracle.Disordered), seconds(res.Slowest), res.recovered(), res.verdict())
		}
	}
	writeExcepted(w, results)
	writeFirst(w, results)
	writeSkipped(w, results)
}

// writeExcepted says what was taken away where a fault consists in that.
func writeExcepted(w io.Writer, results []*Result) {
	for _, res := range results {
		if res.Excepted != (Excepted{}) {
			fmt.Fprintf(w, "\n%s: %d positions and %d statuses were acknowledged before the fault took them away; they do not count as lost.\n",
				res.ID, res.Excepted.Positions, res.Excepted.Statuses)
		}
	}
}

// writeSkipped lists what could not run, with its reason.
func writeSkipped(w io.Writer, results []*Result) {
	heading := "\nNot run here:\n\n"
	for _, res := range results {
		if res.Skipped != "" {
			fmt.Fprintf(w, "%s- %s %s: %s\n", heading, res.ID, res.Fault, res.Skipped)
			heading = ""
		}
	}
}

// recovered is how long recovery took, mostly and at worst.
func (res *Result) recovered() string {
	if len(res.Recovery) == 0 {
		return "–"
	}
	return seconds(oracle.Quantile(res.Recovery, 0.5)) + " / " + seconds(oracle.Quantile(res.Recovery, 0.99))
}

func seconds(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// shownViolations is how many of one row are printed; a file given with --json has all.
const shownViolations = 15

// writeViolations says what was broken and how to see it again.
func writeViolations(w io.Writer, res *Result, command string) {
	fmt.Fprintf(w, "\n%s %s. %s\n", res.ID, res.Fault, res.Why)
	if res.Error != "" {
		fmt.Fprintf(w, "  could not be carried out: %s\n", res.Error)
	}
	for i, v := range res.Broken {
		if i == shownViolations {
			fmt.Fprintf(w, "  … and %d more\n", len(res.Broken)-i)
			break
		}
		fmt.Fprintf(w, "  %s\n", v)
	}
	fmt.Fprintf(w, "  again: %s\n", command)
}

// again is the command that repeats one row.
func again(c *cli, seed uint64, id string) string {
	return fmt.Sprintf("%s --hotfoot %s --only %s %s", os.Args[0], c.Hotfoot, id, c.repeat(seed))
}

// repeat are the arguments that make another run do what this one did.
func (c *cli) repeat(seed uint64) string {
	args := fmt.Sprintf("--seed %d", seed)
	if c.Long {
		args += " --long"
	}
	if c.For > 0 {
		args += " --for " + c.For.String()
	}
	return args
}

func writeJSON(path string, results []*Result) error {
	text, err := json.MarshalIndent(results, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}
