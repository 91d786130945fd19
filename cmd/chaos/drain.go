package main

import (
	"time"

	"hotfoot/cmd/chaos/rig"
)

func init() {
	add(Scenario{
		ID: "F19", Name: "rolling deploy (SIGTERM, one node after another)",
		Why: "Nobody notices a deploy: no request fails that the client does not simply send to the next node, and viewers are told when to move over.",
		Run: drain,
	})
}

// drainWithin is what container platforms grant before they kill.
const drainWithin = 30 * time.Second

func drain(r *Run) {
	r.Repeat(1, 5, func(int) {
		for _, n := range r.Nodes() {
			at := time.Now()
			r.Fault(func() { replace(r, n) })
			for _, answers := range []Answers{r.StatusAnswers(), r.PositionAnswers()} {
				for _, a := range answers {
					r.Expect(a.OK() || a.Refused, "%s of %s at %s: %d %s", a.Kind, a.Who, a.Node, a.Code, a.Err)
				}
			}
			for _, gateway := range r.Gateways {
				if n == gateway {
					r.expectBack(n, at)
					r.expectFarewells(n, at)
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

// Who comes back when: within ten seconds, and not all at once.
const (
	farewellOver   = 10 * time.Second
	farewellSpread = 4 * time.Second
)

// closeRestarting is what the contract has sockets closed with before a node stops.
const closeRestarting = 1012

// expectFarewells expects that a gateway which stopped told each viewer to come back at a moment of their own, and closed with 1012.
func (r *Run) expectFarewells(n *rig.Node, at time.Time) {
	told, soonest, latest := 0, farewellOver, time.Duration(0)
	viewers := r.log.Facts().Viewers
	for i := range viewers {
		bye, end, stream := viewers[i].Farewell(n.Name, at)
		if end == nil {
			continue
		}
		if bye == nil || bye.Word != "restarting" || end.Code != closeRestarting && !stream {
			r.Expect(false, "%s of %s was told %+v and closed with %d", viewers[i].Name, n.Name, bye, end.Code)
			continue
		}
		told++
		soonest, latest = min(soonest, bye.RetryAfter), max(latest, bye.RetryAfter)
	}
	r.Expect(told > 0, "the fault did nothing: nobody was connected to %s", n.Name)
	r.Expect(latest <= farewellOver && latest-soonest > farewellSpread, "%d viewers come back spread over %v; they were told between %v and %v",
		told, farewellOver, soonest, latest)
}
