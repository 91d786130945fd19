package redisstore

import (
	"sync"
	"sync/atomic"

	"hotfoot/tracking"
)

// maxOwed bounds the sessions with a mark that Redis did not take: some 15 MB. A dropped mark costs nobody a point: the phone keeps what it sent until the
// session's next commit marks it.
const maxOwed = 100_000

// owed are marks that Redis did not take, the highest of each session. The zero value owes nothing.
type owed struct {
	count   atomic.Int64 // len(marks), for those who look without a lock
	dropped atomic.Int64

	mu    sync.Mutex
	epoch int64 // marks of a lower one are worth nothing
	marks map[session]int64
}

type session struct {
	courier tracking.ID
	name    string
}

func (o *owed) add(epoch int64, marks []tracking.Mark) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if epoch < o.epoch {
		return
	}
	if o.marks == nil {
		o.marks = map[session]int64{}
	}
	for _, m := range marks {
		s := session{m.CourierID, m.Session}
		if seq, known := o.marks[s]; known || len(o.marks) < maxOwed {
			o.marks[s] = max(seq, m.DurableSeq)
		} else {
			o.dropped.Add(1)
		}
	}
	o.count.Store(int64(len(o.marks)))
}

// durable is what is owed to a session; 0 for nothing. While nothing is owed to anybody it costs one load.
func (o *owed) durable(courier tracking.ID, name string) int64 {
	if o.count.Load() == 0 {
		return 0
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.marks[session{courier, name}]
}

// some answers up to n marks and the epoch they were earned under.
func (o *owed) some(n int) (epoch int64, marks []tracking.Mark) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for s, seq := range o.marks {
		if len(marks) == n {
			break
		}
		marks = append(marks, tracking.Mark{CourierID: s.courier, Session: s.name, DurableSeq: seq})
	}
	return o.epoch, marks
}

// settle forgets marks that were made, but for those that have grown meanwhile.
func (o *owed) settle(made []tracking.Mark) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, m := range made {
		if s := (session{m.CourierID, m.Session}); o.marks[s] == m.DurableSeq {
			delete(o.marks, s)
		}
	}
	if len(o.marks) == 0 {
		o.marks = nil // a map keeps the room of its best days
	}
	o.count.Store(int64(len(o.marks)))
}

// forget drops everything when the epoch is raised: what was committed before may not have happened.
func (o *owed) forget(epoch int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if epoch > o.epoch {
		o.epoch, o.marks = epoch, nil
		o.count.Store(0)
	}
}
