package doctor

import "fmt"

const mega = 1 << 20

// roomy is from how much memory on fragmentation says something: a server that holds little is always fragmented.
const roomy = 256 * mega

// serverMemory looks at how much a server uses, and what it may. backlog is what may wait in it for Postgres, in bytes.
func (c *chart) serverMemory(s said, backlog float64) {
	const check = "redis memory"
	used, most, machine := s.number("used_memory"), s.number("maxmemory"), s.number("total_system_memory")
	backlog *= 1.5 // with Redis' own bookkeeping
	before := len(c.findings)
	switch {
	case most == 0:
		c.warn(check, configured(fmt.Sprintf("maxmemory %dmb", int(machine*0.6/mega))), "maxmemory is 0: it grows until the kernel ends it")
	case used > 0.9*most:
		c.bad(check, "raise maxmemory, or find out what fills it: docs/runbooks/redis-memory.md", "%s of %s are used: soon it takes nothing new", size(used), size(most))
	case used > 0.75*most:
		c.warn(check, "docs/runbooks/redis-memory.md", "%s of %s are used", size(used), size(most))
	}
	if most > 0 && machine > 0 && most > 0.9*machine {
		c.warn(check, configured(fmt.Sprintf("maxmemory %dmb", int(machine*0.6/mega))),
			"maxmemory is %s of the machine's %s: nothing is left for rewriting its file", size(most), size(machine))
	}
	if most > 0 && backlog > most {
		c.warn(check, configured(fmt.Sprintf("maxmemory %dmb", int(2*backlog/mega)))+"; or a smaller HOTFOOT_BACKLOG_MB on every node",
			"what may wait for Postgres takes up to %s here, more than maxmemory, %s: Redis is full before the limit of the backlog is reached", size(backlog), size(most))
	}
	if evicted := s.number("evicted_keys"); evicted > 0 {
		c.warn(check, "docs/runbooks/redis-evictions.md", "%.0f keys were thrown away since it was started", evicted)
	}
	if ratio := s.number("mem_fragmentation_ratio"); used > roomy && ratio > 1.5 {
		c.warn(check, configured("activedefrag yes"), "it takes %.2f times the memory that it uses", ratio)
	} else if used > roomy && ratio > 0 && ratio < 0.9 {
		c.bad(check, "give the machine more memory, or Redis less", "a part of its memory is swapped out (fragmentation %.2f)", ratio)
	}
	if len(c.findings) == before {
		c.ok(check, "%s of %s are used", size(used), size(most))
	}
}

// size is a number of bytes for people.
func size(bytes float64) string {
	switch {
	case bytes >= 1<<50:
		return "any amount"
	case bytes >= 1<<30:
		return fmt.Sprintf("%.1f GB", bytes/(1<<30))
	}
	return fmt.Sprintf("%.1f MB", bytes/mega)
}
