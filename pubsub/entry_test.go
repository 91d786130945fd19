package pubsub

import (
	"bytes"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"hotfoot/store/storetest"
	"hotfoot/tracking"
	"hotfoot/tracking/key"
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
