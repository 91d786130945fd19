package gateway

import "testing"

func TestCrowd_over(t *testing.T) {
	t.Parallel()
	c := &crowd{}
	for second, step := range []struct {
		come int64
		over bool
	}{{0, false}, {300, false}, {0, false}, {10_000, false}, {10_000, false}, {15, true}, {10, false}, {0, false}, {crowdSize - 10, false}, {0, true}, {0, false}} {
		c.came.Add(step.come)
		if got := c.over(); got != step.over {
			t.Errorf("second %d, with %d more: %v", second, step.come, got)
		}
	}
}
