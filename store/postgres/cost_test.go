package postgres_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"hotfoot/store/postgres"
	"hotfoot/store/storetest"
	"hotfoot/tracking"
)

// counter is a tracer that counts round trips and the statements in them.
type counter struct{ trips, statements atomic.Int64 }

func (c *counter) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	c.trips.Add(1)
	c.statements.Add(1)
	return ctx
}

func (c *counter) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (c *counter) TraceBatchStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchStartData) context.Context {
	c.trips.Add(1)
	c.statements.Add(int64(data.Batch.Len()))
	return ctx
}

func (c *counter) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}
func (c *counter) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData)     {}

// What storing reports may cost Postgres, however many there are. When this fails, something on every report's way has become dearer: make it cheaper
// again, or, if it is worth that, raise the bound in the same change and say why.
func TestStore_Store_cost(t *testing.T) {
	t.Parallel()
	config, err := pgxpool.ParseConfig(storetest.PostgresURL(t))
	must(t, err)
	count := &counter{}
	config.ConnConfig.Tracer = count
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	must(t, err)
	defer pool.Close()
	store := postgres.New(pool, nil)
	must(t, store.EnsurePartitions(t.Context(), trackBegan, now()))
	for _, entries := range []int{1, 10, 500} {
		t.Run(fmt.Sprintf("%d entries are stored in one round trip of two statements", entries), func(t *testing.T) {
			batches := make([]tracking.Batch, entries)
			for i := range batches {
				batches[i] = batchOf(tracking.NewID(), "s", 1, 2, 3)
			}
			count.trips.Store(0)
			count.statements.Store(0)
			_, err := store.Store(t.Context(), batches)
			must(t, err)
			if trips, statements := count.trips.Load(), count.statements.Load(); trips != 1 || statements != 2 {
				t.Errorf("%d round trips of %d statements", trips, statements)
			}
		})
	}
}
