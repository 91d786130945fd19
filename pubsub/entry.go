package pubsub

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"hotfoot/tracking"
	"hotfoot/tracking/wire"
)

// field is where the hot store puts a batch in an entry.
const field = "b"

// What is kept of an entry that is no batch: enough to see what it is, and not so much that it cannot be put aside.
const (
	keptBytes = 64 << 10
	keptValue = 1 << 10 // of one field, where there are others than ours
)

var errNoBatch = errors.New("there is no batch in it")

// decode makes an entry of a message, and tells how many bytes of it the hot store counts. It is an entry in any case: whoever reads it decides
// what becomes of one that is no batch, since reading it again would not help.
func decode(handle string, values map[string]any) (tracking.Entry, int) {
	entry := tracking.Entry{Handle: handle}
	payload, there := values[field].(string)
	if !there {
		entry.Payload, entry.Unreadable = fields(values), errNoBatch
		return entry, 0
	}
	entry.Payload = []byte(payload)
	entry.Batch, entry.Unreadable = wire.Batch(entry.Payload)
	if entry.Unreadable != nil {
		entry.Batch = tracking.Batch{}
		if len(payload) > keptBytes {
			entry.Payload = []byte(payload[:keptBytes])
			entry.Unreadable = fmt.Errorf("%w; of its %d bytes the first %d are kept", entry.Unreadable, len(payload), keptBytes)
		}
	}
	return entry, len(payload)
}

// fields writes an entry that is not ours as JSON.
func fields(values map[string]any) []byte {
	kept := make(map[string]string, len(values))
	for name, value := range values {
		text, _ := value.(string)
		kept[name[:min(len(name), keptValue)]] = text[:min(len(text), keptValue)]
	}
	// Strings become JSON whatever their bytes.
	b, _ := json.Marshal(kept)
	return slices.Clip(b[:min(len(b), keptBytes)])
}
