//go:build unix && !linux

package private

import (
	"iter"
	"os/exec"
	"strconv"
	"strings"
)

// commandLines yields every process and its command line; of a zombie it is the name in parentheses.
func commandLines() iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		out, err := exec.Command("ps", "-axww", "-o", "pid=,command=").Output()
		if err != nil {
			return
		}
		for row := range strings.Lines(string(out)) {
			number, line, _ := strings.Cut(strings.TrimSpace(row), " ")
			pid, err := strconv.Atoi(number)
			if err != nil {
				continue
			}
			if !yield(pid, strings.TrimSpace(line)) {
				return
			}
		}
	}
}
