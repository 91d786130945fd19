package main

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"hotfoot/store/postgres"
	"hotfoot/store/storetest"
	"hotfoot/tracking"
	"hotfoot/tracking/wire"
)

// desk is an operator before one database.
type desk struct {
	*postgres.Store
	url string
}

func newDesk(t *testing.T) desk {
	t.Helper()
	d := desk{url: storetest.PostgresURL(t)}
	pool, err := postgres.Connect(d.url, 2)
	must(t, err)
	t.Cleanup(pool.Close)
	d.Store = postgres.New(pool, nil)
	return d
}

// run runs a command as from a shell, and answers what it said.
func (d desk) run(t *testing.T, wantCode int, args ...string) string {
	t.Helper()
	var out, err bytes.Buffer
	if code := run(t.Context(), append(args, "--database-url", d.url), &out, &err); code != wantCode {
		t.Fatalf("%v: exit code %d, want %d; out %q, err %q", args, code, wantCode, out.String(), err.String())
	}
	return out.String() + err.String()
}

// bury puts a batch aside, spoiled or not, and answers its id.
func (d desk) bury(t *testing.T, courier tracking.ID, seq int64, payload func([]byte) []byte) string {
	t.Helper()
	batch := tracking.Batch{CourierID: courier, Session: "a", ReceivedAt: time.Now(), Fixes: []tracking.Fix{{Seq: seq, Position: tracking.Position{
		RecordedAt: time.Now().UTC().Truncate(time.Millisecond).Add(-time.Duration(seq) * time.Minute), Lat: 37.78, Lon: -122.41, Battery: tracking.Read(0.5),
	}}}}
	letter := tracking.DeadLetter{ID: tracking.NewID(), Entry: fmt.Sprintf("stream %d-0", seq), Payload: wire.AppendBatch(nil, batch), Batch: batch, Reason: "a bad day", BuriedAt: time.Now()}
	if payload != nil {
		letter.Payload, letter.Batch = payload(letter.Payload), tracking.Batch{}
	}
	_, err := d.Bury(t.Context(), letter)
	must(t, err)
	return letter.ID.String()
}

func TestDeadLetters(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	courier := tracking.NewID()
	good, another, third := d.bury(t, courier, 1, nil), d.bury(t, courier, 2, nil), d.bury(t, courier, 3, nil)
	unreadable := d.bury(t, courier, 4, func([]byte) []byte { return []byte("\x00nonsense") })
	impossible := d.bury(t, courier, 5, func([]byte) []byte {
		batch := tracking.Batch{CourierID: courier, Session: "a", ReceivedAt: time.Now(), Fixes: []tracking.Fix{{Seq: 5, Position: tracking.Position{
			RecordedAt: time.Now(), HeadingDeg: tracking.Read(400),
		}}}}
		return wire.AppendBatch(nil, batch)
	})

	listed := d.run(t, 0, "deadletters", "list")
	for _, want := range []string{good, another, third, unreadable, impossible, courier.String(), "unreadable", "a bad day"} {
		if !strings.Contains(listed, want) {
			t.Errorf("the list lacks %s:\n%s", want, listed)
		}
	}
	shown := d.run(t, 0, "deadletters", "show", good)
	for _, want := range []string{`"stream 1-0"`, courier.String(), "37.78", "-122.41", "0.5"} {
		if !strings.Contains(shown, want) {
			t.Errorf("what is shown lacks %s:\n%s", want, shown)
		}
	}
	if shown := d.run(t, 0, "deadletters", "show", unreadable); !strings.Contains(shown, "|.nonsense|") {
		t.Errorf("the bytes are not shown:\n%s", shown)
	}

	for args, want := range map[string]string{
		"retry":                     "--all",
		"retry --all " + good:       "--all",
		"retry x":                   "not an id",
		"show " + courier.String():  "no such dead letter",
		"drop " + courier.String():  "no such dead letter",
		"retry " + courier.String(): "no such dead letter",
		"retry " + unreadable:       "cannot be read",
		"retry " + impossible:       "position heading range",
		"drop x " + another:         "not an id",
	} {
		if said := d.run(t, 1, append([]string{"deadletters"}, strings.Fields(args)...)...); !strings.Contains(said, want) {
			t.Errorf("%s: said %q, want %q", args, said, want)
		}
	}

	d.run(t, 0, "deadletters", "retry", good)
	if track := d.track(t, courier); len(track) != 1 {
		t.Errorf("after one retry there are %d positions", len(track))
	}
	d.run(t, 0, "deadletters", "drop", another)
	said := d.run(t, 1, "deadletters", "retry", "--all")
	if !strings.Contains(said, third+": stored 1 positions") || !strings.Contains(said, "2 could not be stored") {
		t.Errorf("said %q", said)
	}
	if track := d.track(t, courier); len(track) != 2 {
		t.Errorf("after all retries there are %d positions, want those that were neither dropped nor bad", len(track))
	}
	d.run(t, 0, "deadletters", "drop", unreadable, impossible)
	if count, err := d.CountDeadLetters(t.Context()); err != nil || count != 0 {
		t.Errorf("%d are left, %v", count, err)
	}
	d.run(t, 0, "deadletters", "retry", "--all")
}

func (d desk) track(t *testing.T, courier tracking.ID) []tracking.Position {
	t.Helper()
	track, err := d.Track(t.Context(), courier, time.Now().Add(-time.Hour), time.Now(), true, math.MaxInt32)
	must(t, err)
	return track
}

// More than one page of them, which retrying removes meanwhile.
func TestDeadLetters_many(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	courier := tracking.NewID()
	const many = 1203
	payload := wire.AppendBatch(nil, tracking.Batch{CourierID: courier, Session: "a", ReceivedAt: time.Now(), Settled: []int64{1}})
	for i := range many {
		letter := tracking.DeadLetter{ID: tracking.NewID(), Entry: fmt.Sprint(i), Payload: payload, BuriedAt: time.Now()}
		_, err := d.Bury(t.Context(), letter)
		must(t, err)
	}
	if lines := strings.Count(d.run(t, 0, "deadletters", "list"), "\n"); lines != many+1 {
		t.Errorf("the list has %d lines", lines)
	}
	d.run(t, 0, "deadletters", "retry", "--all")
	if count, err := d.CountDeadLetters(t.Context()); err != nil || count != 0 {
		t.Errorf("%d are left, %v", count, err)
	}
}
