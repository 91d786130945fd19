package gateway

import (
	"sync"
	"time"

	"hotfoot/tracking"
)

// shards is how many parts the topics are kept in, each under a lock of its own, and looked after in turn.
const shards = 16

// shard is a part of the topics.
type shard struct {
	mu     sync.Mutex
	topics map[tracking.ID]*topic
}

// shardOf is where a delivery's topic is kept; the last bits of an id are random.
func (h *Hub) shardOf(id tracking.ID) *shard { return &h.shards[id[len(id)-1]%shards] }

// hold reserves a place in the topic of a delivery that is watched already, and answers its record, without its events; leave gives the place back. It answers
// nil unless everything that happens to the delivery is heard here.
func (h *Hub) hold(id tracking.ID) (*topic, *tracking.Record) {
	s := h.shardOf(id)
	s.mu.Lock()
	t := s.topics[id]
	if t != nil {
		t.users++ // before it is looked at, or it could be closed meanwhile
	}
	s.mu.Unlock()
	if t == nil {
		return nil, nil
	}
	if record := t.known(); record != nil {
		return t, record
	}
	h.leave(t)
	return nil, nil
}

// join answers the topic of a delivery with a place reserved in it; leave gives the place back. The first one in opens it, with the record that their
// link was opened with.
func (h *Hub) join(r *tracking.Record, seen tracking.Seen) visit {
	s, id := h.shardOf(r.Delivery.ID), r.Delivery.ID
	s.mu.Lock()
	t := s.topics[id]
	fresh := t == nil
	if fresh {
		t = &topic{hub: h, id: id, said: h.now()}
		t.keep(*r)
		t.hold()
		s.topics[id] = t
		h.metrics.topics.Inc()
	}
	t.users++
	s.mu.Unlock()
	if fresh {
		h.start(t.open)
		return visit{topic: t, record: r, seen: seen, look: 1}
	}
	return h.visit(t, r, seen)
}

// visit is the way into a topic that is there already, with a place reserved in it. Whoever comes back has it look around once more.
func (h *Hub) visit(t *topic, r *tracking.Record, seen tracking.Seen) visit {
	in := visit{topic: t, record: r, seen: seen, look: 1}
	if seen.Ver > 0 {
		t.mu.Lock()
		in.look = t.looks + 1
		t.mu.Unlock()
		if in.look > 1 {
			h.newcomers.add(t)
		}
	}
	return in
}

// leave gives a place back. A topic that nobody watches any more stays for a moment: whoever loads the page again, or was cut off with a crowd, finds
// everything as it was, and costs the stores nothing.
func (h *Hub) leave(t *topic) {
	s := h.shardOf(t.id)
	s.mu.Lock()
	defer s.mu.Unlock()
	t.users--
	t.left = h.now()
}

// crowded reports whether more viewers than may watch are in a topic or on their way in, the asking one among them.
func (h *Hub) crowded(t *topic) bool {
	s := h.shardOf(t.id)
	s.mu.Lock()
	defer s.mu.Unlock()
	return t.users > maxViewers
}

// forget lets the next one who comes open the delivery anew.
func (h *Hub) forget(t *topic) {
	s := h.shardOf(t.id)
	s.mu.Lock()
	defer s.mu.Unlock()
	h.drop(s, t)
}

// drop takes a topic off the map, if it is still there. Called with the shard's mu held.
func (h *Hub) drop(s *shard, t *topic) {
	if s.topics[t.id] == t {
		delete(s.topics, t.id)
		h.metrics.topics.Dec()
	}
}

// watched are all topics there are now.
func (h *Hub) watched() (topics []*topic) {
	for i := range h.shards {
		topics = h.shards[i].collect(topics)
	}
	return topics
}

func (s *shard) collect(into []*topic) []*topic {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.topics {
		into = append(into, t)
	}
	return into
}

// tend ticks what is quiet in one part, and closes what nobody has watched for a moment.
func (h *Hub) tend(s *shard, now time.Time) {
	h.tended = s.collect(h.tended[:0])
	for _, t := range h.tended {
		t.tick(now)
		h.retire(s, t, now)
	}
	clear(h.tended)
}

// retire closes a topic that nobody has watched for a moment.
func (h *Hub) retire(s *shard, t *topic, now time.Time) {
	s.mu.Lock()
	over := t.users == 0 && now.Sub(t.left) >= h.config.timing.linger
	if over {
		h.drop(s, t)
	}
	s.mu.Unlock()
	if over {
		t.close()
	}
}
