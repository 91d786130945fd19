package tracking

import (
	"testing"
	"time"
)

// Every state, number of stops, setting and duty: the courier is shown only on the way to this very door, near enough, on duty.
func TestVisibility(t *testing.T) {
	t.Parallel()
	told := map[Ground]Why{
		OnTheWay: Shown, NotOnTheWay: WhyNotYet, NotYetArriving: WhyNotYet, OthersFirst: WhyNotYet, OffDuty: WhyOff, AllOver: WhyFinished,
	}
	for _, status := range append(Statuses[:len(Statuses):len(Statuses)], "flying", "") {
		for _, from := range []Status{"", EnRoute, Arriving, "a word of tomorrow"} {
			for before := range 6 {
				for visible := range 6 {
					for _, duty := range []bool{true, false} {
						for _, courier := range []ID{{}, NewID()} {
							d := Delivery{Status: status, StopsBefore: before, CourierID: courier}
							m := Merchant{VisibleStops: visible, VisibleFrom: from}
							want := NotOnTheWay
							switch {
							case status == Delivered || status == Cancelled || status == Returned:
								want = AllOver
							case courier.IsZero() || status != EnRoute && status != Arriving:
							case status == EnRoute && from != "" && from != EnRoute:
								want = NotYetArriving
							case before > visible:
								want = OthersFirst
							case !duty:
								want = OffDuty
							default:
								want = OnTheWay
							}
							got := Visibility(&d, duty, &m)
							if got != want || got.why() != told[want] {
								t.Errorf("%s from %q, %d stops before of %d, on duty %v, courier %v: %q, %q; want %q", status, from, before, visible, duty, !courier.IsZero(), got, got.why(), want)
							}
						}
					}
				}
			}
		}
	}
}

func TestRecord(t *testing.T) {
	t.Parallel()
	at := func(epoch, rev int64) Record { return Record{Epoch: epoch, Delivery: Delivery{Rev: rev}} }
	t.Run("is newer by epoch, then by rev", func(t *testing.T) {
		for _, c := range []struct {
			a, b  Record
			newer bool
		}{{at(1, 2), at(1, 1), true}, {at(1, 1), at(1, 1), false}, {at(1, 1), at(1, 2), false}, {at(2, 1), at(1, 9), true}, {at(1, 9), at(2, 1), false}} {
			if c.a.NewerThan(&c.b) != c.newer {
				t.Errorf("%d.%d newer than %d.%d: %v", c.a.Epoch, c.a.Delivery.Rev, c.b.Epoch, c.b.Delivery.Rev, !c.newer)
			}
		}
	})
	t.Run("answers the events after a ver", func(t *testing.T) {
		r := Record{Events: []Event{{Ver: 3}, {Ver: 4}, {Ver: 5}}}
		for since, want := range map[int64]int{0: 3, 2: 3, 3: 2, 4: 1, 5: 0, 9: 0} {
			if got := r.EventsAfter(since); len(got) != want || want > 0 && got[len(got)-1].Ver != 5 {
				t.Errorf("after %d: %v", since, got)
			}
		}
	})
	t.Run("opens for its own generation, until a week after the end", func(t *testing.T) {
		now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
		r := Record{Delivery: Delivery{LinkGen: 2}}
		if !r.Opens(2, LinkLife, now) || r.Opens(1, LinkLife, now) || r.Opens(3, LinkLife, now) {
			t.Error("generations")
		}
		r.Delivery.FinishedAt = now.Add(-LinkLife + 1)
		if !r.Opens(2, LinkLife, now) || r.Opens(2, LinkLife, now.Add(1)) {
			t.Error("a week after the end")
		}
	})
}
