package oracle

import (
	"slices"
	"testing"
	"time"
)

func TestDelays(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	// The story's viewer is at gateway-1 from 15 to 150 and at gateway-2 from 350 on; step-1 is ver 3, acknowledged at 20 and shown at 21.
	for name, c := range map[string]struct {
		change func(*story)
		node   string
		want   time.Duration // of step-1; negative for none
	}{
		"shown at once":                       {func(*story) {}, "", ms},
		"shown at once by this node":          {func(*story) {}, "gateway-1", ms},
		"watched at another node":             {func(*story) {}, "gateway-2", -1},
		"shown late":                          {func(s *story) { s.frame("status", 0).At = after(30) }, "gateway-1", 10 * ms},
		"shown before it was acknowledged":    {func(s *story) { s.frame("status", 0).At = after(19) }, "", 0},
		"skipped, and a later one shown":      {func(s *story) { s.drop(s.frame("status", 0)) }, "", 11 * ms},
		"acknowledged while nobody was there": {func(s *story) { s.Acks[1].At = after(200) }, "", -1},
		"left before it was shown": {func(s *story) {
			s.frame("close", 0).At = after(30)
			s.frame("status", 0).At, s.frame("status", 1).At = after(400), after(401)
		}, "", -1},
		"of another delivery": {func(s *story) { s.Acks[1].Delivery = "d2" }, "", -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := goodStory()
			c.change(s)
			slices.SortStableFunc(*s.frames(), func(a, b Frame) int { return a.At.Compare(b.At) })
			s.Acks = s.Acks[1:2]
			delays := Delays(s.Facts, noon, after(1000), c.node)
			switch {
			case c.want < 0 && len(delays) > 0, c.want >= 0 && (len(delays) != 1 || delays[0] != c.want):
				t.Errorf("delays are %v, want %v", delays, c.want)
			}
		})
	}
	s := goodStory()
	s.Acks = s.Acks[1:2]
	s.Viewers[0].Frames = s.Viewers[0].Frames[:2]
	s.Viewers[0].Frames = append(s.Viewers[0].Frames, Frame{At: after(5000), Type: "tick", SV: 2})
	if delays := Delays(s.Facts, noon, after(1000), ""); len(delays) != 1 || delays[0] != 4980*ms {
		t.Errorf("one who was never shown it waited %v", delays)
	}
	if delays := Delays(s.Facts, after(21), after(1000), ""); len(delays) != 0 {
		t.Errorf("outside the time: %v", delays)
	}
}
