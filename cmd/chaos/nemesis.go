package main

import (
	"strings"
	"time"

	"hotfoot/cmd/chaos/load"
)

func init() {
	add(Scenario{
		ID: "F33", Name: "random nemesis",
		Why:   "Faults that nobody has thought of together come together; the seed tells which.",
		Large: load.Size{ReportEvery: time.Second, StepEvery: time.Second},
		Run:   nemesis,
	})
}

// How long the nemesis goes on when --for does not say.
const (
	shortNemesis = 8 * time.Second
	longNemesis  = time.Hour
)

func nemesis(r *Run) {
	lasts := r.env.For
	if lasts == 0 {
		lasts = r.Pick(shortNemesis, longNemesis)
	}
	failpoints := r.env.Built("failpoints")
	for end := time.Now().Add(lasts); time.Now().Before(end); {
		r.Fault(func() { r.strike(failpoints) })
	}
}

// mostAtOnce is how many faults there are at a time, at most.
const mostAtOnce = 3

// strike does one to three harms to different parts of the deployment, one after the other, and undoes them in any order.
func (r *Run) strike(failpoints bool) {
	var chosen []harm
	var names []string
	struck := map[string]bool{}
	for range 1 + r.Rand.IntN(mostAtOnce) {
		h := r.harm(failpoints)
		if struck[h.part] {
			continue
		}
		struck[h.part] = true
		chosen, names = append(chosen, h), append(names, h.name)
	}
	r.tell("%s", strings.Join(names, " + "))
	for _, h := range chosen {
		h.begin()
		r.Wait(r.some(0, 300*time.Millisecond))
	}
	r.Wait(r.some(200*time.Millisecond, r.Pick(1500*time.Millisecond, 5*time.Second)))
	r.Rand.Shuffle(len(chosen), func(i, j int) { chosen[i], chosen[j] = chosen[j], chosen[i] })
	for _, h := range chosen {
		h.end()
	}
}

// some is a random duration.
func (r *Run) some(from, to time.Duration) time.Duration {
	return from + time.Duration(r.Rand.Int64N(int64(to-from)))
}
