package wire_test

import (
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"hotfoot/tracking"
	"hotfoot/tracking/wire"
)

func TestRecords_roundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := make([]tracking.Record, rapid.IntRange(0, 5).Draw(t, "count"))
		for i := range want {
			want[i] = records.Draw(t, "record")
		}
		b, err := wire.MarshalRecords(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := wire.Records(b)
		if err != nil || len(got) != len(want) || len(want) > 0 && !reflect.DeepEqual(got, want) {
			t.Fatalf("got  %+v, %v\nwant %+v", got, err, want)
		}
		if len(want) > 0 {
			if _, err := wire.Records(b[:len(b)-1]); err == nil {
				t.Fatal("a list that was cut off is read")
			}
		}
	})
}

// Whatever the bytes are, what is read can be written and read again as the same.
func FuzzRecords(f *testing.F) {
	good, err := wire.MarshalRecords([]tracking.Record{{Delivery: tracking.Delivery{ID: tracking.NewID(), Status: tracking.Created, Ver: 1, Rev: 1}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(append([]byte{1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}, good...))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		read, err := wire.Records(b)
		if err != nil {
			return
		}
		written, err := wire.MarshalRecords(read)
		if err != nil {
			return // a number that JSON cannot hold
		}
		if again, err := wire.Records(written); err != nil || !reflect.DeepEqual(again, read) {
			t.Errorf("%+v becomes %+v, %v", read, again, err)
		}
	})
}
