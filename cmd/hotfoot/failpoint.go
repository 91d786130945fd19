//go:build failpoints

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"hotfoot/tracking"
)

// In a binary built with -tags failpoints, HOTFOOT_FAILPOINTS makes a node fail between two steps of its work, as the chaos suite asks:
//
//	Track.Store:after=kill@3;Hot.Place:before=error;Records.Record:after=delay 100ms
//
// A step is a method of a port; before and after are its two sides; kill ends the process as SIGKILL does, error makes the step fail as if
// its store were away (after: it was done all the same), delay waits. @n means at the n-th time, and only then. The first time that it happens is
// said on standard error: "failpoint Track.Store:after kill".
type failpoints map[string]*failpoint

type failpoint struct {
	action string
	delay  time.Duration
	at     int64
	hits   atomic.Int64
}

func newFailpoints() (failpoints, error) {
	points := failpoints{}
	for entry := range strings.SplitSeq(os.Getenv("HOTFOOT_FAILPOINTS"), ";") {
		name, what, ok := strings.Cut(strings.TrimSpace(entry), "=")
		if !ok {
			if name == "" {
				continue
			}
			return nil, fmt.Errorf("HOTFOOT_FAILPOINTS: %q is not step:side=action", entry)
		}
		p := &failpoint{}
		what, times, _ := strings.Cut(what, "@")
		p.at, _ = strconv.ParseInt(times, 10, 64)
		action, duration, _ := strings.Cut(what, " ")
		p.action = action
		if action == "delay" {
			var err error
			if p.delay, err = time.ParseDuration(duration); err != nil {
				return nil, fmt.Errorf("HOTFOOT_FAILPOINTS: %w", err)
			}
		}
		points[name] = p
	}
	return points, nil
}

// hit does what is asked for at this side of a step.
func (f failpoints) hit(ctx context.Context, name string) error {
	p := f[name]
	if p == nil {
		return nil
	}
	hit := p.hits.Add(1)
	if p.at > 0 && hit != p.at {
		return nil
	}
	if hit == max(1, p.at) {
		fmt.Fprintf(os.Stderr, "failpoint %s %s\n", name, p.action)
	}
	switch p.action {
	case "kill":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	case "error":
		return tracking.Unavailable("a failpoint", errors.New(name))
	case "delay":
		timer := time.NewTimer(p.delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	return nil
}

// around runs a step between its two sides.
func around[T any](ctx context.Context, f failpoints, name string, step func() (T, error)) (T, error) {
	var none T
	if err := f.hit(ctx, name+":before"); err != nil {
		return none, err
	}
	answer, err := step()
	if err == nil {
		if err := f.hit(ctx, name+":after"); err != nil {
			return none, err
		}
	}
	return answer, err
}

func around0(ctx context.Context, f failpoints, name string, step func() error) error {
	_, err := around(ctx, f, name, func() (struct{}, error) { return struct{}{}, step() })
	return err
}

// breakable puts failpoints around every step of the ways in.
func breakable(p ports) (ports, error) {
	f, err := newFailpoints()
	if err != nil || len(f) == 0 {
		return p, err
	}
	p.hot, p.announcer, p.ledger = failingHot{p.hot, f}, failingAnnouncer{p.announcer, f}, failingLedger{p.ledger, f}
	p.outbox, p.track, p.backlog, p.records = failingOutbox{p.outbox, f}, failingTrack{p.track, f}, failingBacklog{p.backlog, f}, failingRecords{p.records, f}
	p.second = failingBacklog{p.second, f}
	return p, nil
}

type failingHot struct {
	tracking.Hot
	f failpoints
}

func (h failingHot) Place(ctx context.Context, p tracking.Placement) (tracking.Placed, error) {
	return around(ctx, h.f, "Hot.Place", func() (tracking.Placed, error) { return h.Hot.Place(ctx, p) })
}

func (h failingHot) MarkDurable(ctx context.Context, marks []tracking.Mark) error {
	return around0(ctx, h.f, "Hot.MarkDurable", func() error { return h.Hot.MarkDurable(ctx, marks) })
}

type failingAnnouncer struct {
	tracking.Announcer
	f failpoints
}

func (a failingAnnouncer) Announce(ctx context.Context, records ...tracking.Record) error {
	return around0(ctx, a.f, "Announcer.Announce", func() error { return a.Announcer.Announce(ctx, records...) })
}

func (a failingAnnouncer) KeepCourier(ctx context.Context, c tracking.Courier) error {
	return around0(ctx, a.f, "Announcer.KeepCourier", func() error { return a.Announcer.KeepCourier(ctx, c) })
}

type failingLedger struct {
	tracking.Ledger
	f failpoints
}

func (l failingLedger) Create(ctx context.Context, d tracking.Delivery, events []tracking.Event, once tracking.Once) (tracking.Record, error) {
	return around(ctx, l.f, "Ledger.Create", func() (tracking.Record, error) { return l.Ledger.Create(ctx, d, events, once) })
}

func (l failingLedger) Change(ctx context.Context, merchant, delivery, joining tracking.ID, clientEventID string, decide tracking.Decide) ([]tracking.Record, error) {
	return around(ctx, l.f, "Ledger.Change", func() ([]tracking.Record, error) {
		return l.Ledger.Change(ctx, merchant, delivery, joining, clientEventID, decide)
	})
}

type failingOutbox struct {
	tracking.Outbox
	f failpoints
}

func (o failingOutbox) MarkPublished(ctx context.Context, told []tracking.Record) error {
	return around0(ctx, o.f, "Outbox.MarkPublished", func() error { return o.Outbox.MarkPublished(ctx, told) })
}

type failingTrack struct {
	tracking.Track
	f failpoints
}

func (t failingTrack) Store(ctx context.Context, batches []tracking.Batch) ([]tracking.Mark, error) {
	return around(ctx, t.f, "Track.Store", func() ([]tracking.Mark, error) { return t.Track.Store(ctx, batches) })
}

func (t failingTrack) Bury(ctx context.Context, letter tracking.DeadLetter) (tracking.Mark, error) {
	return around(ctx, t.f, "Track.Bury", func() (tracking.Mark, error) { return t.Track.Bury(ctx, letter) })
}

type failingBacklog struct {
	tracking.Backlog
	f failpoints
}

func (b failingBacklog) Read(ctx context.Context, limit int) ([]tracking.Entry, error) {
	entries, err := b.Backlog.Read(ctx, limit)
	if err == nil && len(entries) > 0 {
		err = b.f.hit(ctx, "Backlog.Read:after")
	}
	return entries, err
}

func (b failingBacklog) Ack(ctx context.Context, entries []tracking.Entry) error {
	return around0(ctx, b.f, "Backlog.Ack", func() error { return b.Backlog.Ack(ctx, entries) })
}

// failingRecords is what viewers are shown from: the reads on the other end of the way.
type failingRecords struct {
	records
	f failpoints
}

func (r failingRecords) Record(ctx context.Context, delivery tracking.ID) (tracking.Record, error) {
	return around(ctx, r.f, "Records.Record", func() (tracking.Record, error) { return r.records.Record(ctx, delivery) })
}
