package redisstore

import "time"

// BePatient makes a store wait as long as a machine that has no time for the test may need, so that what is counted does not hang on how long it takes.
func (s *Store) BePatient() {
	s.life, s.fills.limit, s.reads.limit = time.Minute, time.Minute, time.Minute
}
