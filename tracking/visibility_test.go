package tracking

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Every state, number of stops, setting and duty: the courier is shown only on the way to this very door, near enough, on duty.
func TestVisibility(t *testing.T) {
	t.Parallel()
	for _, status := range append(Statuses[:len(Statuses):len(Statuses)], "flying", "") {
		for before := range 6 {
			for visible := range 6 {
				for _, duty := range []bool{true, false} {
					for _, courier := range []ID{{}, NewID()} {
						d := Delivery{Status: status, StopsBefore: before, CourierID: courier}
						want := WhyNotYet
						switch {
						case status == Delivered || status == Cancelled || status == Returned:
							want = WhyFinished
						case courier.IsZero() || status != EnRoute && status != Arriving || before > visible:
						case !duty:
							want = WhyOff
						default:
							want = Shown
						}
						if got := Visibility(&d, duty, visible); got != want {
							t.Errorf("%s, %d stops before of %d, on duty %v, courier %v: %q, want %q", status, before, visible, duty, !courier.IsZero(), got, want)
						}
					}
				}
			}
		}
	}
}

// A view holds a position only when it is shown, whatever the record: nothing else decides.
func TestSee(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := Record{
			Delivery: Delivery{
				Status:      rapid.SampledFrom(Statuses).Draw(t, "status"),
				StopsBefore: rapid.IntRange(0, 9).Draw(t, "before"),
			},
			Merchant: Merchant{VisibleStops: rapid.IntRange(0, 9).Draw(t, "visible")},
		}
		if rapid.Bool().Draw(t, "assigned") {
			r.Delivery.CourierID = NewID()
			r.Courier = Courier{ID: r.Delivery.CourierID, OnDuty: rapid.Bool().Draw(t, "duty"), Vehicle: rapid.SampledFrom(Vehicles).Draw(t, "vehicle")}
		}
		now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
		var newest *Position
		if rapid.Bool().Draw(t, "known") {
			newest = &Position{Lat: rapid.Float64Range(-90, 90).Draw(t, "lat"), RecordedAt: now.Add(-time.Duration(rapid.IntRange(0, 600).Draw(t, "age")) * time.Second)}
		}
		v := See(&r, newest, now)
		shown := Visibility(&r.Delivery, r.Courier.OnDuty, r.Merchant.VisibleStops) == Shown
		if (v.Why == Shown) != shown {
			t.Fatalf("why %q, want shown %v", v.Why, shown)
		}
		if v.Position != nil && (!shown || v.Position != newest) || shown && v.Position != newest {
			t.Fatalf("position %v, newest %v, shown %v", v.Position, newest, shown)
		}
		if v.ETA != nil && (newest == nil || !r.Delivery.Status.Underway() || !r.Courier.OnDuty) {
			t.Fatalf("an arrival is promised: %+v", v)
		}
	})
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
		if !r.Opens(2, now) || r.Opens(1, now) || r.Opens(3, now) {
			t.Error("generations")
		}
		r.Delivery.FinishedAt = now.Add(-LinkLife + 1)
		if !r.Opens(2, now) || r.Opens(2, now.Add(1)) {
			t.Error("a week after the end")
		}
	})
}
