//go:build linux

package feed

import (
	"bytes"
	"context"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"hotfoot/cmd/hotfoot/bench/viewers"
	"hotfoot/tracking"
	"hotfoot/tracking/frame"
	"hotfoot/tracking/wire"
)

func TestSchedule_knowsFromTheFrameWhenItWasDue(t *testing.T) {
	t.Parallel()
	s := Schedule{Began: time.Now(), Interval: 5 * time.Millisecond, PerGroup: 50}
	for _, group := range []int{0, 1, 999, 99_999, stamps - 1, stamps, stamps + 7, 3*stamps + 1} {
		due := s.At(group)
		written := frame.AppendPosition(nil, Position(group, due), 4, nil)
		stamp, ok := viewers.Stamp(written)
		if !ok {
			t.Fatalf("no stamp in %s", written)
		}
		for _, late := range []time.Duration{time.Microsecond, time.Second, 10 * time.Second} {
			if got, ok := s.Due(stamp, due.Add(late)); !ok || !got.Equal(due) {
				t.Errorf("group %d read %v late was due at %v, want %v", group, late, got.Sub(s.Began), due.Sub(s.Began))
			}
		}
	}
	if at, ok := s.Due(5, time.Now()); ok {
		t.Errorf("a position of somebody else was due at %v", at)
	}
}

func TestNewSchedule(t *testing.T) {
	t.Parallel()
	for perSecond, group := range map[int]int{1: 1, 200: 1, 1000: 5, 10_000: 50, 200_000: 50} {
		s := NewSchedule(perSecond)
		rate := float64(s.PerGroup) / s.Interval.Seconds()
		if s.PerGroup != group || rate < 0.99*float64(perSecond) || rate > 1.01*float64(perSecond) {
			t.Errorf("%d a second: groups of %d, %.1f a second", perSecond, s.PerGroup, rate)
		}
	}
}

// What is published is what the gateway reads.
func TestToHotfoot(t *testing.T) {
	t.Parallel()
	id, at := tracking.NewID(), time.Now()
	for name, encode := range map[string]Encode{"courier": ToHotfoot([]tracking.ID{id}), "fleet": ToFleet(tracking.NewID(), []tracking.ID{id})} {
		b := encode(nil, 0, newUpdate(3, at))
		if !bytes.HasPrefix(b, []byte("*3\r\n$7\r\nPUBLISH\r\n$")) || !bytes.Contains(b, []byte(":"+name+":")) || !bytes.HasSuffix(b, []byte("\r\n")) {
			t.Errorf("%s: %q", name, b)
		}
		p, err := wire.Position(b[len(b)-2-wire.NewestSize : len(b)-2])
		want := Position(3, at)
		if name == "fleet" {
			want.Lat, want.Lon = South+3e-5, West
		}
		if err != nil || p != (tracking.Position{
			RecordedAt: want.RecordedAt.UTC(), Lat: want.Lat, Lon: want.Lon, AccuracyM: want.AccuracyM, SpeedMPS: want.SpeedMPS, HeadingDeg: want.HeadingDeg,
			Battery: want.Battery, Pace: want.Pace,
		}) {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
}

func TestFeed_Run(t *testing.T) {
	t.Parallel()
	run := func(t *testing.T, answer string) (string, error) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
		defer stop()
		f, err := Dial(ctx, "tcp", listener.Addr().String(), func(b []byte, topic int, _ Update) []byte { return append(b, byte('a'+topic)) })
		if err != nil {
			t.Fatal(err)
		}
		conn, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := conn.Write([]byte(answer)); err != nil {
			t.Fatal(err)
		}
		var running sync.WaitGroup
		running.Go(func() { err = f.Run(ctx, Schedule{Began: time.Now(), Interval: time.Millisecond, PerGroup: 2}, 3) })
		var got strings.Builder
		for b := make([]byte, 100); got.Len() < 12; {
			n, err := conn.Read(b)
			if err != nil {
				t.Fatal(err)
			}
			got.Write(b[:n])
		}
		look := time.NewTicker(time.Millisecond)
		defer look.Stop()
		for answer != "" && f.refused.Load() == 0 && ctx.Err() == nil {
			<-look.C // until the answer was read
		}
		stop()
		running.Wait()
		f.Close()
		return got.String()[:12], err
	}
	t.Run("topics take turns", func(t *testing.T) {
		t.Parallel()
		if got, err := run(t, ""); got != "abcabcabcabc" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	})
	t.Run("what Redis refuses is told", func(t *testing.T) {
		t.Parallel()
		if _, err := run(t, ":1\r\n-OOM no\r\n"); err == nil {
			t.Error("nothing was told")
		}
	})
}
