package gateway

import (
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hotfoot/tracking"
)

// drain is a pipe that takes everything.
type drain struct{ frames int }

func (d *drain) try(b []byte) int    { d.frames++; return len(b) }
func (d *drain) wake()               {}
func (d *drain) hurry(time.Duration) {}
func (d *drain) cut()                {}

// watchedBy is a topic whose courier is shown to so many viewers.
func watchedBy(t testing.TB, h *Hub, viewers int) (*topic, []*drain) {
	r := shown()
	r.Delivery.Dropoff = tracking.Place{Lat: 37.7893, Lon: -122.401}
	top := &topic{hub: h, courierID: r.Courier.ID}
	top.keep(r)
	top.settled.Store(1)
	drains := make([]*drain, viewers)
	for i := range drains {
		drains[i] = &drain{}
		in := visit{topic: top, record: top.record, look: 1}
		if err := in.enter(t.Context(), &viewer{outbox: &outbox{pipe: drains[i]}}); err != nil {
			t.Fatal(err)
		}
		drains[i].frames = 0
	}
	return top, drains
}

func fix(n int, at time.Time) tracking.Position {
	return tracking.Position{
		RecordedAt: at.Add(time.Duration(n) * time.Millisecond), Lat: 37.78 + float64(n%1000)/1e5, Lon: -122.41, HeadingDeg: tracking.Read(87.5),
		SpeedMPS: tracking.Read(6.25), AccuracyM: tracking.Read(8), Battery: tracking.Read(0.64), Pace: tracking.Read(5),
	}
}

// A delivered position: encoded once however many watch, and nothing left behind for the collector.
func TestBudget_positions(t *testing.T) {
	h := newHub(t, newLine(), newShelf())
	for _, viewers := range []int{1, 5, 100} {
		t.Run(fmt.Sprint(viewers, " viewers"), func(t *testing.T) {
			top, drains := watchedBy(t, h, viewers)
			before, n, began := counted(t, h.metrics.positions), 0, time.Now()
			allocations := testing.AllocsPerRun(1000, func() {
				n++
				top.moves(fix(n, began))
			})
			if encoded := counted(t, h.metrics.positions) - before; encoded != float64(n) {
				t.Errorf("%v frames were encoded of %d positions", encoded, n)
			}
			for _, d := range drains {
				if d.frames != n {
					t.Fatalf("a viewer was sent %d frames of %d", d.frames, n)
				}
			}
			if allocations > 0 {
				t.Errorf("%v allocations for a position", allocations)
			}
		})
	}
}

// A quiet delivery, of which its viewers are told every few seconds that nothing happens, leaves nothing behind either.
func TestBudget_ticks(t *testing.T) {
	h := newHub(t, newLine(), newShelf())
	top, drains := watchedBy(t, h, 5)
	n, now := 0, time.Now()
	allocations := testing.AllocsPerRun(1000, func() {
		n++
		now = now.Add(tickEvery)
		top.tick(now)
	})
	for _, d := range drains {
		if d.frames != n {
			t.Fatalf("a viewer was sent %d ticks of %d", d.frames, n)
		}
	}
	if allocations > 0 {
		t.Errorf("%v allocations for a tick", allocations)
	}
}

// counted is what a counter has come to.
func counted(t testing.TB, c prometheus.Collector) float64 {
	registry := prometheus.NewRegistry()
	registry.MustRegister(c)
	families, err := registry.Gather()
	if err != nil || len(families) != 1 {
		t.Fatal(families, err)
	}
	return families[0].GetMetric()[0].GetCounter().GetValue()
}

// moves has a fix come by itself.
func (t *topic) moves(p tracking.Position) {
	t.moved(t.courierID, p)
	t.calm()
}

// Of fixes that come at one time the newest is shown, once, and one that is not to be shown any more when the last has come is not.
func TestTopic_calm(t *testing.T) {
	t.Parallel()
	h := newHub(t, newLine(), newShelf())
	top, drains := watchedBy(t, h, 1)
	d, courier, began := drains[0], top.courierID, time.Now()
	top.moved(courier, fix(1, began))
	top.moved(courier, fix(2, began))
	if d.frames != 0 {
		t.Fatalf("%d frames before all had come", d.frames)
	}
	top.calm()
	top.calm()
	if d.frames != 1 || !top.newest.RecordedAt.Equal(fix(2, began).RecordedAt) {
		t.Errorf("%d frames, and the newest is of %v", d.frames, top.newest.RecordedAt)
	}
	top.moved(courier, fix(3, began))
	r := *top.record
	r.Courier.OnDuty = false
	r.Delivery.Rev++
	top.changed(r)
	said := d.frames
	if top.calm(); d.frames != said {
		t.Error("somebody who may not be seen any more was shown")
	}
}

func BenchmarkTopic_moved(b *testing.B) {
	h := newHub(b, newLine(), newShelf())
	for _, viewers := range []int{1, 5} {
		b.Run(fmt.Sprint(viewers, "-viewers"), func(b *testing.B) {
			top, _ := watchedBy(b, h, viewers)
			began, n := time.Now(), 0
			b.ReportAllocs()
			for b.Loop() {
				n++
				top.moves(fix(n, began))
			}
		})
	}
}
