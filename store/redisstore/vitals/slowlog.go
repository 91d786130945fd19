package vitals

import (
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// slowEntries is how many entries of the slow log a look reads, of the 128 that a server keeps. How many came is known from the newest one's number.
const slowEntries = 32

// slowLog knows what of a server's slow log was seen.
type slowLog struct {
	known bool
	next  int64   // the number that the next entry will have
	total float64 // how many came since the first look
	worst slow    // of those that came since the look before; zero for none
}

// slow is a slow command: its name and nothing else, since arguments hold ids.
type slow struct {
	command string
	took    time.Duration
}

// see takes the newest entries, in any order.
func (s *slowLog) see(entries []redis.SlowLog) {
	s.worst = slow{}
	next := int64(0)
	for _, e := range entries {
		next = max(next, e.ID+1)
	}
	if s.known && next < s.next && len(entries) > 0 {
		// The server was started again and counts anew.
		s.next = 0
	}
	if s.known {
		s.total += float64(max(0, next-s.next))
		for _, e := range entries {
			if e.ID >= s.next && e.Duration > s.worst.took {
				s.worst = slow{nameOf(e.Args), e.Duration}
			}
		}
	}
	s.known, s.next = true, max(next, s.next)
}

// nameOf is a command's name, in letters that a label may hold.
func nameOf(arguments []string) string {
	if len(arguments) == 0 {
		return "other"
	}
	name := strings.ToLower(arguments[0])
	if name == "" || len(name) > 24 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz-_") != "" {
		return "other"
	}
	return name
}
