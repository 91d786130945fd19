//go:build linux

package usage

import (
	"os"
	"strconv"
)

// Family is a process and its children: Postgres serves each connection with one.
func Family(parent int) []int {
	pids := []int{parent}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return pids
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if b, err := os.ReadFile(procFile(pid, "stat")); err == nil && parseStat(b).parent == parent {
			pids = append(pids, pid)
		}
	}
	return pids
}
