package doctor

import (
	"encoding/json"
	"fmt"
	"io"
)

// Count says how many findings are of a level.
func Count(findings []Finding, level Level) (n int) {
	for _, f := range findings {
		if f.Level == level {
			n++
		}
	}
	return n
}

// The colours of a terminal.
var colours = map[Level]string{OK: "\x1b[32m", Warn: "\x1b[33m", Bad: "\x1b[31m"}

// Print writes findings for people, one a line and what to do below it.
func Print(out io.Writer, findings []Finding, coloured bool) error {
	width := 0
	for _, f := range findings {
		width = max(width, len(f.Check))
	}
	server := ""
	for _, f := range findings {
		if f.Server != server {
			server = f.Server
			if server != "" {
				fmt.Fprintf(out, "%s\n", server)
			}
		}
		begin, end := "", ""
		if coloured {
			begin, end = colours[f.Level], "\x1b[0m"
		}
		fmt.Fprintf(out, "  %s%-4s%s  %-*s  %s\n", begin, f.Level, end, width, f.Check, f.Found)
		if f.Do != "" {
			fmt.Fprintf(out, "        %-*s  → %s\n", width, "", f.Do)
		}
	}
	_, err := fmt.Fprintf(out, "%d ok, %d to look at, %d bad\n", Count(findings, OK), Count(findings, Warn), Count(findings, Bad))
	return err
}

// PrintJSON writes findings for programs, as one object.
func PrintJSON(out io.Writer, findings []Finding) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(struct {
		Healthy  bool      `json:"healthy"`
		Findings []Finding `json:"findings"`
	}{Count(findings, Bad) == 0, findings})
}
