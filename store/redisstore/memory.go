package redisstore

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"

	"hotfoot/tracking"
)

// WatchSegment tells of every change of a merchant's or courier's things, and whether it can at the moment: when it has become live again, something
// may have been missed.
type WatchSegment func(segment tracking.ID, changed func(), live func(bool)) Watch

// Watch ends what was begun by watching.
type Watch interface{ Close() }

// memory is what this process knows of answers that may be a little old. What must be as new as Redis knows is not kept here: nobody can know that
// without asking.
//
// An answer is shown until Rest is over, whatever has changed. After that it is shown only while changes of its segment are heard of and none was, and
// never longer than memoryKeeps, since it takes seconds to notice that nothing is heard any more.
type memory struct {
	watch WatchSegment
	known cache[string, remembered]

	mu       sync.Mutex
	segments map[tracking.ID]*watched
	closed   bool
}

const (
	memoryBytes    = 32 << 20
	memorySegments = 10_000
	memoryKeeps    = 5 * time.Second
	memorySweep    = 10 * time.Second
)

// watched is a segment of which something is known here.
type watched struct {
	watch      Watch
	generation atomic.Int64 // raised by each change
	live       atomic.Bool
	used       atomic.Int64 // when it was last asked about, Unix nanoseconds
}

// remembered is an answer as it was found.
type remembered struct {
	value      any
	asked      time.Time
	age        time.Duration // at that time
	life       time.Duration // 0 when something had changed since it was computed
	generation int64
	size       int
}

func newMemory(watch WatchSegment) *memory {
	return &memory{watch: watch, segments: map[tracking.ID]*watched{}, known: otter.Must(&otter.Options[string, remembered]{
		MaximumWeight: memoryBytes,
		// A value in memory takes about twice the room that it takes written down.
		Weigher: func(name string, r remembered) uint32 { return uint32(len(name) + 128 + 2*r.size) },
		Logger:  &otter.NoopLogger{},
	})}
}

func (m *memory) get(q tracking.Question, name string) (value any, age time.Duration, ok bool) {
	if q.Computation.Rest == 0 {
		return nil, 0, false
	}
	r, ok := m.known.GetIfPresent(name)
	if !ok {
		return nil, 0, false
	}
	since := time.Since(r.asked)
	age = r.age + since
	if age < q.Computation.Rest {
		return r.value, age, true
	}
	segment := m.segment(q.Segment)
	good := age < r.life && since < memoryKeeps && segment != nil && segment.live.Load() && segment.generation.Load() == r.generation
	return r.value, age, good
}

func (m *memory) put(q tracking.Question, name string, found lookup) {
	if q.Computation.Rest == 0 {
		return
	}
	r := remembered{value: found.value, asked: found.asked, age: found.age, generation: found.generation, size: found.size}
	if found.same {
		r.life = found.life
	}
	m.known.Set(name, r)
}

// generation is how many changes of a question's segment were heard of. It must be asked for before Redis is.
func (m *memory) generation(q tracking.Question) int64 {
	if q.Computation.Rest == 0 {
		return 0
	}
	if s := m.segment(q.Segment); s != nil {
		return s.generation.Load()
	}
	return 0
}

// segment is what is known of a segment, which is watched from now on; nil when too many are.
func (m *memory) segment(id tracking.ID) *watched {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.segments[id]
	if s == nil {
		if m.closed || len(m.segments) >= memorySegments {
			return nil
		}
		s = &watched{}
		m.segments[id] = s
		s.watch = m.watch(id, func() { s.generation.Add(1) }, func(live bool) {
			s.generation.Add(1) // before it counts as live: something may have been missed
			s.live.Store(live)
		})
	}
	s.used.Store(time.Now().UnixNano())
	return s
}

// sweep stops watching what nobody has asked about since the sweep before.
func (m *memory) sweep(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, s := range m.segments {
		if now.Sub(time.Unix(0, s.used.Load())) > memorySweep {
			s.watch.Close()
			delete(m.segments, id)
		}
	}
}

func (m *memory) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	for id, s := range m.segments {
		s.watch.Close()
		delete(m.segments, id)
	}
	m.known.StopAllGoroutines()
}
