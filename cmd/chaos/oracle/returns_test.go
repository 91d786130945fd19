package oracle

import (
	"testing"
	"time"
)

func TestReturns(t *testing.T) {
	t.Parallel()
	// The story's viewer is at gateway-1 from 15 to 150, and greeted by gateway-2 at 351 or so.
	s := goodStory()
	closed, greeted := s.frame("close", 0).At, s.frame("snapshot", 1).At
	for name, c := range map[string]struct {
		node string
		at   time.Time
		want int
	}{
		"was there":          {"gateway-1", closed.Add(-time.Millisecond), 1},
		"was at another":     {"gateway-2", closed.Add(-time.Millisecond), 0},
		"had left before":    {"gateway-1", closed.Add(time.Millisecond), 0},
		"had not come yet":   {"gateway-1", noon.Add(-time.Second), 0},
		"stays there to end": {"gateway-2", greeted.Add(time.Millisecond), 0},
	} {
		back, away := Returns(s.Facts, c.node, c.at)
		if len(back) != c.want || len(away) > 0 || c.want == 1 && back[0] != greeted.Sub(c.at) {
			t.Errorf("%s: back after %v, away %v", name, back, away)
		}
	}
	s.drop(s.frame("snapshot", 1))
	if back, away := Returns(s.Facts, "gateway-1", closed.Add(-time.Millisecond)); len(back) > 0 || len(away) != 1 {
		t.Errorf("never greeted again: back after %v, away %v", back, away)
	}
	s.Viewers[0].Restless = true
	if back, away := Returns(s.Facts, "gateway-1", closed.Add(-time.Millisecond)); len(back) > 0 || len(away) > 0 {
		t.Errorf("never greeted again, and restless: back after %v, away %v", back, away)
	}
}

func TestViewer_Farewell(t *testing.T) {
	t.Parallel()
	s := goodStory()
	v := &s.Viewers[0]
	closed := s.frame("close", 0)
	before := closed.At.Add(-time.Millisecond)
	if bye, end, _ := v.Farewell("gateway-1", before); bye != nil || end != closed {
		t.Errorf("without a word: %v, %v", bye, end)
	}
	if _, end, _ := v.Farewell("gateway-2", before); end != nil {
		t.Errorf("of another node: %v", end)
	}
	if _, end, _ := v.Farewell("gateway-1", closed.At.Add(time.Millisecond)); end != nil {
		t.Errorf("after it: %v", end)
	}
	at := closed.At
	*s.frames() = append((*s.frames())[:6:6], append([]Frame{{At: at, Type: "bye", Word: "restarting"}}, (*s.frames())[6:]...)...)
	if bye, end, _ := v.Farewell("gateway-1", before); bye == nil || bye.Word != "restarting" || end == nil {
		t.Errorf("with a word: %v, %v", bye, end)
	}
	s.frame("close", 0).Left = true
	if _, end, _ := v.Farewell("gateway-1", before); end != nil {
		t.Errorf("of the viewer's own accord: %v", end)
	}
}
