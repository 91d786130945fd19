package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"hotfoot/cmd/chaos/rig"
)

func init() {
	add(Scenario{
		ID: "F20", Name: "killed, or refused by a store, between every two steps",
		Why:   "Wherever on the way a process ends or a store fails, what was acknowledged is there once, and what was not is asked for again.",
		Needs: needsFailpoints, API: 3, Workers: 1,
		Run: ingestKilled,
	})
}

// The steps of a change on its way from a phone to Postgres and to viewers. A node without the role worker stores only what phones wait for, and marks that
// on the way to showing it; a worker only what is in the backlog.
var (
	apiSteps = []string{
		"Hot.Place:before", "Hot.Place:after", "Track.Store:before", "Track.Store:after",
		"Ledger.Change:before", "Ledger.Change:after", "Announcer.Announce:before", "Announcer.Announce:after",
		"Outbox.MarkPublished:before", "Outbox.MarkPublished:after",
	}
	workerSteps = []string{
		"Backlog.Read:after", "Track.Store:before", "Track.Store:after", "Backlog.Ack:before", "Backlog.Ack:after", "Hot.MarkDurable:before", "Hot.MarkDurable:after",
	}
)

func ingestKilled(r *Run) {
	failing, half := r.API[2], len(apiSteps)/2
	r.Repeat(1, 40, func(int) {
		chains := []*chain{
			{node: r.API[0], roles: "api", steps: apiSteps[:half], died: r.API[0].Deaths()},
			{node: r.API[1], roles: "api", steps: apiSteps[half:], died: r.API[1].Deaths()},
			{node: r.Workers[0], roles: "worker", steps: workerSteps, died: r.Workers[0].Deaths()},
		}
		var errors []string
		for _, step := range slices.Concat(apiSteps, []string{"Backlog.Read:after", "Backlog.Ack:before", "Backlog.Ack:after", "Hot.MarkDurable:before", "Hot.MarkDurable:after"}) {
			errors = append(errors, fmt.Sprintf("%s=error@%d", step, r.times()))
		}
		said := r.firings(failing, errors)
		r.Fault(func() {
			failing.Restart("HOTFOOT_FAILPOINTS=" + strings.Join(errors, ";"))
			r.Until("a process dies at every step", 40*time.Second, func() bool {
				left := 0
				for _, c := range chains {
					left += c.goOn(r)
				}
				return left == 0
			})
			r.Until("every step fails once", 10*time.Second, func() bool { return r.firings(failing, errors) >= said+len(errors) })
			failing.Restart()
			for _, c := range chains {
				c.node.Restart()
			}
		})
		r.faults += len(errors) - 1 // counted as one so far
		for _, c := range chains {
			r.faults += len(c.steps)
			for _, step := range c.steps {
				r.Expect(c.node.Said("failpoint "+step+" kill") > 0, "the fault did nothing: %s did not die at %s", c.node.Name, step)
			}
		}
	})
}

// times is how often a step is taken before something happens there: not at once, since a node must serve before it may die.
func (r *Run) times() int {
	if r.Long {
		return 2 + r.Rand.IntN(30)
	}
	return 2 + r.Rand.IntN(4)
}

// firings is how many of these errors a node has said that it met.
func (r *Run) firings(n *rig.Node, errors []string) (fired int) {
	for _, e := range errors {
		step, _, _ := strings.Cut(e, "=")
		fired += n.Said("failpoint " + step + " error")
	}
	return fired
}

// chain is a node that dies at one step after the other, a life each.
type chain struct {
	node  *rig.Node
	roles string
	steps []string
	died  int // before it began
	lives int // begun
}

// goOn begins the next life when the one before it is over, and answers how many steps are left to die at.
func (c *chain) goOn(r *Run) (left int) {
	done := c.node.Deaths() - c.died
	if c.lives == done && done < len(c.steps) {
		c.node.Restart("HOTFOOT_ROLES="+c.roles, fmt.Sprintf("HOTFOOT_FAILPOINTS=%s=kill@%d", c.steps[done], r.times()))
		c.lives++
	}
	return len(c.steps) - done
}
