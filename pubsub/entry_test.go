package pubsub

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/store/storetest"
	"hotfoot/tracking"
	"hotfoot/tracking/key"
	"hotfoot/tracking/wire"
)

// What stands in the backlog may be anything: from a newer release, from a fault of ours, or put there by hand.
func TestBacklog_unreadable(t *testing.T) {
	t.Parallel()
	newer := batchOf(tracking.NewID())
	newer[0]++
	late := batchOf(tracking.NewID())
	huge := bytes.Repeat([]byte{0, 'x'}, 4<<20)
	for name, c := range map[string]struct {
		values  []any
		payload []byte
		reason  string
	}{
		"nonsense":              {[]any{"b", "nonsense"}, []byte("nonsense"), "version"},
		"nothing":               {[]any{"b", ""}, []byte{}, "truncated"},
		"zero bytes":            {[]any{"b", "\x00\x00\x00"}, []byte{0, 0, 0}, "version"},
		"a newer version":       {[]any{"b", newer}, newer, "version"},
		"a batch cut short":     {[]any{"b", late[:len(late)-1]}, late[:len(late)-1], "truncated"},
		"a batch and more":      {[]any{"b", append(late, 0), "c", "d"}, append(late, 0), "truncated"},
		"something huge":        {[]any{"b", huge}, huge[:keptBytes], "8388608 bytes"},
		"other fields":          {[]any{"c", "no batch", "d", "\x00\xff<"}, []byte(`{"c":"no batch","d":"\u0000\ufffd\u003c"}`), "no batch"},
		"a field without name":  {[]any{"", ""}, []byte(`{"":""}`), "no batch"},
		"huge fields of others": {[]any{"c", strings.Repeat("x", 8<<20)}, []byte(`{"c":"` + strings.Repeat("x", keptValue) + `"}`), "no batch"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := connect(t, storetest.RedisURL(t))
			b := newBacklog(client, "w1")
			before, after := tracking.NewID(), tracking.NewID()
			putIn(t, client, 9, before)
			must(t, client.XAdd(t.Context(), &redis.XAddArgs{Stream: key.Positions(9), Values: c.values}).Err())
			putIn(t, client, 9, after)

			entries := drain(t, b, 3)
			if entries[0].Batch.CourierID != before || entries[2].Batch.CourierID != after || entries[0].Unreadable != nil || entries[2].Unreadable != nil {
				t.Errorf("its neighbours are %+v and %+v", entries[0], entries[2])
			}
			bad := entries[1]
			if bad.Unreadable == nil || !strings.Contains(bad.Unreadable.Error(), c.reason) || strings.Contains(bad.Unreadable.Error(), "\x00") {
				t.Errorf("it cannot be read because %v, want: %s", bad.Unreadable, c.reason)
			}
			// A payload that is nil would be NULL in the table of dead letters.
			if bad.Payload == nil || !bytes.Equal(bad.Payload, c.payload) || cap(bad.Payload) > keptBytes {
				t.Errorf("of its payload %d bytes are kept: %.100q, want %.100q", len(bad.Payload), bad.Payload, c.payload)
			}
			if !bad.Batch.CourierID.IsZero() || bad.Batch.Fixes != nil || !strings.HasPrefix(bad.Handle, key.Positions(9)+" ") {
				t.Errorf("it is %q with %+v", bad.Handle, bad.Batch)
			}
			empty(t, b)
			settled(t, client)
		})
	}
}

// Whatever stands in the backlog is a batch, or is kept within bounds with the reason why it is none.
func FuzzDecode(f *testing.F) {
	batch := tracking.Batch{CourierID: tracking.NewID(), Session: "a", ReceivedAt: time.UnixMilli(1_772_647_800_000).UTC()}
	f.Add(field, string(wire.AppendBatch(nil, batch)))
	f.Add(field, "")
	f.Add("other", strings.Repeat("x", 70<<10))
	f.Add(field, strings.Repeat("\xff", 70<<10))
	f.Fuzz(func(t *testing.T, name, value string) {
		entry, size := decode("1-1", map[string]any{name: value})
		if len(entry.Payload) > keptBytes && entry.Unreadable != nil {
			t.Fatalf("%d bytes are kept of what cannot be read", len(entry.Payload))
		}
		if (name == field) != (size == len(value)) && value != "" {
			t.Fatalf("%q of %d bytes counts as %d", name, len(value), size)
		}
		if entry.Unreadable != nil {
			if !reflect.DeepEqual(entry.Batch, tracking.Batch{}) {
				t.Fatalf("unreadable, and a batch: %+v", entry.Batch)
			}
			return
		}
		if again, err := wire.Batch(wire.AppendBatch(nil, entry.Batch)); err != nil || again.CourierID != entry.Batch.CourierID || len(again.Fixes) != len(entry.Batch.Fixes) {
			t.Fatalf("%+v became %+v: %v", entry.Batch, again, err)
		}
	})
}
