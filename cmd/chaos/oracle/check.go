package oracle

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Fault is what became of the thing that an invariant is about.
type Fault string

// The faults.
const (
	Lost       Fault = "lost"
	Duplicated Fault = "duplicated"
	Disordered Fault = "out of order"
	Wrong      Fault = "wrong"
)

// Violation is one broken promise.
type Violation struct {
	Invariant string
	Fault     Fault
	Who       string // the phone, viewer, delivery or node concerned
	Detail    string // which seq or ver, what was said, what Postgres has
}

func (v Violation) String() string { return v.Invariant + " " + v.Who + ": " + v.Detail }

// court collects violations.
type court struct {
	facts Facts
	truth Truth
	found []Violation
}

func (c *court) blame(invariant string, fault Fault, who, format string, args ...any) {
	c.found = append(c.found, Violation{Invariant: invariant, Fault: fault, Who: who, Detail: fmt.Sprintf(format, args...)})
}

// Check judges everything but what needs more than facts and truth: I5 (CheckRest) and the promise of calm (CheckCalm).
func Check(facts Facts, truth Truth) []Violation {
	c := &court{facts: facts, truth: truth}
	for i := range facts.Phones {
		c.phone(&facts.Phones[i])
	}
	c.statuses()
	c.versions()
	shown := c.shown()
	for i := range facts.Viewers {
		c.viewer(&facts.Viewers[i], shown)
	}
	for i := range facts.Maps {
		c.liveMap(&facts.Maps[i], shown)
	}
	c.answers()
	slices.SortStableFunc(c.found, func(a, b Violation) int { return cmp.Compare(a.Invariant, b.Invariant) })
	return c.found
}

// clock writes a Unix time in milliseconds as a log would.
func clock(ms int64) string { return time.UnixMilli(ms).UTC().Format("15:04:05.000") }
