//go:build linux

// Package report holds what was measured until it is printed, as tables for people or as one JSON document for programs.
//
//	Report ─> Table, one for each measurement ─> Row, one for each shape and system ─> Figure, with the value of every repeat
//	       └> Verdict, one for each claim
//
// What is shown is the median of the repeats, and nothing is computed from medians. A report is filled by one goroutine.
package report

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"text/tabwriter"

	"hotfoot/cmd/hotfoot/bench/stats"
)

// Report is everything that one run has measured.
type Report struct {
	Version string   `json:"version"`
	Machine string   `json:"machine"`
	Tables  []*Table `json:"tables"`

	Verdicts []*Verdict `json:"verdicts,omitempty"`
}

// Table is one measurement.
type Table struct {
	Name  string   `json:"name"`
	Taken string   `json:"taken"` // how
	Notes []string `json:"notes,omitempty"`
	Rows  []*Row   `json:"rows"`
}

// Row is one shape of a measurement on one system.
type Row struct {
	What    string    `json:"what"`
	System  string    `json:"system"`
	Figures []*Figure `json:"figures"`
}

// Figure is one thing that was measured, in each repeat.
type Figure struct {
	Name    string    `json:"name"`
	Unit    string    `json:"unit"`
	Median  float64   `json:"median"`
	Repeats []float64 `json:"repeats"`
}

// Reading is a figure's value in one repeat. Units: s, ms, µs, B, MB, 1/s, or none for a count.
type Reading struct {
	Name, Unit string
	Value      float64
}

// New begins a table.
func (r *Report) New(name, taken string) *Table {
	t := &Table{Name: name, Taken: taken}
	r.Tables = append(r.Tables, t)
	return t
}

// Note adds a remark, once.
func (t *Table) Note(format string, args ...any) {
	if note := fmt.Sprintf(format, args...); !slices.Contains(t.Notes, note) {
		t.Notes = append(t.Notes, note)
	}
}

// Add files the readings of one repeat.
func (t *Table) Add(what, system string, readings ...Reading) {
	i := slices.IndexFunc(t.Rows, func(r *Row) bool { return r.What == what && r.System == system })
	if i < 0 {
		i = len(t.Rows)
		t.Rows = append(t.Rows, &Row{What: what, System: system})
	}
	for _, reading := range readings {
		f := t.Rows[i].figure(reading.Name)
		if f == nil {
			f = &Figure{Name: reading.Name, Unit: reading.Unit}
			t.Rows[i].Figures = append(t.Rows[i].Figures, f)
		}
		f.Repeats = append(f.Repeats, reading.Value)
		f.Median = stats.Median(f.Repeats)
	}
}

func (r *Row) figure(name string) *Figure {
	for _, f := range r.Figures {
		if f.Name == name {
			return f
		}
	}
	return nil
}

// JSON writes the report for programs.
func (r *Report) JSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}

// Text writes the report for people.
func (r *Report) Text(w io.Writer) error {
	fmt.Fprintf(w, "hotfoot %s on %s\n", r.Version, r.Machine)
	for _, t := range r.Tables {
		if err := t.text(w); err != nil {
			return err
		}
	}
	return r.verdictText(w)
}

func (t *Table) text(w io.Writer) error {
	fmt.Fprintf(w, "\n%s: %s\n\n", t.Name, t.Taken)
	table := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	for _, line := range t.cells() {
		writeCells(table, line)
	}
	err := table.Flush()
	for _, note := range t.Notes {
		fmt.Fprintln(w, "  "+note)
	}
	return err
}

// cells are the headings, and then the rows under them.
func (t *Table) cells() [][]string {
	var columns []*Figure
	for _, r := range t.Rows {
		for _, f := range r.Figures {
			if !slices.ContainsFunc(columns, func(c *Figure) bool { return c.Name == f.Name }) {
				columns = append(columns, f)
			}
		}
	}
	headings := []string{"", ""}
	for _, c := range columns {
		headings = append(headings, c.heading())
	}
	lines := [][]string{headings}
	for _, r := range t.Rows {
		line := []string{r.What, r.System}
		for _, c := range columns {
			if f := r.figure(c.Name); f != nil {
				line = append(line, short(f.Median))
			} else {
				line = append(line, "–")
			}
		}
		lines = append(lines, line)
	}
	return lines
}

func (f *Figure) heading() string {
	if f.Unit == "" {
		return f.Name
	}
	return f.Name + ", " + f.Unit
}

// short writes three digits that mean something, and no more than the whole number.
func short(v float64) string {
	switch abs := max(v, -v); {
	case v == 0:
		return "0"
	case abs >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case abs >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case abs >= 0.01:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
	return strconv.FormatFloat(v, 'g', 2, 64)
}
