package oracle

import (
	"slices"
	"testing"
	"time"
)

// rewrittenStory is a delivery whose version 5 and whose third position were lost in a failover.
func rewrittenStory() *story {
	one, two, three, again := Point{"p", 1, at(0)}, Point{"p", 2, at(100)}, Point{"p", 3, at(200)}, Point{"p-1", 1, at(300)}
	before := []StoredEvent{{1, "created", ""}, {2, "assigned", ""}, {3, "picked_up", "step-1"}, {4, "en_route", "step-2"}}
	told := []Event{{1, "created"}, {2, "assigned"}, {3, "picked_up"}, {4, "en_route"}}
	lost := StoredEvent{5, "arriving", "step-3"}
	return &story{
		Facts: Facts{
			Phones: []Phone{{Courier: "c1", Name: "Sam", Made: []Point{one, two, three, again}, Replies: []Reply{
				{At: after(210), Session: "p", Sent: []Point{one, two, three}, Accepted: 3, Durable: 3, Durable200: true},
				{At: after(460), Session: "p", Accepted: 3, Durable: 3}, // from a node that has not heard of it
				{At: after(600), Session: "p", Accepted: 4, Durable: 2, ResendFrom: 3},
				{At: after(700), Session: "p-1", Sent: []Point{again}, Accepted: 1, Durable: 1, Durable200: true},
			}}},
			Acks: []Ack{
				{"d1", "Sam", "step-2", 4, "en_route", after(30)},
				{"d1", "Sam", "step-3", 5, "arriving", after(300)},
				{"d1", "Sam", "step-5", 5, "failed", after(520)},
				{"d1", "Sam", "step-6", 6, "returned", after(900)},
			},
			Answers: []Answer{{Kind: Statuses, Who: "Sam", Node: "api-1", At: after(460), Took: time.Millisecond, Code: 409}},
			Viewers: []Viewer{{Name: "viewer", Delivery: "d1", Frames: []Frame{
				{At: after(35), Type: "open", Node: "gateway-1"},
				{At: after(36), Type: "snapshot", Epoch: 1, Ver: 4, Status: "en_route", Events: told, Courier: "Sam", Visible: true, Live: true},
				{At: after(301), Type: "status", Epoch: 1, Ver: 5, Status: "arriving"},
				{At: after(310), Type: "position", SV: 5, Position: at(200)},
				{At: after(480), Type: "snapshot", Epoch: 2, Ver: 4, Status: "en_route", Events: told, Courier: "Sam", Visible: true, Live: true},
				{At: after(521), Type: "status", Epoch: 2, Ver: 5, Status: "failed"},
				{At: after(901), Type: "status", Epoch: 2, Ver: 6, Status: "returned"},
			}}},
			Maps: []Map{{
				Name:      "map",
				Positions: []MapPosition{{after(210), "c1", at(200)}, {after(310), "c1", at(300)}},
				Events:    []MapEvent{{after(301), "d1", Event{5, "arriving"}}},
			}},
			Rewrites: []Rewrite{{
				Epoch: 2, At: after(450), Told: after(500),
				Lost: Truth{Positions: map[string][]Point{"c1": {three}}, Events: map[string][]StoredEvent{"d1": {lost}}},
			}},
		},
		Truth: Truth{
			Positions:  map[string][]Point{"c1": {one, two, again}},
			Events:     map[string][]StoredEvent{"d1": append(before, StoredEvent{5, "failed", "step-5"}, StoredEvent{6, "returned", "step-6"})},
			Deliveries: map[string]StoredDelivery{"d1": {6, "returned"}},
			Couriers:   map[string]string{"Sam": "c1"},
		},
	}
}

