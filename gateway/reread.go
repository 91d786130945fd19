package gateway

import (
	"context"
	"time"

	"hotfoot/tracking"
)

// refresh reads the delivery (again), one reader at a time; asked for while it reads, it reads once more.
func (t *topic) refresh() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.reread()
}

// reread is refresh, called with mu held.
func (t *topic) reread() {
	if t.closed {
		return
	}
	if t.reading {
		t.readAgain = true
		return
	}
	t.reading = true
	t.hub.start(t.read)
}

func (t *topic) read() {
	for {
		err := t.readOnce()
		t.mu.Lock()
		if err != nil && !t.isOpen() {
			// Those who wait hear it; whoever comes next tries again.
			t.err, t.reading = err, false
			close(t.opened)
			t.mu.Unlock()
			t.hub.forget(t)
			return
		}
		if err == nil && !t.readAgain || t.closed || t.hub.ctx.Err() != nil {
			t.reading = false
			t.mu.Unlock()
			return
		}
		t.readAgain = false
		t.mu.Unlock()
		if err != nil {
			pause(t.hub.ctx, rereadAfter)
		}
	}
}

func (t *topic) readOnce() error {
	t.hub.metrics.reads.Inc()
	ctx, cancel := context.WithTimeout(t.hub.ctx, readLimit)
	defer cancel()
	record, err := t.hub.records.Record(ctx, t.id)
	if err != nil {
		return err
	}
	t.mu.Lock()
	t.apply(record)
	courier := t.record.Delivery.CourierID
	underway := t.record.Delivery.Status.Underway() && t.record.Courier.OnDuty
	watch := t.courier
	t.mu.Unlock()
	if watch != nil {
		t.await(watch)
	}
	var newest *tracking.Position
	reached := true
	if underway {
		newest, err = t.hub.records.Newest(ctx, courier)
		reached = err == nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	// What was read belongs to the courier it was read of, and to a delivery that is still underway.
	if newest != nil && courier == t.record.Delivery.CourierID && t.record.Delivery.Status.Underway() {
		t.place(*newest)
	}
	live := reached && t.delivery != nil && t.delivery.Live() && (t.courier == nil || t.courier.Live())
	if !t.isOpen() {
		t.live = live
		close(t.opened)
		return nil
	}
	t.setLive(live)
	return nil
}

// await waits a moment for a watch to be confirmed: what is read before may have changed unheard.
func (t *topic) await(w Watch) {
	timer := time.NewTimer(openLimit)
	defer timer.Stop()
	select {
	case <-w.Ready():
	case <-timer.C:
	case <-t.hub.ctx.Done():
	}
}

// isOpen reports whether newcomers can be served. Called with mu held.
func (t *topic) isOpen() bool {
	select {
	case <-t.opened:
		return true
	default:
		return false
	}
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
