//go:build linux

package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"

	"hotfoot/cmd/hotfoot/bench/feed"
	"hotfoot/cmd/hotfoot/bench/report"
	"hotfoot/cmd/hotfoot/bench/rig"
	"hotfoot/pubsub"
	"hotfoot/tracking"
	"hotfoot/tracking/key"
	"hotfoot/tracking/wire"
)

const (
	historyFixes  = 10
	historyAhead  = 4000 // batches that wait: enough that the worker always finds more than it can take at once
	historyAtOnce = 200
)

// history measures how fast the worker moves positions into Postgres, beside single INSERTs into the same table.
func (b *Bench) history(ctx context.Context, r *rig.Rig, client redis.UniversalClient) error {
	table := b.Report.New("ingest, history", fmt.Sprintf("rows into Postgres for %v: a worker that always finds batches of %d in the stream, "+
		"and %d connections that INSERT one row after another into the same table", b.Sizes.HistoryFor, historyFixes, b.Sizes.Connections))
	measures := map[rig.System]func(context.Context) ([]report.Reading, error){
		rig.FirstVersion: func(ctx context.Context) ([]report.Reading, error) { return b.insertRows(ctx, r) },
		rig.Hotfoot:      func(ctx context.Context) ([]report.Reading, error) { return b.moveRows(ctx, r, client) },
	}
	return b.take(ctx, table, "rows", 1, rig.Systems[1:], func(system rig.System) ([]report.Reading, error) { return measures[system](ctx) })
}

// moveRows keeps the stream filled for a worker.
func (b *Bench) moveRows(ctx context.Context, r *rig.Rig, client redis.UniversalClient) ([]report.Reading, error) {
	worker, err := r.Serve(ctx, "worker")
	if err != nil {
		return nil, err
	}
	defer worker.Stop()
	m := meterOf(func() []rig.Part { return []rig.Part{worker.Part("worker"), r.Redis(), r.Postgres()} })
	began, rows := time.Now(), 0
	looks, full := 0, 0
	for time.Since(began) < b.Sizes.HistoryFor {
		waiting, err := pubsub.Waiting(ctx, client)
		if err != nil {
			return nil, err
		}
		looks++
		if waiting >= historyAhead {
			full++
			select {
			case <-ctx.Done():
				return nil, ctx.Err()
			case <-time.After(2 * time.Millisecond):
			}
			continue
		}
		pipe := client.Pipeline()
		now := time.Now()
		for range historyAtOnce {
			// Every fix has a time of its own, a courier's are ten milliseconds apart and a batch's one, so none is there twice.
			batch := tracking.Batch{CourierID: r.Fleet[rows/historyFixes%len(r.Fleet)].ID, ReceivedAt: now, Fixes: make([]tracking.Fix, historyFixes)}
			for i := range batch.Fixes {
				batch.Fixes[i].Position = feed.Position(rows, now.Add(time.Duration(i-historyFixes)*time.Millisecond))
			}
			rows += historyFixes
			partition, text := key.Partition(batch.CourierID), wire.AppendBatch(nil, batch)
			pipe.XAdd(ctx, &redis.XAddArgs{Stream: key.Positions(partition), Values: []any{"b", text}})
			pipe.IncrBy(ctx, key.BacklogBytes(partition), int64(len(text)))
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return nil, err
		}
	}
	if err := awaitStored(ctx, client); err != nil {
		return nil, err
	}
	took := time.Since(began)
	return append([]report.Reading{
		{Name: "rows", Unit: "1/s", Value: float64(rows) / took.Seconds()},
		// Were it seldom so, the bench would have been too slow for the worker, and its rate were the bench's.
		{Name: "stream found full", Unit: "%", Value: 100 * float64(full) / float64(looks)},
	}, m.spent(float64(rows)/million, "/M rows", "s")...), nil
}

const insertRowSQL = `
INSERT INTO positions (courier_id, recorded_at, received_at, lat, lon, accuracy_m, speed_mps, heading_deg, battery)
VALUES ($1, $2, now(), $3, $4, 5, 6.1, 44.5, 0.71) ON CONFLICT DO NOTHING`

// insertRows inserts one row after another over many connections.
func (b *Bench) insertRows(ctx context.Context, r *rig.Rig) ([]report.Reading, error) {
	config, err := pgxpool.ParseConfig(r.DB().Config().ConnString())
	if err != nil {
		return nil, err
	}
	config.MaxConns = int32(b.Sizes.Connections)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	rows, errs := make([]int, b.Sizes.Connections), make([]error, b.Sizes.Connections)
	m := meterOf(func() []rig.Part { return []rig.Part{r.Postgres()} })
	began := time.Now()
	var wait sync.WaitGroup
	for i := range rows {
		wait.Go(func() {
			for time.Since(began) < b.Sizes.HistoryFor && errs[i] == nil {
				_, errs[i] = pool.Exec(ctx, insertRowSQL, r.Fleet[i%len(r.Fleet)].ID, time.Now().Truncate(time.Microsecond), 37.78, -122.41)
				rows[i]++
			}
		})
	}
	wait.Wait()
	sum := 0
	for _, n := range rows {
		sum += n
	}
	took := time.Since(began)
	return append([]report.Reading{{Name: "rows", Unit: "1/s", Value: float64(sum) / took.Seconds()}}, m.spent(float64(sum)/million, "/M rows", "s")...), errors.Join(errs...)
}
