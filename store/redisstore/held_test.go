package redisstore

import (
	"testing"

	"github.com/maypok86/otter/v2"

	"hotfoot/tracking"
)

func TestHeld_is_bounded(t *testing.T) {
	t.Parallel()
	const room = 1 << 20
	h := newHeld(room)
	r := tracking.Record{Delivery: tracking.Delivery{Note: string(make([]byte, 2000))}, Events: make([]tracking.Event, 6)}
	if w := weight(&r); w < 2600 || w > 6000 {
		t.Errorf("a record with two kilobytes of text weighs %d", w)
	}
	var last tracking.ID
	for range 2000 {
		own := r
		own.Delivery.ID = tracking.NewID()
		last = own.Delivery.ID
		h.put(&own)
	}
	whole := h.cache.(*otter.Cache[tracking.ID, *tracking.Record])
	whole.CleanUp()
	if n := whole.EstimatedSize(); n*int(weight(&r)) > room || n < 100 {
		t.Errorf("%d records are held, which is %d bytes", n, n*int(weight(&r)))
	}
	own := r
	own.Delivery.ID = last
	h.put(&own)
	h.drop(last)
	if h.get(last) != nil {
		t.Error("what was dropped is held")
	}
}
