//go:build linux

package bench

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"hotfoot/cmd/hotfoot/bench/feed"
	"hotfoot/cmd/hotfoot/bench/report"
	"hotfoot/cmd/hotfoot/bench/rig"
	"hotfoot/cmd/hotfoot/bench/stats"
	"hotfoot/cmd/hotfoot/bench/usage"
	"hotfoot/cmd/hotfoot/bench/viewers"
	"hotfoot/cmd/hotfoot/client"
)

const (
	slowWatchers = 100
	slowSockets  = 10
	slowRate     = 200 // positions a second
	statuses     = 24  // about, over the time that slow sockets do not read
)

// Slow measures what sockets that never read do to the others and to the server, and what they have missed when they read again.
func (b *Bench) Slow(ctx context.Context) error {
	r, err := b.deployment(ctx)
	if err != nil {
		return err
	}
	table := b.Report.New("slow", fmt.Sprintf("%d watchers of one delivery, %d positions/s for %v; then the same with %d of them never reading, who read again at the end. "+
		"Stale is a position that is more than a second old when it is read; newest is the oldest of what they show %v after they have begun to read",
		slowWatchers, slowRate, b.Sizes.SlowFor, slowSockets, b.Sizes.WarmUp))
	table.Note("bare is not measured: it drops who does not read")
	table.Note("first version has no statuses")
	delivery := len(r.Fleet)
	return b.repeats(ctx, table, fmt.Sprintf("%d of %d slow", slowSockets, slowWatchers), rig.Systems[1:], func(system rig.System) ([]report.Reading, error) {
		// Each run has a delivery of its own, since statuses change it.
		delivery -= 2
		calm, err := b.slow(ctx, r, system, delivery, 0)
		if err != nil {
			return nil, err
		}
		s, err := b.slow(ctx, r, system, delivery+1, slowSockets)
		if err != nil {
			return nil, err
		}
		readings := []report.Reading{
			{Name: "p99, all read", Unit: "ms", Value: milliseconds(calm.others.Quantile(0.99))},
			{Name: "p99 of the others", Unit: "ms", Value: milliseconds(s.others.Quantile(0.99))},
			{Name: "RSS/slow socket", Unit: "kB", Value: float64(s.grown-calm.grown) / slowSockets / 1024},
			{Name: "cut off", Value: float64(s.cut)},
			{Name: "stale/slow socket", Value: float64(s.stale) / slowSockets},
		}
		if s.cut < slowSockets {
			readings = append(readings, report.Reading{Name: "newest", Unit: "s", Value: s.newest.Seconds()})
		}
		if system == rig.Hotfoot {
			readings = append(readings, report.Reading{Name: "statuses missing", Value: float64(s.missing)}, report.Reading{Name: "statuses", Value: float64(s.statuses)})
		}
		return readings, nil
	})
}

// slowness is what one run has shown.
type slowness struct {
	others   stats.Histogram // latencies of those who read
	grown    int64           // resident memory of the server, in bytes
	cut      int             // slow sockets that the server has ended
	stale    int             // positions that slow sockets read too late
	newest   time.Duration
	statuses int // that were sent
	missing  int // of those, over all slow sockets
}

// slow runs one delivery's crowd, of whom so many do not read.
func (b *Bench) slow(ctx context.Context, r *rig.Rig, system rig.System, delivery, ignored int) (*slowness, error) {
	server, err := r.Start(ctx, system)
	if err != nil {
		return nil, err
	}
	defer server.Stop()
	var api *rig.Process
	if system == rig.Hotfoot {
		if api, err = r.Serve(ctx, "api"); err != nil {
			return nil, err
		}
		defer api.Stop()
	}
	set, err := viewers.NewSet(server.Address)
	if err != nil {
		return nil, err
	}
	defer set.Close()
	targets := make([]viewers.Target, slowWatchers)
	for i := range targets {
		targets[i] = server.Target(delivery, false)
	}
	if err := open(ctx, set, targets); err != nil {
		return nil, err
	}
	source, err := server.Feed(ctx, delivery)
	if err != nil {
		return nil, err
	}
	defer source.Close()

	s := &slowness{}
	schedule := feed.NewSchedule(slowRate)
	last, heard := make([]time.Time, ignored), make([]int, ignored)
	set.Each = func(target int, message []byte, read time.Time) {
		isSlow := target < ignored
		switch viewers.KindOf(message) {
		case viewers.Status:
			if isSlow {
				heard[target]++
			}
		case viewers.Position:
			stamp, _ := viewers.Stamp(message)
			due, ok := schedule.Due(stamp, read)
			switch {
			case ok && !isSlow:
				s.others.Record(read.Sub(due))
			case ok:
				last[target] = due
				if read.Sub(due) > time.Second {
					s.stale++
				}
			}
		}
	}
	sending, stop := context.WithCancel(ctx)
	defer stop()
	var busy sync.WaitGroup
	defer busy.Wait()
	defer stop() // before it is waited for
	var fed, told error
	busy.Go(func() { fed = source.Run(sending, schedule, 1) })
	if err := set.For(ctx, b.Sizes.WarmUp); err != nil {
		return nil, err
	}
	s.others = stats.Histogram{}
	before := usage.Of(server.Part("").PIDs...).RSS
	if err := set.Ignore(true, func(target int) bool { return target < ignored }); err != nil {
		return nil, err
	}
	var telling sync.WaitGroup
	if api != nil {
		courier := r.Fleet[delivery]
		telling.Go(func() {
			s.statuses, told = tell(sending, client.New("http://"+api.Address, courier.Key), courier.Delivery.String(), b.Sizes.SlowFor)
		})
	}
	err = set.For(ctx, b.Sizes.SlowFor)
	telling.Wait()
	s.grown = usage.Of(server.Part("").PIDs...).RSS - before
	if err = errors.Join(err, told); err != nil {
		return nil, err
	}
	if err := set.Ignore(false, func(target int) bool { return target < ignored }); err != nil {
		return nil, err
	}
	if err := set.For(ctx, b.Sizes.WarmUp); err != nil {
		return nil, err
	}
	now := time.Now()
	stop()
	busy.Wait()
	s.cut = set.Closed
	for i := range ignored {
		s.newest = max(s.newest, now.Sub(last[i]))
		s.missing += s.statuses - heard[i]
	}
	return s, fed
}

// tell has a courier come to the door and leave it again, for a while, and answers how many statuses that made.
func tell(ctx context.Context, courier *client.Client, delivery string, lasting time.Duration) (int, error) {
	end := time.Now().Add(lasting - lasting/10)
	for n := 0; ; n++ {
		if n%2 == 0 && time.Now().After(end) {
			return n, nil // underway again
		}
		status := client.StatusArriving
		if n%2 == 1 {
			status = client.StatusEnRoute
		}
		if _, err := courier.PostStatus(ctx, delivery, client.StatusChange{Status: status, ClientEventID: strconv.Itoa(n)}); err != nil {
			return n, err
		}
		select {
		case <-ctx.Done():
			return n, ctx.Err()
		case <-time.After(lasting / statuses):
		}
	}
}
