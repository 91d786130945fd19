//go:build linux

package report

import (
	"fmt"
	"io"
	"strings"
)

// Markdown writes the report as the documentation shows it.
func (r *Report) Markdown(w io.Writer) error {
	fmt.Fprintf(w, "hotfoot %s on %s\n", r.Version, r.Machine)
	for _, t := range r.Tables {
		fmt.Fprintf(w, "\n**%s**: %s\n\n", t.Name, t.Taken)
		lines := t.cells()
		markdownTable(w, lines, 2)
		for _, note := range t.Notes {
			fmt.Fprintf(w, "\n%s.\n", note)
		}
	}
	if len(r.Verdicts) == 0 {
		return nil
	}
	lines := [][]string{verdictHeadings}
	for _, v := range r.Verdicts {
		lines = append(lines, v.cells())
	}
	fmt.Fprint(w, "\n**verdict**\n\n")
	return markdownTable(w, lines, 2)
}

// markdownTable writes a table whose first line is its heading and whose first columns are words.
func markdownTable(w io.Writer, lines [][]string, words int) error {
	var b strings.Builder
	for i, line := range lines {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(line, " | "))
		if i > 0 {
			continue
		}
		b.WriteString("|")
		for column := range line {
			if column < words {
				b.WriteString("---|")
			} else {
				b.WriteString("---:|")
			}
		}
		b.WriteString("\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
