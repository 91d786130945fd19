package oracle

import (
	"slices"
	"testing"
	"time"
)

func TestLags(t *testing.T) {
	t.Parallel()
	s := goodStory()
	// Position 0 was shown at 40 and position 200 at 360.
	want := []time.Duration{40 * time.Millisecond, 160 * time.Millisecond}
	if lags := Lags(s.Facts, noon, after(1000)); !slices.Equal(lags, want) {
		t.Errorf("lags are %v, want %v", lags, want)
	}
	if lags := Lags(s.Facts, after(41), after(360)); len(lags) > 0 {
		t.Errorf("outside the time: %v", lags)
	}
	if frames, viewers := DrowsyFrames(s.Facts, noon, after(1000)); frames != 0 || viewers != 0 {
		t.Errorf("%d viewers are drowsy and read %d frames", viewers, frames)
	}
	s.Viewers[0].Drowsy = true
	if lags := Lags(s.Facts, noon, after(1000)); len(lags) > 0 {
		t.Errorf("of a drowsy viewer: %v", lags)
	}
	if frames, viewers := DrowsyFrames(s.Facts, after(16), after(31)); frames != 2 || viewers != 1 {
		t.Errorf("%d viewers are drowsy and read %d frames, want 1 and 2", viewers, frames)
	}
}

func TestHeard(t *testing.T) {
	t.Parallel()
	s := goodStory()
	for node, want := range map[string]int{"gateway-1": 5, "gateway-2": 4, "gateway-3": 0} {
		if heard := Heard(s.Facts, node, after(2000), noon, after(2000)); heard != want {
			t.Errorf("%s was heard %d times, want %d", node, heard, want)
		}
	}
	if heard := Heard(s.Facts, "gateway-1", after(20), after(21), after(32)); heard != 2 {
		t.Errorf("between two times it was heard %d times, want 2", heard)
	}
	if heard := Heard(s.Facts, "gateway-2", after(20), noon, after(2000)); heard != 0 {
		t.Errorf("a connection that was not open yet was heard %d times", heard)
	}
}
