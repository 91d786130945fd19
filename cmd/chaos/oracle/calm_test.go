package oracle

import (
	"testing"
	"time"
)

func TestCheckCalm(t *testing.T) {
	t.Parallel()
	const within = 50 * time.Millisecond
	for name, c := range map[string]struct {
		change func(*story)
		want   int
	}{
		"nothing is late":                               {func(*story) {}, 0},
		"a status that is not shown":                    {func(s *story) { s.drop(s.frame("status", 1)) }, 1},
		"a status that is shown late":                   {func(s *story) { s.frame("status", 1).At = after(90) }, 1},
		"a snapshot that is behind, and stays so":       {func(s *story) { s.frame("snapshot", 1).Ver = 4 }, 1},
		"a snapshot that is behind for a moment":        {func(s *story) { s.catchUp(399) }, 0},
		"a snapshot that is behind for too long":        {func(s *story) { s.catchUp(402) }, 1},
		"a status that was acknowledged while away":     {func(s *story) { s.frame("snapshot", 1).At = after(359) }, 0},
		"a viewer who leaves before the time is over":   {func(s *story) { s.drop(s.frame("status", 1)); s.frame("close", 0).At = after(75) }, 0},
		"a viewer of another delivery":                  {func(s *story) { s.drop(s.frame("status", 1)); s.Viewers[0].Delivery = "d2" }, 0},
		"a status that the snapshot had already":        {func(s *story) { s.Acks[0].At = after(17) }, 0},
		"a marker that goes back at another node":       {func(s *story) { s.goBack(50) }, 1},
		"a status that is not shown to one still there": {func(s *story) { s.drop(s.frame("status", 1)); s.frame("close", 0).At = after(81) }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := goodStory()
			c.change(s)
			if found := CheckCalm(s.Facts, within, after(2000)); len(found) != c.want {
				t.Errorf("found %v, want %d", found, c.want)
			}
		})
	}
}

// catchUp lets the second snapshot lack the newest status, which is told at a time.
func (s *story) catchUp(ms int64) {
	s.frame("snapshot", 1).Ver = 4
	s.insert(Frame{At: after(ms), Type: "status", Epoch: 1, Ver: 5, Status: "arriving"})
}

func TestCheckRest(t *testing.T) {
	t.Parallel()
	before := Holding{Goroutines: 30, Files: 20, Memory: 40 << 20}
	for name, c := range map[string]struct {
		after Holding
		extra int64
		want  int
	}{
		"as before":               {before, 0, 0},
		"a little more":           {Holding{30 + moreGoroutines, 20 + moreFiles, 40<<20 + moreMemory}, 0, 0},
		"goroutines leaked":       {Holding{31 + moreGoroutines, 20, 40 << 20}, 0, 1},
		"files leaked":            {Holding{30, 21 + moreFiles, 40 << 20}, 0, 1},
		"memory leaked":           {Holding{30, 20, 41<<20 + moreMemory}, 0, 1},
		"memory excused by crowd": {Holding{30, 20, 41<<20 + moreMemory}, 1 << 20, 0},
		"everything leaked":       {Holding{1000, 1000, 1 << 30}, 0, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if found := CheckRest("api-1", before, c.after, c.extra); len(found) != c.want {
				t.Errorf("found %v, want %d", found, c.want)
			}
		})
	}
}

func TestLog(t *testing.T) {
	t.Parallel()
	l := &Log{}
	for _, ms := range []int64{0, 30, 10, 40} {
		l.Answered(Answer{Kind: Statuses, At: after(ms), Took: time.Millisecond, Code: 200})
	}
	since := l.AnswersSince(after(11))
	if len(since) != 3 || !since[0].At.Equal(after(10)) || !since[2].At.Equal(after(40)) {
		t.Errorf("since then: %v", since)
	}
	if got := Quantile([]time.Duration{4, 1, 3, 2}, 0.5); got != 3 {
		t.Errorf("median %d", got)
	}
	v := l.Viewer("v", "d")
	v.Saw(Frame{Type: "open"})
	facts := l.Facts()
	v.Saw(Frame{Type: "close"})
	if len(facts.Viewers[0].Frames) != 1 {
		t.Error("facts change after they were taken")
	}
}
