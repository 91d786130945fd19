// Package postgres is the truth: merchants, couriers, deliveries and their events, and the track of every courier.
//
//	tracking.Ledger ─────────> delivery.go, event.go, route.go          one transaction a decision, under row locks
//	tracking.Outbox ─────────> outbox.go                                who has not been told yet
//	tracking.Staff, Keys ────> courier.go, key.go
//	tracking.Track ──────────> history.go, session.go, deadletter.go    batches, idempotent
//	tracking.Boards, Seals ──> board.go, fence.go                       who delivered what; work under a lease
//	                    all of them ──> guard.go ──> the pool
//
// Guarantees. What a method that changes something returned without an error is committed, with synchronous_commit on. Locks are taken in
// one order everywhere: couriers by id, then deliveries. Errors are tracking.Error, told apart by SQLSTATE and constraint name. Nothing waits for a
// server longer than a few seconds, nor at all for one that a tracking.Breaker knows to be away.
//
// Concurrency: a Store is safe for concurrent use.
//
// Each query is a constant above the method that runs it; a test prepares all of them against the migrated schema.
package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"hotfoot/tracking"
)

// Store answers every port that the truth stands behind.
type Store struct {
	db *guarded
}

// New makes a Store over a pool; closing the pool stays the caller's. A nil breaker lets everything through.
func New(pool *pgxpool.Pool, breaker *tracking.Breaker) *Store {
	return &Store{db: &guarded{pool: pool, breaker: breaker}}
}

// within runs fn in a transaction, committed when it answers nil.
func (s *Store) within(ctx context.Context, fn func(context.Context, pgx.Tx) error) error {
	return translate(s.db.Begin(ctx, patience, fn))
}

// optional is NULL for the zero value.
func optional[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// value is the zero value for NULL.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
