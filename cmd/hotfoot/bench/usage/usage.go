//go:build linux

// Package usage says what processes cost, as the operating system counted it: CPU time and resident memory, read from /proc.
//
//	/proc/<pid>/schedstat, stat, status ──> Of(pids) ──> Usage{CPU, RSS}
//
// Nothing in the processes takes part, so a product cannot flatter itself. A process that has ended counts nothing, so a difference over
// a process that ended meanwhile is too small: measure over what lives.
package usage

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Usage is what some processes have used. CPU is user and system time of all their threads so far; RSS is resident bytes now.
type Usage struct {
	CPU time.Duration
	RSS int64
}

// Of sums up the processes that live. Without /proc everything is zero, which Check tells apart.
func Of(pids ...int) Usage {
	var sum Usage
	for _, pid := range pids {
		sum.CPU += cpuOf(pid)
		if b, err := os.ReadFile(procFile(pid, "status")); err == nil {
			sum.RSS += parseRSS(b)
		}
	}
	return sum
}

// Check reports whether this system tells what is asked of it.
func Check() error {
	if u := Of(os.Getpid()); u.RSS == 0 {
		return fmt.Errorf("/proc says nothing about processes here, and without it nothing can be measured from outside")
	}
	return nil
}

// cpuOf adds up the threads' run times, which the scheduler keeps in nanoseconds; stat has ticks of 10 ms only, but has those of ended threads too.
func cpuOf(pid int) time.Duration {
	b, err := os.ReadFile(procFile(pid, "stat"))
	if err != nil {
		return 0
	}
	ticks := parseStat(b)
	var exact time.Duration
	tasks, err := os.ReadDir(procFile(pid, "task"))
	if err != nil {
		return ticks.cpu
	}
	for _, task := range tasks {
		if b, err := os.ReadFile(procFile(pid, "task/"+task.Name()+"/schedstat")); err == nil {
			exact += parseSchedstat(b)
		}
	}
	return max(exact, ticks.cpu)
}

func procFile(pid int, name string) string { return "/proc/" + strconv.Itoa(pid) + "/" + name }

// clockTick is the unit of stat's CPU times: USER_HZ, which is 100 on every Linux that Go runs on.
const clockTick = 10 * time.Millisecond

// stat is what is read of /proc/<pid>/stat.
type stat struct {
	parent int
	cpu    time.Duration
}

// parseStat reads behind the name, which stands in parentheses and may hold anything.
func parseStat(b []byte) stat {
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(fields) < 13 {
		return stat{}
	}
	parent, _ := strconv.Atoi(fields[1])
	user, _ := strconv.ParseInt(fields[11], 10, 64)
	system, _ := strconv.ParseInt(fields[12], 10, 64)
	return stat{parent: parent, cpu: time.Duration(user+system) * clockTick}
}

// parseSchedstat reads the first of three numbers: nanoseconds on a CPU.
func parseSchedstat(b []byte) time.Duration {
	first, _, _ := bytes.Cut(b, []byte(" "))
	ns, _ := strconv.ParseInt(string(first), 10, 64)
	return time.Duration(ns)
}

// parseRSS reads the line VmRSS of /proc/<pid>/status, which is in kB.
func parseRSS(b []byte) int64 {
	_, rest, found := bytes.Cut(b, []byte("\nVmRSS:"))
	if !found {
		return 0
	}
	fields := bytes.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kb, _ := strconv.ParseInt(string(fields[0]), 10, 64)
	return kb << 10
}
