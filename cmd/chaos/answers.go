package main

import (
	"time"

	"hotfoot/cmd/chaos/oracle"
)

// Answers are attempts of requests that ended during a fault.
type Answers []oracle.Answer

// StatusAnswers are the answers to couriers' statuses during the newest fault.
func (r *Run) StatusAnswers() Answers { return r.answers(oracle.Statuses) }

// PositionAnswers are the answers to couriers' positions during the newest fault.
func (r *Run) PositionAnswers() Answers { return r.answers(oracle.Positions) }

// OpeningAnswers are the answers to viewers who connected during the newest fault.
func (r *Run) OpeningAnswers() Answers { return r.answers(oracle.Opening) }

func (r *Run) answers(kind oracle.Kind) Answers {
	if len(r.spans) == 0 {
		return nil
	}
	s := r.spans[len(r.spans)-1]
	return Answers(r.log.AnswersSince(s.from)).where(func(a oracle.Answer) bool { return a.Kind == kind && !a.Done().After(s.to) })
}

func (as Answers) where(fits func(oracle.Answer) bool) Answers {
	var kept Answers
	for _, a := range as {
		if fits(a) {
			kept = append(kept, a)
		}
	}
	return kept
}

// With are those with a status; 0 is none: cut off, refused or timed out.
func (as Answers) With(code int) Answers {
	return as.where(func(a oracle.Answer) bool { return a.Code == code })
}

// Without are those with any other status.
func (as Answers) Without(code int) Answers {
	return as.where(func(a oracle.Answer) bool { return a.Code != code })
}

// After are those to requests that were sent so long after the newest fault began.
func (r *Run) After(as Answers, d time.Duration) Answers {
	return as.since(r.spans[len(r.spans)-1].from.Add(d))
}

// by are those that came by a time.
func (as Answers) by(t time.Time) Answers {
	return as.where(func(a oracle.Answer) bool { return !a.Done().After(t) })
}

// since are those to requests that were sent at a time or later.
func (as Answers) since(t time.Time) Answers {
	return as.where(func(a oracle.Answer) bool { return !a.At.Before(t) })
}

// Slowest is the longest that one of them took.
func (as Answers) Slowest() time.Duration { return oracle.Slowest(as) }

// Quantile is the q-quantile of how long they took.
func (as Answers) Quantile(q float64) time.Duration {
	took := make([]time.Duration, len(as))
	for i, a := range as {
		took[i] = a.Took
	}
	return oracle.Quantile(took, q)
}

// Codes counts them by status.
func (as Answers) Codes() map[int]int {
	codes := map[int]int{}
	for _, a := range as {
		codes[a.Code]++
	}
	return codes
}
