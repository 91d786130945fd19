package redisstore

import (
	"strings"

	"hotfoot/tracking/key"
)

// Runs name the run of a server in whose memory each partition is, from one start of its process to its end; "" where it is not known.
//
// A server that was started again from its file, and even more so a replica that took over, may have slept through changes that nobody will tell it
// again. So what is kept of the truth says in which run that was, and what is left of another run is compared with the truth before it is shown.
type Runs [key.Partitions]string

// SetRuns says which runs there are now. Until it is called nothing is compared.
func (s *Store) SetRuns(runs Runs) {
	if before := s.runs.Swap(&runs); before != nil && *before != runs {
		// What makes servers start anew may have made Postgres be restored too, and nobody has said so yet.
		s.unknown.forget()
	}
}

// runsNow must be asked for before the truth is: what the truth answers is then true of these runs.
func (s *Store) runsNow() *Runs {
	if runs := s.runs.Load(); runs != nil {
		return runs
	}
	return &Runs{}
}

// leftover reports whether something was kept in another run than this.
func leftover(kept any, run string) bool { return run != "" && kept != run }

// runOf reads the answer to INFO. A third of it is enough to tell runs apart, and it stands in every hash.
func runOf(info string) string {
	for line := range strings.Lines(info) {
		if id, ok := strings.CutPrefix(line, "run_id:"); ok {
			id = strings.TrimSpace(id)
			return id[:min(len(id), 12)]
		}
	}
	return ""
}
