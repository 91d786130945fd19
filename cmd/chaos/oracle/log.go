package oracle

import (
	"slices"
	"sync"
	"time"
)

// Kind is what a request was about.
type Kind string

// The kinds.
const (
	Positions Kind = "positions" // a courier's report
	Statuses  Kind = "statuses"  // a courier's status
	Dispatch  Kind = "dispatch"  // what a merchant decides
	Opening   Kind = "opening"   // of a socket or stream
)

// Answer is one attempt of a request and what came of it.
type Answer struct {
	Kind Kind
	Who  string
	Node string
	At   time.Time // when it was sent
	Took time.Duration
	Code int    // the HTTP status; 0 when there was none
	Err  string // why there was none
	// Problem is the code of a refusal, and RetryAfter how long it asks to wait.
	Problem    string
	RetryAfter time.Duration
	// Refused means that nobody listened at the node's address any more, so that nothing was sent.
	Refused bool
	// Excused means that the node was killed or paused meanwhile: it can promise nothing then.
	Excused bool
}

// Done is when the answer was there.
func (a Answer) Done() time.Time { return a.At.Add(a.Took) }

// OK reports whether the request did what it was for.
func (a Answer) OK() bool { return a.Code == 101 || a.Code >= 200 && a.Code < 300 }

// Ack is a status that was acknowledged, as an event of its delivery.
type Ack struct {
	Delivery string
	Who      string
	EventID  string // client_event_id; empty for what a merchant decided
	Ver      int64
	Status   string
	At       time.Time
}

// Log is what the clients of one row sent and heard.
type Log struct {
	mu      sync.Mutex
	answers []Answer
	acks    []Ack
	phones  []*Phone
	viewers []*Viewer
	maps    []*Map

	rewrites []Rewrite
}

// Answered notes the end of a request.
func (l *Log) Answered(a Answer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answers = append(l.answers, a)
}

// Acked notes a status that was acknowledged.
func (l *Log) Acked(a Ack) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.acks = append(l.acks, a)
}

// AnswersSince are the answers that came at or after a time, in that order.
func (l *Log) AnswersSince(t time.Time) []Answer {
	l.mu.Lock()
	defer l.mu.Unlock()
	// They are noted as they come, so the newest are at the end; a little disorder among those of one moment is undone.
	from := len(l.answers)
	for from > 0 && l.answers[from-1].Done().After(t.Add(-time.Second)) {
		from--
	}
	late := slices.DeleteFunc(slices.Clone(l.answers[from:]), func(a Answer) bool { return a.Done().Before(t) })
	slices.SortStableFunc(late, func(a, b Answer) int { return a.Done().Compare(b.Done()) })
	return late
}

// Rewrote notes that Postgres went back in time.
func (l *Log) Rewrote(w Rewrite) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rewrites = append(l.rewrites, w)
}

// Phone adds a phone to the log.
func (l *Log) Phone(courier, name string) *Phone {
	p := &Phone{Courier: courier, Name: name}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.phones = append(l.phones, p)
	return p
}

// Viewer adds somebody who watches one delivery.
func (l *Log) Viewer(name, delivery string) *Viewer {
	v := &Viewer{Name: name, Delivery: delivery}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.viewers = append(l.viewers, v)
	return v
}

// Map adds somebody who watches the live map.
func (l *Log) Map(name string) *Map {
	m := &Map{Name: name}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.maps = append(l.maps, m)
	return m
}

// Facts are a log at rest.
type Facts struct {
	Answers []Answer
	Acks    []Ack
	Phones  []Phone
	Viewers []Viewer
	Maps    []Map

	Rewrites []Rewrite // in the order in which they happened
}

// Facts copies the log.
func (l *Log) Facts() Facts {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := Facts{Answers: slices.Clone(l.answers), Acks: slices.Clone(l.acks), Rewrites: slices.Clone(l.rewrites)}
	for _, p := range l.phones {
		f.Phones = append(f.Phones, p.copy())
	}
	for _, v := range l.viewers {
		f.Viewers = append(f.Viewers, v.copy())
	}
	for _, m := range l.maps {
		f.Maps = append(f.Maps, m.copy())
	}
	return f
}
