package main

import (
	"time"

	"hotfoot/cmd/chaos/rig"
)

func init() {
	add(Scenario{
		ID: "F19", Name: "rolling deploy (SIGTERM, one node after another)",
		Why: "Nobody notices a deploy: no request fails that the client does not simply send to the next node, and viewers move over.",
		Run: drain,
	})
}

// drainWithin is what container platforms grant before they kill.
const drainWithin = 30 * time.Second

func drain(r *Run) {
	r.Repeat(1, 5, func(int) {
		for _, n := range r.Nodes() {
			r.Fault(func() { replace(r, n) })
			for _, answers := range []Answers{r.StatusAnswers(), r.PositionAnswers()} {
				for _, a := range answers {
					r.Expect(a.OK() || a.Refused, "%s of %s at %s: %d %s", a.Kind, a.Who, a.Node, a.Code, a.Err)
				}
			}
		}
	})
}

func replace(r *Run, n *rig.Node) {
	took := n.Terminate()
	r.Expect(took < drainWithin, "%s stops within %v; it took %v", n.Name, drainWithin, took)
	n.Restart()
}
