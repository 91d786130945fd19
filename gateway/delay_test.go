package gateway

import (
	"fmt"
	"testing"
	"time"

	"hotfoot/tracking"
)

func TestHeld(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	at := func(d time.Duration) tracking.Position { return tracking.Position{RecordedAt: began.Add(d)} }
	t.Run("keeps a bounded number, the newest among them, and none much later than it may", func(t *testing.T) {
		t.Parallel()
		for _, every := range []time.Duration{time.Millisecond, 100 * time.Millisecond, time.Second, 4 * time.Second, time.Minute} {
			h := &held{delay: tracking.MaxDelay}
			for d := time.Duration(0); d < 2*h.delay; d += every {
				now, before := began.Add(d), h.due
				h.add(at(d))
				if h.release(now) && (now.Sub(h.due.RecordedAt) < h.delay || !h.due.RecordedAt.After(before.RecordedAt)) {
					t.Fatalf("at %v the one of %v is due after that of %v", now, h.due.RecordedAt, before.RecordedAt)
				}
				if n := len(h.waiting); n > maxHeld || n > 0 && !h.waiting[n-1].RecordedAt.Equal(now) {
					t.Fatalf("%d wait, and the newest is not the last", n)
				}
				if late := now.Sub(h.due.RecordedAt) - h.delay; d > h.delay+every && late > 2*h.delay/maxHeld+every {
					t.Fatalf("every %v: what is due is %v late", every, late)
				}
			}
		}
	})
	t.Run("is due at its age and not before", func(t *testing.T) {
		t.Parallel()
		h := &held{delay: 10 * time.Second}
		h.add(at(0))
		if h.release(began.Add(10*time.Second - 1)) {
			t.Error("too soon")
		}
		if !h.release(began.Add(10*time.Second)) || h.release(began.Add(10*time.Second)) || !h.due.RecordedAt.Equal(began) {
			t.Errorf("due is %v", h.due)
		}
	})
}

// positions are the places that frames from an index on have shown.
func (th *theatre) positions(t *testing.T, from int) (lats []string) {
	for _, text := range th.tape.frames[from:] {
		if f := readGlimpse(t, text); f.Position != nil {
			lats = append(lats, fmt.Sprint(f.Position["lat"]))
		}
	}
	return lats
}

