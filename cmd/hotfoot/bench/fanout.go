//go:build linux

package bench

import (
	"context"
	"fmt"
	"time"

	"hotfoot/cmd/hotfoot/bench/feed"
	"hotfoot/cmd/hotfoot/bench/post"
	"hotfoot/cmd/hotfoot/bench/report"
	"hotfoot/cmd/hotfoot/bench/rig"
)

// Fanout measures what it costs to bring updates to sockets, at a rate that every system carries.
func (b *Bench) Fanout(ctx context.Context) error {
	r, err := b.deployment(ctx)
	if err != nil {
		return err
	}
	table := b.Report.New("fanout", "updates into Redis (bare: into the server), pipelined in groups of up to 50, out of the sockets; "+
		"CPU seconds for a million delivered frames, and latency from when an update was due")
	for _, shape := range b.Sizes.Fan {
		what := fmt.Sprintf("%d topics × %d, %d updates/s", shape.Topics, shape.Watchers, shape.PerSecond)
		err := b.repeats(ctx, table, what, rig.Systems, func(system rig.System) ([]report.Reading, error) {
			fitting := shape.fit(system)
			if fitting != shape {
				table.Note("%s: %d topics and %d updates/s instead, since no more sockets fit the limit of open files", system, fitting.Topics, fitting.PerSecond)
			}
			return b.fanout(ctx, r, system, fitting)
		})
		if err != nil {
			return err
		}
	}
	return b.posted(ctx, r)
}

// fit makes a shape smaller, in proportion, until its sockets fit a system.
func (s Shape) fit(system rig.System) Shape {
	sockets := s.Topics * s.Watchers
	most := system.Fits(sockets)
	if most == sockets {
		return s
	}
	topics := most / s.Watchers
	return Shape{Topics: topics, Watchers: s.Watchers, PerSecond: s.PerSecond * topics / s.Topics}
}

func (b *Bench) fanout(ctx context.Context, r *rig.Rig, system rig.System, s Shape) ([]report.Reading, error) {
	server, set, err := b.opened(ctx, r, system, s.Topics, s.Watchers)
	if err != nil {
		return nil, err
	}
	defer server.Stop()
	defer set.Close()
	source, err := server.Feed(ctx, 0)
	if err != nil {
		return nil, err
	}
	defer source.Close()
	schedule := feed.NewSchedule(s.PerSecond)
	f, err := b.flow(ctx, set, server.Parts, schedule, s.Watchers, b.Sizes.FanFor, func(ctx context.Context) error { return source.Run(ctx, schedule, s.Topics) })
	return f.readings(), err
}

// posted measures the whole path: one POST a position, out of the socket of who watches its courier.
func (b *Bench) posted(ctx context.Context, r *rig.Rig) error {
	table := b.Report.New("fanout, whole path", fmt.Sprintf("POST of one position at %d/s over %d connections → api → Redis → gateway → socket, rows stored in Postgres; "+
		"CPU seconds for a million", b.Sizes.PostAt, b.Sizes.Connections))
	return b.repeats(ctx, table, fmt.Sprintf("%d/s", b.Sizes.PostAt), rig.Systems[1:], func(system rig.System) ([]report.Reading, error) {
		topics := min(1000, len(r.Fleet))
		server, set, err := b.opened(ctx, r, system, topics, 1)
		if err != nil {
			return nil, err
		}
		defer server.Stop()
		defer set.Close()
		entry, stop, err := entryOf(ctx, r, server, "api,worker")
		if err != nil {
			return nil, err
		}
		defer stop()
		schedule := feed.Single(b.Sizes.PostAt)
		f, err := b.flow(ctx, set, entry.parts, schedule, 1, b.Sizes.PostFor, func(ctx context.Context) error {
			_, err := post.Load{
				Addresses: []string{entry.address}, Connections: b.Sizes.Connections, PerSecond: b.Sizes.PostAt, Began: schedule.Began,
				Request: func(b []byte, _, n int, due time.Time) []byte { return entry.report(b, n%topics, n, due) },
			}.Run(ctx)
			return err
		})
		return f.readings(), err
	})
}
