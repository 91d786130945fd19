package postgres_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"hotfoot/tracking"
)

// A courier reports on a delivery in the moment in which it is given to another: what counts is which was committed first, and nothing in between.
func TestDispatch_Report_races_Assign(t *testing.T) {
	t.Parallel()
	const races, atOnce = 1000, 8
	s := newShop(t)
	other := s.hire(t, "Kim")
	dispatch := s.dispatch()
	var kept, taken atomic.Int64
	race := func(assignFirst bool) {
		r := s.create(t, s.courier)
		var reportErr, assignErr error
		var both sync.WaitGroup
		report := func() {
			_, reportErr = dispatch.Report(t.Context(), s.phone, r.Delivery.ID, tracking.Move{To: tracking.PickedUp, ClientID: "x", Actor: s.phone})
		}
		assign := func() { _, assignErr = dispatch.Assign(t.Context(), s.actor, r.Delivery.ID, other.ID, nil) }
		if assignFirst {
			both.Go(assign)
			both.Go(report)
		} else {
			both.Go(report)
			both.Go(assign)
		}
		both.Wait()
		events, err := s.Events(t.Context(), s.merchant, r.Delivery.ID)
		if err != nil {
			t.Error(err)
			return
		}
		// Created and assigned before; then picked up by the first, or taken from them and given to the other.
		pickedUp := len(events) > 2 && events[2].Status == tracking.PickedUp && events[2].Actor.CourierID == s.courier.ID
		switch {
		case pickedUp && len(events) == 3 && reportErr == nil && tracking.CodeOf(assignErr) == tracking.CodeIllegalMove:
			kept.Add(1)
		case !pickedUp && len(events) == 4 && events[3].CourierID == other.ID && assignErr == nil && tracking.CodeOf(reportErr) == tracking.CodeNotFound:
			taken.Add(1)
		default:
			t.Errorf("the report was answered %v and the assignment %v; the events are %+v", reportErr, assignErr, events)
		}
	}
	var racing sync.WaitGroup
	var run atomic.Int64
	for range atOnce {
		racing.Go(func() {
			for n := run.Add(1); n <= races && !t.Failed(); n = run.Add(1) {
				race(n%2 == 0)
			}
		})
	}
	racing.Wait()
	t.Logf("%d were picked up first, %d given away first", kept.Load(), taken.Load())
	if kept.Load() == 0 || taken.Load() == 0 {
		t.Error("one side won every race, so that nothing was shown of the other")
	}
}
