package main

import (
	"context"
	"fmt"
	"io"

	"hotfoot/cmd/chaos/oracle"
)

// patient does a row, and once more when all that it broke may be the machine's doing. What the first try broke is kept, and shown with the second's.
func (s *suite) patient(ctx context.Context, row Scenario) *Result {
	first := s.run(ctx, row)
	if first.passed() || !first.excusable() || ctx.Err() != nil {
		return first
	}
	s.tell("%-4s once more; at first: %s", row.ID, first.complaint())
	second := s.run(ctx, row)
	second.First = first.Broken
	second.Took += first.Took
	return second
}

// excusable reports whether all that was broken are bounds of time and expectations of the row's own. A machine that is busy with something else may do
// that; what was lost, came twice, in the wrong order or never existed is nobody's doing but the product's.
func (res *Result) excusable() bool {
	for _, v := range res.Broken {
		switch v.Invariant {
		case "row", "recovery", "I6":
		default:
			return false
		}
		if v.Fault != oracle.Wrong {
			return false
		}
	}
	return res.Error == ""
}

// writeFirst lists what first tries broke of rows that were done again.
func writeFirst(w io.Writer, results []*Result) {
	for _, res := range results {
		for _, v := range res.First {
			fmt.Fprintf(w, "\n%s, first try: %s\n", res.ID, v)
		}
	}
}
