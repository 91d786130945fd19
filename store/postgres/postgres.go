// Package postgres is the truth: merchants, couriers, deliveries and their events, and the track of every courier.
//
//	tracking.Ledger, Outbox ──> delivery.go, event.go, route.go     one transaction a decision, under row locks
//	tracking.Staff ──────────> courier.go, key.go
//	tracking.Track ──────────> history.go                           batches, idempotent
//
// Guarantees. What a method that changes something returned without an error is committed, with synchronous_commit on. Locks are taken in
// one order everywhere: couriers by id, then deliveries. Errors are tracking.Error, told apart by SQLSTATE and constraint name.
//
// Each query is a constant above the method that runs it; a test prepares all of them against the migrated schema.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"

	"hotfoot/tracking"
)

// Store answers every port that the truth stands behind.
type Store struct {
	pool *pgxpool.Pool
}

// New makes a Store over a pool; closing the pool stays the caller's.
func New(pool *pgxpool.Pool) *Store { return &Store{pool: pool} }

// Connect opens a pool with the settings that our promises need and checks that the server is there and has them. The error says what to change.
func Connect(ctx context.Context, url string, maxConns int32) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("DATABASE_URL: %w", err)
	}
	config.MaxConns = maxConns
	config.ConnConfig.ConnectTimeout = 2 * time.Second
	params := config.ConnConfig.RuntimeParams
	params["application_name"] = "hotfoot"
	params["synchronous_commit"] = "on"
	// The server gives up before our own deadlines do, so that a slow statement ends there too and does not linger.
	params["statement_timeout"] = "10000"
	params["lock_timeout"] = "3000"
	params["idle_in_transaction_session_timeout"] = "10000"
	params["timezone"] = "UTC"
	// A request that gives up asks the server to stop, instead of closing the connection under its feet and opening another.
	config.ConnConfig.BuildContextWatcherHandler = func(c *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: c, CancelRequestDelay: 50 * time.Millisecond, DeadlineDelay: 200 * time.Millisecond}
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connecting to Postgres: %w", err)
	}
	if err := check(ctx, pool); err != nil {
		pool.Close()
		return nil, err
	}
	return pool, nil
}

const settingsSQL = `SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit')`

// check refuses a server that would forget what it said it had stored.
func check(ctx context.Context, pool *pgxpool.Pool) error {
	rows, err := pool.Query(ctx, settingsSQL)
	if err != nil {
		return fmt.Errorf("asking Postgres for its settings: %w", err)
	}
	var name, value string
	_, err = pgx.ForEachRow(rows, []any{&name, &value}, func() error {
		if value == "off" {
			return fmt.Errorf("postgres runs with %s=off, so a power cut would lose acknowledged changes; set %s=on", name, name)
		}
		return nil
	})
	return err
}

// within runs fn in a transaction, committed when it answers nil.
func (s *Store) within(ctx context.Context, fn func(pgx.Tx) error) error {
	return translate(pgx.BeginFunc(ctx, s.pool, fn))
}

// translate turns what Postgres and pgx say into the domain's errors. Errors that are the domain's own pass as they are.
func translate(err error) error {
	if err == nil {
		return nil
	}
	var own *tracking.Error
	if errors.As(err, &own) {
		return own
	}
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		if errors.Is(err, pgx.ErrNoRows) {
			return tracking.Errorf(tracking.CodeNotFound, "not found")
		}
		// Everything else that pgx reports is about reaching the server: dialling, deadlines, a connection that broke.
		return tracking.Unavailable("Postgres", err)
	}
	switch class := pg.Code[:2]; {
	case pg.Code == "23505":
		return conflict(pg)
	case pg.Code == "23503":
		return tracking.Errorf(tracking.CodeNotFound, "something that this refers to does not exist")
	case class == "22" || class == "23":
		return &tracking.Error{Code: tracking.CodeInvalid, Message: "a value breaks the rule " + rule(pg), Err: err}
	case class == "08" || class == "53" || class == "57" || class == "58" || class == "40" || class == "55" || class == "25" || class == "XX":
		return tracking.Unavailable("Postgres", err)
	}
	return err
}

func rule(pg *pgconn.PgError) string {
	if pg.ConstraintName != "" {
		return strings.ReplaceAll(pg.ConstraintName, "_", " ")
	}
	return "of its type"
}

func conflict(pg *pgconn.PgError) error {
	switch pg.ConstraintName {
	case "deliveries_external_id":
		return &tracking.Error{
			Code: tracking.CodeConflict, Message: "a delivery with this external_id exists", Err: pg,
			Fields: []tracking.FieldError{{Path: "external_id", Message: "is taken"}},
		}
	case "merchants_name":
		return &tracking.Error{Code: tracking.CodeConflict, Message: "a merchant with this name exists", Err: pg}
	}
	return &tracking.Error{Code: tracking.CodeConflict, Message: "it exists already", Err: pg}
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
