//go:build linux

package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hotfoot/cmd/hotfoot/bench/report"
	"hotfoot/cmd/hotfoot/bench/rig"
)

// Storm measures what happens when all viewers lose their connection at once and come back.
func (b *Bench) Storm(ctx context.Context) error {
	r, err := b.deployment(ctx)
	if err != nil {
		return err
	}
	table := b.Report.New("storm", fmt.Sprintf("all sockets reset at once and opened again with what they have seen, %d handshakes in flight, until each has its first message. "+
		"Postgres: transactions from then until %v later, less what an idle time of that length has", b.Sizes.StormInFlight, b.Sizes.StormQuiet))
	what := fmt.Sprintf("%d sockets", b.Sizes.Storm)
	return b.repeats(ctx, table, what, rig.Systems, func(system rig.System) ([]report.Reading, error) {
		n := system.Fits(b.Sizes.Storm)
		if n < b.Sizes.Storm {
			table.Note("%s: %d sockets instead of %d, since no more fit the limit of open files", system, n, b.Sizes.Storm)
		}
		return b.storm(ctx, r, system, n)
	})
}

func (b *Bench) storm(ctx context.Context, r *rig.Rig, system rig.System, sockets int) ([]report.Reading, error) {
	server, set, err := b.opened(ctx, r, system, sockets, 1)
	if err != nil {
		return nil, err
	}
	defer server.Stop()
	defer set.Close()
	if err := set.For(ctx, b.Sizes.WarmUp); err != nil {
		return nil, err
	}
	baseline := 0
	if system == rig.Hotfoot {
		if baseline, err = transactions(ctx, r, func() error { return set.For(ctx, b.Sizes.StormQuiet) }); err != nil {
			return nil, err
		}
	}
	var readings []report.Reading
	storm := func() error {
		m := meterOf(server.Parts)
		profiled := b.profile(ctx, r, 2*time.Second)
		began := time.Now()
		set.Drop()
		storming, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		if err := set.Open(storming, server.Targets(sockets, 1, true), b.Sizes.StormInFlight); err != nil {
			return err
		}
		readings = append(readings, report.Reading{Name: "all back", Unit: "s", Value: time.Since(began).Seconds()})
		readings = append(readings, m.spent(float64(sockets), "/socket", "µs")...)
		readings = append(readings, report.Reading{Name: "told to wait", Value: float64(set.Refused)})
		if system != rig.Hotfoot {
			return nil
		}
		return errors.Join(set.For(ctx, b.Sizes.StormQuiet), profiled())
	}
	if system != rig.Hotfoot {
		err := storm() // it has nothing to do with Postgres
		return readings, err
	}
	n, err := transactions(ctx, r, storm)
	return append(readings, report.Reading{Name: "Postgres transactions", Value: float64(max(0, n-baseline))}), err
}

// transactions counts those of the rig's database while something happens. Postgres' processes tell within ten seconds what they have done, so it must
// end with a time of nothing.
func transactions(ctx context.Context, r *rig.Rig, happens func() error) (int, error) {
	read := func() (n int, err error) {
		err = r.DB().QueryRow(ctx, `SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()`).Scan(&n)
		return n, err
	}
	before, err := read()
	if err != nil {
		return 0, err
	}
	if err := happens(); err != nil {
		return 0, err
	}
	after, err := read()
	return after - before - 1, err // the first reading itself
}
