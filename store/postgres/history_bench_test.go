package postgres_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"hotfoot/store/postgres"
	"hotfoot/store/storetest"
	"hotfoot/tracking"
)

const aloneSQL = `
INSERT INTO positions (courier_id, recorded_at, session, seq, received_at, lat, lon, accuracy_m, speed_mps, heading_deg)
VALUES ($1, $2, '', 0, $3, $4, $5, $6, $7, $8)`

// BenchmarkStore is the way of positions into Postgres: one row a statement, as most would write it, beside transactions of many reports, two at once.
// An op is a row.
func BenchmarkStore(b *testing.B) {
	began := time.Now().Truncate(time.Millisecond)
	var clock atomic.Int64
	tick := func() time.Time { return began.Add(time.Duration(clock.Add(1)) * time.Millisecond) }
	open := func(b *testing.B, conns int32) *pgxpool.Pool {
		pool, err := postgres.Connect(storetest.PostgresURL(b), conns)
		if err == nil {
			err = postgres.New(pool, nil).EnsurePartitions(b.Context(), began, began.Add(24*time.Hour))
		}
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(pool.Close)
		return pool
	}
	b.Run("alone, 64 connections", func(b *testing.B) {
		pool := open(b, 64)
		share(b, 64, 1, func() error {
			_, err := pool.Exec(b.Context(), aloneSQL, tracking.NewID(), tick(), began, 37.78, -122.41, 5.5, 4.25, 87.0)
			return err
		})
	})
	const rows = 5000
	for _, points := range []int{1, 10} {
		b.Run(fmt.Sprintf("%d at once, %d a report", rows, points), func(b *testing.B) {
			store := postgres.New(open(b, 2), nil)
			share(b, 2, rows, func() error {
				_, err := store.Store(b.Context(), reports(began, tick, rows/points, points))
				return err
			})
		})
	}
}

// share has so many goroutines do what is worth some ops each time, until b.N are done.
func share(b *testing.B, goroutines, worth int, do func() error) {
	var left atomic.Int64
	left.Store(int64(b.N))
	b.ResetTimer()
	var wait sync.WaitGroup
	for range goroutines {
		wait.Go(func() {
			for left.Add(int64(-worth)) > int64(-worth) {
				if err := do(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wait.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

func reports(received time.Time, tick func() time.Time, couriers, points int) []tracking.Batch {
	batches := make([]tracking.Batch, couriers)
	for i := range batches {
		batches[i] = tracking.Batch{CourierID: tracking.NewID(), ReceivedAt: received, Fixes: make([]tracking.Fix, points)}
		for j := range batches[i].Fixes {
			batches[i].Fixes[j].Position = tracking.Position{
				RecordedAt: tick(), Lat: 37.78, Lon: -122.41, AccuracyM: tracking.Read(5.5), SpeedMPS: tracking.Read(4.25), HeadingDeg: tracking.Read(87),
			}
		}
	}
	return batches
}