func TestTopic_delay(t *testing.T) {
	t.Parallel()
	sam := tracking.Courier{ID: tracking.NewID(), Name: "Sam", Vehicle: tracking.Bike, OnDuty: true}
	begin := func(t *testing.T, delay time.Duration) *theatre {
		r := onTheWay(sam)
		r.Merchant.Delay = delay
		th := newTheatre(t, r)
		t.Cleanup(th.topic.hub.Close)
		return th
	}
	same := func(t *testing.T, what string, got []string, want ...string) {
		t.Helper()
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: shown were %v, want %v", what, got, want)
		}
	}
	t.Run("shows every fix when it is old enough, and an arrival at once", func(t *testing.T) {
		t.Parallel()
		th := begin(t, 30*time.Second)
		for i := range 5 {
			th.move(37.78+float64(i)/1000, -122.41)
			th.pass(4 * time.Second)
		}
		same(t, "after 20 s", th.positions(t, 0))
		if f := readGlimpse(t, th.tape.frames[1]); f.Type != "view" || f.ETA == nil {
			t.Errorf("the first fix was followed by %+v", f)
		}
		th.pass(10 * time.Second)
		same(t, "after 30 s", th.positions(t, 0), "37.78")
		th.pass(9 * time.Second)
		same(t, "after 39 s", th.positions(t, 0), "37.78", "37.781", "37.782")
		_, newcomer := th.enters(t, tracking.Seen{})
		if f := readGlimpse(t, newcomer.frames[0]); fmt.Sprint(f.Position["lat"]) != "37.782" || f.ETA == nil {
			t.Errorf("a newcomer is shown %+v", f)
		}
		th.pass(time.Minute)
		same(t, "in the end", th.positions(t, 0), "37.78", "37.781", "37.782", "37.783", "37.784")
	})
	t.Run("shows nothing of what waits once it is over", func(t *testing.T) {
		t.Parallel()
		th := begin(t, 30*time.Second)
		th.move(37.78, -122.41)
		th.change(func(r *tracking.Record) { r.Delivery.StopsBefore = 3 })
		th.change(func(r *tracking.Record) { r.Delivery.StopsBefore = 0 })
		th.pass(time.Minute)
		same(t, "hidden in between", th.positions(t, 0))
		th.move(37.79, -122.41)
		th.change(func(r *tracking.Record) {
			r.Delivery.Status, r.Delivery.Ver = tracking.Delivered, r.Delivery.Ver+1
		})
		th.pass(time.Minute)
		same(t, "delivered", th.positions(t, 0))
	})
	t.Run("shows nothing from before the courier might be seen", func(t *testing.T) {
		t.Parallel()
		th := begin(t, 30*time.Second)
		th.change(func(r *tracking.Record) { r.Delivery.StopsBefore = 3 })
		th.move(37.70, -122.41)
		th.pass(40 * time.Second)
		th.move(37.71, -122.41)
		th.change(func(r *tracking.Record) { r.Delivery.StopsBefore = 0 })
		th.pass(29 * time.Second)
		same(t, "at first", th.positions(t, 0))
		th.pass(time.Second)
		same(t, "then", th.positions(t, 0), "37.71")
	})
	t.Run("waits for longer, or not so long, as soon as that is asked for", func(t *testing.T) {
		t.Parallel()
		th := begin(t, 30*time.Second)
		th.move(37.78, -122.41)
		th.change(func(r *tracking.Record) { r.Merchant.Delay = time.Minute })
		th.pass(59 * time.Second)
		same(t, "within the minute", th.positions(t, 0))
		th.pass(time.Second)
		same(t, "after it", th.positions(t, 0), "37.78")
		th.move(37.79, -122.41)
		th.pass(10 * time.Second)
		th.change(func(r *tracking.Record) { r.Merchant.Delay = 5 * time.Second })
		same(t, "after five seconds", th.positions(t, 0), "37.78", "37.79")
	})
	t.Run("begins with what is asked for from then on, and ends at once", func(t *testing.T) {
		t.Parallel()
		th := begin(t, 0)
		if th.move(37.78, -122.41); th.topic.held != nil {
			t.Error("fixes are held back for nobody")
		}
		th.change(func(r *tracking.Record) { r.Merchant.Delay = time.Minute })
		same(t, "before", th.positions(t, 0), "37.78")
		from := len(th.tape.frames)
		th.pass(59 * time.Second)
		th.move(37.79, -122.41)
		same(t, "within the minute", th.positions(t, from))
		th.pass(time.Second)
		same(t, "after it", th.positions(t, from), "37.78")
		th.change(func(r *tracking.Record) { r.Merchant.Delay = 0 })
		same(t, "without a delay", th.positions(t, from), "37.78", "37.79")
		if th.topic.held != nil {
			t.Error("fixes are held back still")
		}
	})
}

// Whatever a merchant asks for, a fix that is shown leaves nothing behind.
func TestBudget_sight(t *testing.T) {
	for name, change := range map[string]func(*tracking.Record){
		"a cell": func(r *tracking.Record) { r.Merchant.RoundingM, r.Delivery.StopsBefore = 300, 1 },
		"zones": func(r *tracking.Record) {
			r.Courier.HiddenZones = []tracking.Zone{{Lat: 1, Lon: 1, RadiusM: 50}, {Lat: 2, Lon: 2, RadiusM: 50}}
		},
		"from arrival": func(r *tracking.Record) {
			r.Merchant.VisibleFrom, r.Delivery.Status = tracking.Arriving, tracking.Arriving
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := onTheWay(tracking.Courier{ID: tracking.NewID(), Name: "Sam", Vehicle: tracking.Bike, OnDuty: true})
			change(&r)
			h := newHub(t, newLine(), newShelf())
			top, d := &topic{hub: h, courierID: r.Courier.ID}, &drain{}
			top.keep(r)
			top.settled.Store(1)
			if err := (&visit{topic: top, record: top.record, look: 1}).enter(t.Context(), &viewer{outbox: &outbox{pipe: d}}); err != nil {
				t.Fatal(err)
			}
			n, began := 0, time.Now()
			d.frames = 0
			allocations := testing.AllocsPerRun(1000, func() {
				n++
				top.moves(fix(n, began))
			})
			if d.frames != n || allocations > 0 {
				t.Errorf("%v allocations for a position, %d frames of %d", allocations, d.frames, n)
			}
		})
	}
}
