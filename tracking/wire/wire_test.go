package wire_test

import (
	"bytes"
	"encoding/hex"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hotfoot/tracking"
	"hotfoot/tracking/wire"
)

var readings = rapid.Custom(func(t *rapid.T) tracking.Reading {
	if !rapid.Bool().Draw(t, "known") {
		return tracking.Reading{}
	}
	return tracking.Reading{Known: true, Value: rapid.Float32Range(-1e6, 1e7).Draw(t, "value")}
})

// times are what positions are dated: to the millisecond.
var times = rapid.Custom(func(t *rapid.T) time.Time {
	return time.UnixMilli(rapid.Int64Range(-62135596800000, 253402300799999).Draw(t, "ms")).UTC()
})

var positions = rapid.Custom(func(t *rapid.T) tracking.Position {
	return tracking.Position{
		RecordedAt: times.Draw(t, "at"), Lat: rapid.Float64Range(-90, 90).Draw(t, "lat"), Lon: rapid.Float64Range(-180, 180).Draw(t, "lon"),
		AccuracyM: readings.Draw(t, "accuracy"), SpeedMPS: readings.Draw(t, "speed"), HeadingDeg: readings.Draw(t, "heading"),
		AltitudeM: readings.Draw(t, "altitude"), Battery: readings.Draw(t, "battery"),
		Suspect: rapid.SampledFrom(append(tracking.Suspicions, tracking.Believed)).Draw(t, "suspect"),
	}
})

var ids = rapid.Custom(func(t *rapid.T) tracking.ID {
	return tracking.ID(rapid.SliceOfN(rapid.Byte(), 16, 16).Filter(func(b []byte) bool { return [16]byte(b) != [16]byte{} }).Draw(t, "id"))
})

var batches = rapid.Custom(func(t *rapid.T) tracking.Batch {
	b := tracking.Batch{
		CourierID: ids.Draw(t, "courier"), Session: rapid.StringMatching(`[a-zA-Z0-9._-]{0,64}`).Draw(t, "session"), ReceivedAt: times.Draw(t, "received"),
		Fixes: make([]tracking.Fix, rapid.IntRange(0, 20).Draw(t, "fixes")),
	}
	for i := range b.Fixes {
		b.Fixes[i] = tracking.Fix{Seq: rapid.Int64Range(0, 1<<53-1).Draw(t, "seq"), Position: positions.Draw(t, "position")}
	}
	b.Settled = rapid.SliceOfN(rapid.Int64Range(1, 1<<53-1), 0, 20).Draw(t, "settled")
	if len(b.Settled) == 0 {
		b.Settled = nil
	}
	return b
})

func TestPosition_roundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := positions.Draw(t, "position")
		b := wire.AppendPosition([]byte("before"), want)
		if got, err := wire.Position(b[6:]); err != nil || got != want {
			t.Fatalf("got %+v, %v, want %+v", got, err, want)
		}
	})
}

// A layout that changes without its version breaks an upgrade node by node, and the script that reads these bytes.
func TestPosition_golden(t *testing.T) {
	t.Parallel()
	p := tracking.Position{
		RecordedAt: time.UnixMilli(1772648138123).UTC(), Lat: 37.7812, Lon: -122.4112,
		AccuracyM: tracking.Read(5), HeadingDeg: tracking.Read(270.5), Battery: tracking.Read(0.25),
	}
	want := "01" + "15" + "0000019cba10058b" + "4042e3fe5c91d14e" + "c05e9a5119ce075f" + "40a00000" + "00000000" + "43874000" + "00000000" + "3e800000"
	if got := hex.EncodeToString(wire.AppendPosition(nil, p)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	batch := tracking.Batch{
		CourierID: tracking.ID{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}, Session: "s1", ReceivedAt: p.RecordedAt,
		Fixes: []tracking.Fix{{Seq: 7, Position: p}}, Settled: []int64{8, 9},
	}
	wantBatch := "01" + "0102030405060708090a0b0c0d0e0f10" + "0000019cba10058b" + "02" + "7331" + "0001" + "0000000000000007" + want + "0002" + "0000000000000008" + "0000000000000009"
	if got := hex.EncodeToString(wire.AppendBatch(nil, batch)); got != wantBatch {
		t.Errorf("got  %s\nwant %s", got, wantBatch)
	}
}

func TestPosition_pace(t *testing.T) {
	t.Parallel()
	b := wire.AppendPosition(nil, tracking.Position{Lat: 1})
	for bits, want := range map[string]tracking.Reading{"\xbf\x80\x00\x00": {}, "\x40\x00\x00\x00": tracking.Read(2), "\x00\x00\x00\x00": tracking.Read(0), "\x7f\xc0\x00\x00": {}} {
		if got, err := wire.Position(append(b[:len(b):len(b)], bits...)); err != nil || got.Pace != want {
			t.Errorf("% x: %+v, %v, want %+v", bits, got.Pace, err, want)
		}
	}
}

func TestPosition_refuses(t *testing.T) {
	t.Parallel()
	good := wire.AppendPosition(nil, tracking.Position{Lat: 1, Battery: tracking.Read(1)})
	for n := range wire.NewestSize + 10 {
		if n == wire.PositionSize || n == wire.NewestSize {
			continue
		}
		if _, err := wire.Position(append(bytes.Clone(good), make([]byte, 20)...)[:n]); err == nil {
			t.Errorf("%d bytes are read", n)
		}
	}
	for what, change := range map[string]func([]byte){
		"another version":       func(b []byte) { b[0] = 2 },
		"version 0":             func(b []byte) { b[0] = 0 },
		"a suspicion unknown":   func(b []byte) { b[1] |= 6 << 5 },
		"a latitude of NaN":     func(b []byte) { b[10], b[11] = 0x7f, 0xf8 },
		"a latitude beyond":     func(b []byte) { b[10], b[11] = 0x40, 0x60 },
		"a longitude of -Inf":   func(b []byte) { copy(b[18:], "\xff\xf0\x00\x00\x00\x00\x00\x00") },
		"a battery of NaN":      func(b []byte) { copy(b[42:], "\x7f\xc0\x00\x00") },
		"a battery of infinity": func(b []byte) { copy(b[42:], "\x7f\x80\x00\x00") },
	} {
		b := bytes.Clone(good)
		change(b)
		if p, err := wire.Position(b); err == nil {
			t.Errorf("%s is read as %+v", what, p)
		}
	}
}

func TestBatch_roundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := batches.Draw(t, "batch")
		b := wire.AppendBatch(nil, want)
		got, err := wire.Batch(b)
		if err != nil || !same(got, want) {
			t.Fatalf("got %+v, %v, want %+v", got, err, want)
		}
	})
}

