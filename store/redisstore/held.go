package redisstore

import (
	"unsafe"

	"github.com/maypok86/otter/v2"

	"hotfoot/tracking"
)

// held are records that this node has read lately, decoded and shared: they must not be changed. None is believed by itself. Whoever reads one asks Redis,
// in the round trip that they make anyway, which revision it keeps; so a copy is never older than what is hot, and nobody has to tell nodes what to forget.
type held struct {
	cache cache[tracking.ID, *tracking.Record]
}

func newHeld(bytes int64) held {
	return held{otter.Must(&otter.Options[tracking.ID, *tracking.Record]{
		MaximumWeight: uint64(bytes),
		Weigher:       func(_ tracking.ID, r *tracking.Record) uint32 { return weight(r) },
		Executor:      func(tidy func()) { tidy() }, // a moment's work, and not worth a goroutine that nobody waits for
		Logger:        &otter.NoopLogger{},
	})}
}

// get answers nil for a record that is not held.
func (h held) get(delivery tracking.ID) *tracking.Record {
	record, _ := h.cache.GetIfPresent(delivery)
	return record
}

func (h held) put(record *tracking.Record) { h.cache.Set(record.Delivery.ID, record) }

func (h held) drop(delivery tracking.ID) { h.cache.Invalidate(delivery) }

// entryWeight is what the cache itself needs for an entry, about.
const entryWeight = 200

// weight is about how many bytes a record takes: its strings are slices of the one that it was decoded from, or have been made one by one.
func weight(r *tracking.Record) uint32 {
	d := &r.Delivery
	bytes := entryWeight + int(unsafe.Sizeof(*r)) + len(r.Events)*int(unsafe.Sizeof(tracking.Event{}))
	for _, text := range []string{
		d.ExternalID, d.Pickup.Address, d.Pickup.Name, d.Dropoff.Address, d.Dropoff.Name, d.Recipient.Name, d.Recipient.Phone, d.Note,
		r.Courier.Name, r.Merchant.Name,
	} {
		bytes += len(text)
	}
	for _, e := range r.Events {
		bytes += len(e.Reason) + len(e.Proof.LeftAt) + len(e.Proof.Name)
	}
	return uint32(bytes)
}
