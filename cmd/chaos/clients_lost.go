package main

import (
	"time"

	"hotfoot/cmd/chaos/load"
	"hotfoot/cmd/chaos/oracle"
	"hotfoot/cmd/chaos/rig"
)

func init() {
	add(Scenario{
		ID: "F17", Name: "clients vanish without a word, and replies are lost",
		Why:  "Sockets whose clients are gone are freed within a minute and cost others nothing; what a phone or rider sends again is known already.",
		Size: load.Size{Viewers: 400, ReportEvery: 500 * time.Millisecond}, Large: load.Size{Viewers: 2000, ReportEvery: 2 * time.Second, StepEvery: 2 * time.Second},
		Fronts: true,
		Run:    clientsLost,
	})
}

// freedWithin is how long a gateway may hold a socket whose client is gone.
const freedWithin = time.Minute

func clientsLost(r *Run) {
	const duplicates = `hotfoot_positions_total{code="",result="duplicate"}`
	r.Repeat(2, 10, func(int) {
		before := r.Metric(duplicates, r.API...)
		r.Fault(func() {
			// Connections are cut in the middle of the first reply that each of them has.
			for _, n := range r.API {
				n.Front.LimitData(int64(r.Rand.IntN(100)))
			}
			r.Wait(r.Pick(time.Second, 5*time.Second))
			for _, n := range r.API {
				n.Front.Heal()
			}
		})
		lost := len(r.PositionAnswers().With(0)) + len(r.StatusAnswers().With(0))
		r.Expect(lost > 0, "the fault did nothing: positions were answered %v, statuses %v", r.PositionAnswers().Codes(), r.StatusAnswers().Codes())
		r.Until("what was sent again is known already", 5*time.Second, func() bool { return r.Metric(duplicates, r.API...) > before })
		r.tell("%d replies were lost; %.0f fixes came again", lost, r.Metric(duplicates, r.API...)-before)
	})
	r.Repeat(1, 3, func(i int) { r.Fault(func() { vanish(r, r.Gateways[i%len(r.Gateways)]) }) })
}

// vanish takes the clients of a gateway off the network. They are gone for good in the long form, and come back by another way when they notice;
// a gateway needs a minute to notice, for which the short form has no time: there they are back soon.
func vanish(r *Run, gateway *rig.Node) {
	held, watching := sockets(r, gateway), r.Sight(gateway).Connected
	r.Expect(watching > 0, "the fault did nothing: %s had no viewers", gateway.Name)
	began := time.Now()
	gateway.Front.Freeze()
	if !r.Long {
		r.Wait(3 * time.Second)
		r.expectSilence(gateway, began)
		for _, other := range r.Gateways {
			if other != gateway {
				delay := oracle.Quantile(oracle.Delays(r.log.Facts(), began, time.Now().Add(-seenWithin), other.Name), 0.99)
				r.Expect(delay < seenWithin, "others see statuses within %v; it took %v", seenWithin, delay)
			}
		}
		r.tell("%d viewers of %s, of %.0f sockets, were gone for %v", watching, gateway.Name, held, time.Since(began).Round(time.Millisecond))
		gateway.Front.Heal()
		return
	}
	r.Wait(load.Silence)
	r.Until("viewers have noticed and are connected anew", 30*time.Second, func() bool { return r.load.Converged(nil) == nil })
	r.Until("the gateway has freed the sockets of those who are gone", freedWithin-time.Since(began), func() bool {
		return sockets(r, r.Gateways...) <= float64(r.Sight().Connected)
	})
	r.tell("%d viewers of %s vanished; their sockets were free after %v", watching, gateway.Name, time.Since(began).Round(time.Millisecond))
}

// sockets is how many sockets of customers gateways hold.
func sockets(r *Run, gateways ...*rig.Node) float64 {
	return r.Metric(`hotfoot_sockets{kind="customer"}`, gateways...)
}