func same(a, b tracking.Batch) bool {
	return bytes.Equal(wire.AppendBatch(nil, a), wire.AppendBatch(nil, b)) && a.CourierID == b.CourierID && a.Session == b.Session && a.ReceivedAt.Equal(b.ReceivedAt) &&
		len(a.Fixes) == len(b.Fixes) && len(a.Settled) == len(b.Settled)
}

func TestBatch_truncated(t *testing.T) {
	t.Parallel()
	full := wire.AppendBatch(nil, tracking.Batch{
		CourierID: tracking.NewID(), Session: "abc", Fixes: []tracking.Fix{{Seq: 1}, {Seq: 2}}, Settled: []int64{3},
	})
	for n := range full {
		if b, err := wire.Batch(full[:n]); err == nil {
			t.Errorf("%d of %d bytes are read as %+v", n, len(full), b)
		}
	}
	if _, err := wire.Batch(append(bytes.Clone(full), 0)); err == nil {
		t.Error("a byte too many is read")
	}
	for _, version := range []byte{0, 2, 255} {
		b := bytes.Clone(full)
		b[0] = version
		if _, err := wire.Batch(b); err == nil {
			t.Errorf("version %d is read", version)
		}
	}
}

// What a message says of its size must not make the reader allocate it.
func TestBatch_allocates(t *testing.T) {
	b := wire.AppendBatch(nil, tracking.Batch{})
	b[len(b)-4], b[len(b)-3] = 0xff, 0xff // 65535 fixes
	if got := testing.AllocsPerRun(10, func() { _, _ = wire.Batch(b) }); got > 3 {
		t.Errorf("%v allocations for a lie", got)
	}
	b = wire.AppendBatch(nil, tracking.Batch{Settled: []int64{math.MaxInt64}})
	if _, err := wire.Batch(b); err == nil {
		t.Error("a seq that cannot be counted on from is read")
	}
}

func FuzzPosition(f *testing.F) {
	f.Add(wire.AppendPosition(nil, tracking.Position{Lat: 1, Lon: 2, Battery: tracking.Read(0.5)}))
	f.Add(append(wire.AppendPosition(nil, tracking.Position{}), 0xbf, 0x80, 0, 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := wire.Position(b)
		if err != nil {
			return
		}
		again, err := wire.Position(wire.AppendPosition(nil, p))
		p.Pace = tracking.Reading{}
		if err != nil || again != p {
			t.Errorf("%+v became %+v, %v", p, again, err)
		}
	})
}

func FuzzBatch(f *testing.F) {
	f.Add(wire.AppendBatch(nil, tracking.Batch{Session: "a", Fixes: []tracking.Fix{{Seq: 1}}, Settled: []int64{2, 3}}))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		batch, err := wire.Batch(b)
		if err != nil {
			return
		}
		again, err := wire.Batch(wire.AppendBatch(nil, batch))
		if err != nil || !same(again, batch) {
			t.Errorf("%+v became %+v, %v", batch, again, err)
		}
	})
}

func BenchmarkBatch(b *testing.B) {
	batch := tracking.Batch{CourierID: tracking.NewID(), Session: "a", Fixes: make([]tracking.Fix, 10)}
	encoded := wire.AppendBatch(nil, batch)
	b.ReportAllocs()
	for b.Loop() {
		encoded = wire.AppendBatch(encoded[:0], batch)
		if _, err := wire.Batch(encoded); err != nil {
			b.Fatal(err)
		}
	}
}
