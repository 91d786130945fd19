package main

import (
	"time"

	"hotfoot/cmd/chaos/oracle"
)

func init() {
	add(Scenario{
		ID: "F0", Name: "nothing fails",
		Why: "Without a fault every request succeeds and every viewer sees every status within two seconds: what other rows lose, their fault has cost.",
		Run: calm,
	})
}

// seenWithin is how soon a viewer must see a status while nothing fails.
const seenWithin = 2 * time.Second

func calm(r *Run) {
	began := time.Now()
	r.Wait(r.Pick(5*time.Second, time.Minute))
	ended := time.Now()
	for _, a := range r.log.AnswersSince(began) {
		r.Expect(a.OK(), "%s of %s at %s was answered %d %s", a.Kind, a.Who, a.Node, a.Code, a.Err)
	}
	r.blame(oracle.CheckCalm(r.log.Facts(), seenWithin, ended)...)
}