func TestCheck_rewritten(t *testing.T) {
	t.Parallel()
	t.Run("what a rewrite took away is excepted and counted", func(t *testing.T) {
		t.Parallel()
		s := rewrittenStory()
		if found := Check(s.Facts, s.Truth); len(found) > 0 {
			t.Error(found)
		}
		if positions, statuses := Excepted(s.Facts, s.Truth); positions != 1 || statuses != 1 {
			t.Errorf("%d positions and %d statuses are excepted, want one of each", positions, statuses)
		}
	})
	t.Run("what came back is not counted", func(t *testing.T) {
		t.Parallel()
		s := rewrittenStory()
		s.Positions["c1"] = append(s.Positions["c1"], Point{"p", 3, at(200)})
		if positions, _ := Excepted(s.Facts, s.Truth); positions != 0 {
			t.Errorf("%d positions are excepted", positions)
		}
	})
	for name, broken := range map[string]struct {
		spoil     func(*story)
		invariant string
	}{
		"a phone is told again that a lost position is durable":  {func(s *story) { s.Phones[0].Replies[2].Durable, s.Phones[0].Replies[2].ResendFrom = 3, 0 }, "I1"},
		"a position is missing that the rewrite did not take":    {func(s *story) { s.Positions["c1"] = s.Positions["c1"][1:] }, "I1"},
		"a position after the rewrite is missing":                {func(s *story) { s.Positions["c1"] = s.Positions["c1"][:2] }, "I1"},
		"a status is missing that the rewrite did not take":      {func(s *story) { s.Rewrites[0].Lost.Events["d1"][0].EventID = "step-9" }, "I1"},
		"a lost status is acknowledged after the rewrite":        {func(s *story) { s.Acks[1].At = after(460) }, "I1"},
		"a viewer is shown a lost status under the new epoch":    {func(s *story) { s.frame("status", 1).Status = "arriving" }, "I4"},
		"a viewer is shown a lost status after all had to know":  {func(s *story) { s.frame("position", 0).SV = 4; s.frame("status", 0).At = after(510) }, "I4"},
		"a viewer is shown a lost position after all had to":     {func(s *story) { s.frame("position", 0).At = after(510) }, "I4"},
		"a map shows a lost position after all had to know":      {func(s *story) { s.Maps[0].Positions[0].At = after(510) }, "I4"},
		"a map shows a lost status after all had to know":        {func(s *story) { s.Maps[0].Events[0].At = after(510) }, "I4"},
		"a viewer never hears of it":                             {func(s *story) { *s.frames() = slices.Delete(*s.frames(), 4, 7) }, "I2"},
		"a viewer hears of it without a snapshot":                {func(s *story) { *s.frames() = slices.Delete(*s.frames(), 4, 5) }, "I2"},
		"a snapshot of the new epoch leaves out what was before": {func(s *story) { s.frame("snapshot", 1).Events = []Event{{4, "en_route"}} }, "I2"},
		"a step is refused long after":                           {func(s *story) { s.Answers[0].At = after(510) }, "I6"},
		"a step is refused before":                               {func(s *story) { s.Answers[0].At = after(440) }, "I6"},
		"what was durable is asked for once all know":            {func(s *story) { s.Phones[0].Replies[2].ResendFrom = 2 }, "I8"},
		"what was durable is asked for before":                   {func(s *story) { s.Phones[0].Replies[1].At, s.Phones[0].Replies[2].At = after(430), after(440) }, "I8"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := rewrittenStory()
			broken.spoil(s)
			found := Check(s.Facts, s.Truth)
			if !slices.ContainsFunc(found, func(v Violation) bool { return v.Invariant == broken.invariant }) {
				t.Errorf("found %v, want %s", found, broken.invariant)
			}
		})
	}
}

func TestTruth_Without(t *testing.T) {
	t.Parallel()
	before, after := goodStory().Truth, goodStory().Truth
	if lost := before.Without(after); len(lost.Positions) != 0 || len(lost.Events) != 0 {
		t.Errorf("nothing was lost, found %v", lost)
	}
	after.Positions["c1"] = after.Positions["c1"][:1]
	delete(after.Positions, "c2")
	after.Events["d1"][5] = StoredEvent{6, "failed", "step-9"}
	lost := before.Without(after)
	if len(lost.Positions["c1"]) != 2 || len(lost.Positions["c2"]) != 1 {
		t.Errorf("positions %v", lost.Positions)
	}
	if want := []StoredEvent{{6, "delivered", "step-4"}}; !slices.Equal(lost.Events["d1"], want) {
		t.Errorf("events %v, want %v", lost.Events, want)
	}
}
