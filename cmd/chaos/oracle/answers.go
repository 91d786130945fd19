package oracle

import (
	"slices"
	"time"
)

// AnswerLimit is how long a client may have to wait for any answer.
const AnswerLimit = 5 * time.Second

// answers judges every attempt of every request: I6.
func (c *court) answers() {
	for _, a := range c.facts.Answers {
		what := a.Who + " at " + a.Node
		at := a.At.UTC().Format("15:04:05.000")
		switch {
		case a.Took > AnswerLimit && !a.Excused:
			c.blame("I6", Wrong, what, "%s sent at %s took %v: %d %s", a.Kind, at, a.Took.Round(time.Millisecond), a.Code, a.Err)
		case !contractual(a) && !c.facts.overtaken(a):
			c.blame("I6", Wrong, what, "%s sent at %s was answered %d %s", a.Kind, at, a.Code, a.Err)
		}
	}
}

// contractual reports whether the contract knows such an answer to such a request. What these clients ask is never their mistake, but for a
// merchant's second attempt at what was done already.
func contractual(a Answer) bool {
	switch {
	case a.OK(), a.Code == 0, a.Code == 429, a.Code == 503:
		return true
	case a.Kind == Dispatch:
		return a.Code >= 400 && a.Code < 500
	}
	return false
}

// Slowest is the longest that a client had to wait, excused waits aside.
func Slowest(answers []Answer) time.Duration {
	var slowest time.Duration
	for _, a := range answers {
		if !a.Excused {
			slowest = max(slowest, a.Took)
		}
	}
	return slowest
}

// Quantile is the q-quantile of durations, 0 for none.
func Quantile(durations []time.Duration, q float64) time.Duration {
	if len(durations) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(durations))
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}
