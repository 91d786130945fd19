package tracking

import (
	"encoding/binary"
	"sync"
	"time"
)

// MemoryLimiter keeps the counts of one policy in this process alone: where a count over all nodes is not worth a round trip. It is bounded, and needs no
// loop: who has come back to nothing makes room for others, and before there is no room, whoever comes closest to that.
type MemoryLimiter struct {
	policy LimitPolicy
	states subjects[LimitState]
	now    func() time.Time
}

// NewMemoryLimiter makes a limiter for a valid policy that knows so many subjects.
func NewMemoryLimiter(policy LimitPolicy, size int, now func() time.Time) *MemoryLimiter {
	l := &MemoryLimiter{policy: policy, now: now}
	l.states.size = size
	l.states.until = func(s LimitState) int64 { return s.idleFrom(policy) }
	return l
}

// Take takes one of what the policy allows a subject.
func (l *MemoryLimiter) Take(subject LimitSubject) (d Decision) {
	now := l.now().UnixMicro()
	l.states.change(subject, now, func(s LimitState) LimitState {
		s, d = s.Take(l.policy, now, 1)
		return s
	})
	return d
}

// subjects is a bounded map, in parts so that those who use it seldom wait for each other. The zero value but for its fields is ready.
type subjects[V any] struct {
	size  int
	until func(V) int64 // from when on a value need not be kept
	parts [16]struct {
		mu   sync.Mutex
		kept map[LimitSubject]V
	}
}

// sampled is how many values are looked at for one that may go. Maps are gone through from a random place on.
const sampled = 8

func (s *subjects[V]) get(subject LimitSubject) (V, bool) {
	p := &s.parts[s.part(subject)]
	p.mu.Lock()
	defer p.mu.Unlock()
	v, ok := p.kept[subject]
	return v, ok
}

// change puts what fn makes of a value, which is zero for a subject that is not known, in its place.
func (s *subjects[V]) change(subject LimitSubject, now int64, fn func(V) V) {
	p := &s.parts[s.part(subject)]
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.kept == nil {
		p.kept = map[LimitSubject]V{}
	}
	before, known := p.kept[subject]
	after := fn(before)
	if s.until(after) <= now {
		delete(p.kept, subject)
		return
	}
	if !known && len(p.kept) >= s.size/len(s.parts) {
		s.makeRoom(p.kept, now)
	}
	p.kept[subject] = after
}

// makeRoom lets go of the values of a sample that need not be kept, or else of the one that first need not.
func (s *subjects[V]) makeRoom(kept map[LimitSubject]V, now int64) {
	var first LimitSubject
	looked, soonest, gone := 0, int64(0), false
	for subject, v := range kept {
		until := s.until(v)
		if until <= now {
			delete(kept, subject)
			gone = true
		}
		if looked == 0 || until < soonest {
			first, soonest = subject, until
		}
		if looked++; looked == sampled {
			break
		}
	}
	if !gone {
		delete(kept, first)
	}
}

// part spreads subjects by their last bytes: the first ones of an id are the time at which it was made.
func (s *subjects[V]) part(subject LimitSubject) int {
	return int(binary.LittleEndian.Uint32(subject[12:]) % uint32(len(s.parts)))
}
