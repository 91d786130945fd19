package private

import (
	"bytes"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strconv"
)

// commandLines yields every process but zombies with its command line, words separated by spaces.
//
// A process that is dying loses its command line a moment before it lets go of its shared memory, and only then becomes a
// zombie. In between it is yielded as [name].
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
			if len(line) == 0 {
				if line = dying(name); line == nil {
					continue
				}
			}
			if !yield(pid, string(bytes.ReplaceAll(line, []byte{0}, []byte(" ")))) {
				return
			}
		}
	}
}

// dying returns [name], or nil for a zombie. The stat file says: pid (name) state ...
func dying(pid string) []byte {
	stat, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
	if err != nil {
		return nil
	}
	from, to := bytes.IndexByte(stat, '('), bytes.LastIndex(stat, []byte(") "))
	if from < 0 || to < from || bytes.HasPrefix(stat[to:], []byte(") Z")) || bytes.HasPrefix(stat[to:], []byte(") X")) {
		return nil
	}
	return fmt.Appendf(nil, "[%s]", stat[from+1:to])
}
