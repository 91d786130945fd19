package gateway

import (
	"testing"
	"time"

	"hotfoot/tracking"
)

func TestTopic_enter_after_exit(t *testing.T) {
	t.Parallel()
	// The socket may break before its snapshot is there; a topic that goes on for others must not keep it.
	o, _ := box()
	top := &topic{opened: make(chan struct{}), viewers: map[*viewer]struct{}{}, record: tracking.Record{Epoch: 1}}
	close(top.opened)
	v := &viewer{outbox: o}
	top.exit(v)
	err := top.enter(t.Context(), v, 0, 0)
	if frames, _ := o.backlog(); err != nil || len(top.viewers) != 0 || frames != 0 {
		t.Errorf("%v; %d viewers, %d frames", err, len(top.viewers), frames)
	}
}

func TestTopic_place(t *testing.T) {
	t.Parallel()
	// A read that was overtaken by an announcement brings an older fix.
	top := &topic{viewers: map[*viewer]struct{}{}}
	now := time.Now()
	for _, age := range []time.Duration{10, 20, 10, 5, 30} {
		top.place(tracking.Position{RecordedAt: now.Add(-age * time.Second), Lat: float64(age)})
	}
	if top.newest.Lat != 5 {
		t.Errorf("the marker shows the fix of %v s ago, want the newest", top.newest.Lat)
	}
}
