package private

import (
	"bytes"
	"iter"
	"os"
	"path/filepath"
	"strconv"
)

// commandLines yields every process and its command line, words separated by spaces. Zombies have an empty one.
func commandLines() iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		proc, err := os.Open("/proc")
		if err != nil {
			return
		}
		defer proc.Close()
		names, _ := proc.Readdirnames(-1)
		for _, name := range names {
			pid, err := strconv.Atoi(name)
			if err != nil {
				continue
			}
			line, err := os.ReadFile(filepath.Join("/proc", name, "cmdline"))
			if err != nil {
				continue // gone meanwhile
			}
			if !yield(pid, string(bytes.ReplaceAll(line, []byte{0}, []byte(" ")))) {
				return
			}
		}
	}
}
