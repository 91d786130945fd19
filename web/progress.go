package web

import "time"

// step is one stage of the bar under the headline.
type step struct {
	Label string
	// State is done, current, ahead or failed; Spoken is the same for those who hear the page.
	State, Spoken string
}

// steps are placed, picked up, on the way, delivered. A delivery that ended otherwise keeps what it reached and shows how
// it ended in place of the rest.
func (n narrator) steps() []step {
	labels := []string{"step.placed", "step.picked_up", "step.on_the_way", "step.delivered"}
	current := map[string]int{"created": 0, "assigned": 0, "picked_up": 1, "en_route": 2, "arriving": 2, "delivered": 4}
	at, ordinary := current[n.snapshot.Status]
	if !ordinary {
		reached := 1
		for _, e := range n.snapshot.Events {
			reached = max(reached, min(current[e.Status], 2)+1)
		}
		all := make([]step, 0, reached+1)
		for _, label := range labels[:reached] {
			all = append(all, step{n.text(label), "done", n.text("step.done")})
		}
		return append(all, step{n.text("step." + n.snapshot.Status), "failed", n.text("step.current")})
	}
	all := make([]step, len(labels))
	for i, label := range labels {
		state := "ahead"
		switch {
		case i < at:
			state = "done"
		case i == at:
			state = "current"
		}
		all[i] = step{n.text(label), state, n.text("step." + state)}
	}
	return all
}

// moment is one line of the timeline.
type moment struct {
	ISO, Clock, Label, Note string
}

func (n narrator) timeline() []moment {
	lastAssigned := -1
	for i, e := range n.snapshot.Events {
		if e.Status == "assigned" {
			lastAssigned = i
		}
	}
	all := make([]moment, len(n.snapshot.Events))
	for i, e := range n.snapshot.Events {
		key := "event." + e.Status
		switch {
		case e.Status == "created" && i > 0:
			key = "event.unassigned"
		// The courier's name is only known for the assignment that holds; an earlier one was somebody else's.
		case e.Status == "assigned" && i != lastAssigned:
			key = "event.assigned.before"
		case e.Status == "en_route" && n.seen("en_route", i):
			key = "event.en_route_again"
		}
		note := e.Reason
		if e.Proof != nil && e.Proof.LeftAt != "" {
			note = n.text("detail.left_at", "place", e.Proof.LeftAt)
		}
		all[i] = moment{ISO: e.At.UTC().Format(time.RFC3339), Clock: n.clock(e.At), Label: n.say(key), Note: note}
	}
	return all
}

func (n narrator) seen(status string, before int) bool {
	for _, e := range n.snapshot.Events[:before] {
		if e.Status == status {
			return true
		}
	}
	return false
}
