//go:build linux

package report

import (
	"fmt"
	"io"
	"text/tabwriter"

	"hotfoot/cmd/hotfoot/bench/stats"
)

// Verdict is a claim beside what was measured for it.
type Verdict struct {
	Claim    string    `json:"claim"`
	Target   string    `json:"target"`
	Unit     string    `json:"unit"`
	Measured float64   `json:"measured"` // the median of the repeats, or the highest of what must be so in each
	Repeats  []float64 `json:"repeats"`
	Reached  bool      `json:"reached"`
}

// Judge files a claim. Of every repeat, what was measured is computed from figures of that repeat alone; without any the claim is not reached.
func (r *Report) Judge(claim, target, unit string, repeats []float64, reached func(measured float64) bool) {
	v := &Verdict{Claim: claim, Target: target, Unit: unit, Repeats: repeats, Measured: stats.Median(repeats)}
	v.Reached = len(repeats) > 0 && reached(v.Measured)
	r.Verdicts = append(r.Verdicts, v)
}

// JudgeEach files a claim that must be so in every repeat; the highest is what was measured.
func (r *Report) JudgeEach(claim, target, unit string, repeats []float64, reached func(measured float64) bool) {
	v := &Verdict{Claim: claim, Target: target, Unit: unit, Repeats: repeats, Reached: len(repeats) > 0}
	for _, measured := range repeats {
		v.Measured = max(v.Measured, measured)
		v.Reached = v.Reached && reached(measured)
	}
	r.Verdicts = append(r.Verdicts, v)
}

// Repeats are a figure's values, in the order in which they were taken; nil when there is no such figure.
func (t *Table) Repeats(what, system, figure string) []float64 {
	for _, row := range t.Rows {
		if row.What == what && row.System == system {
			if f := row.figure(figure); f != nil {
				return f.Repeats
			}
		}
	}
	return nil
}

func (v *Verdict) cells() []string {
	measured := "–"
	if len(v.Repeats) > 0 {
		measured = short(v.Measured) + v.Unit
	}
	answer := "no"
	if v.Reached {
		answer = "yes"
	}
	return []string{v.Claim, v.Target, measured, answer}
}

var verdictHeadings = []string{"claim", "target", "measured", "reached"}

func (r *Report) verdictText(w io.Writer) error {
	if len(r.Verdicts) == 0 {
		return nil
	}
	fmt.Fprint(w, "\nverdict: medians over the repeats, of what each repeat says alone; of statements and fills the highest\n\n")
	table := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	writeCells(table, verdictHeadings)
	for _, v := range r.Verdicts {
		writeCells(table, v.cells())
	}
	return table.Flush()
}

func writeCells(w io.Writer, cells []string) {
	for i, c := range cells {
		if i > 0 {
			fmt.Fprint(w, "\t")
		}
		fmt.Fprint(w, c)
	}
	fmt.Fprintln(w)
}
