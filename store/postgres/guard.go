package postgres

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"hotfoot/tracking"
)

// guarded is the pool as the store uses it: nobody asks a server that is known to be away, nobody waits for one without end, and whoever gets no
// answer says so to the breaker.
type guarded struct {
	pool    *pgxpool.Pool
	breaker *tracking.Breaker
	refused atomic.Int64 // when the server last had no connection for us, Unix nanoseconds
	emptied atomic.Int64 // when the pool was last emptied, Unix nanoseconds
}

const (
	// patience bounds one statement or transaction of callers who did not bound it themselves: without it a black hole would hold them for as
	// long as TCP repeats itself, a quarter of an hour.
	patience = 5 * time.Second
	// backOff is how long a server that has no more connections is not asked for another.
	backOff = 250 * time.Millisecond
	// emptyEvery is how often the pool may be emptied.
	emptyEvery = time.Second
)

var errFull = errors.New("the server has no connection left for this node; raise its max_connections")

// querier is what a transaction and the guarded pool have in common.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// Query is the pool's; the rows' errors are heard when they are closed.
func (g *guarded) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if err := g.allow(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	rows, err := g.pool.Query(ctx, sql, args...)
	if err != nil {
		defer cancel()
		return nil, g.heard(ctx, err)
	}
	return &guardedRows{Rows: rows, hear: func(err error) error {
		defer cancel()
		return g.heard(ctx, err)
	}}, nil
}

// QueryRow is the pool's.
func (g *guarded) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	return guardedRow(func(targets []any) error {
		if err := g.allow(); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		return g.heard(ctx, g.pool.QueryRow(ctx, sql, args...).Scan(targets...))
	})
}

// Exec is the pool's.
func (g *guarded) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	if err := g.allow(); err != nil {
		return pgconn.CommandTag{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tag, err := g.pool.Exec(ctx, sql, args...)
	return tag, g.heard(ctx, err)
}

// Begin runs fn in a transaction, committed when it answers nil, within a limit.
func (g *guarded) Begin(ctx context.Context, limit time.Duration, fn func(context.Context, pgx.Tx) error) error {
	if err := g.allow(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return g.heard(ctx, pgx.BeginFunc(ctx, g.pool, func(tx pgx.Tx) error { return fn(ctx, tx) }))
}

func (g *guarded) allow() error {
	if err := g.breaker.Allow(); err != nil {
		return err
	}
	// What is open already still serves; one more attempt a request would only keep the server busy refusing.
	if !passed(&g.refused, backOff) && g.pool.Stat().IdleConns() == 0 {
		return tracking.Unavailable("Postgres", errFull)
	}
	return nil
}

// heard looks at what became of a use of the pool; the context must not have been ended by ourselves yet.
func (g *guarded) heard(ctx context.Context, err error) error {
	if err == nil {
		// A commit that waits for a standby answers "committed" when it is told to stop waiting, although the standby may not have it. So what
		// succeeds after its time has not succeeded: whoever asked asks again, which is safe.
		return ctx.Err()
	}
	var own *tracking.Error
	if errors.As(err, &own) || errors.Is(err, pgx.ErrNoRows) || errors.Is(ctx.Err(), context.Canceled) {
		return err
	}
	if !answers(err) {
		g.breaker.Doubt()
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch pg.Code {
		case tooManyConnections:
			g.refused.Store(time.Now().UnixNano())
		case readOnly:
			// These connections lead to a server that is no longer the primary, and would for an hour: new ones find the one that is.
			if passed(&g.emptied, emptyEvery) {
				g.emptied.Store(time.Now().UnixNano())
				g.pool.Reset()
			}
		}
	}
	return err
}

func passed(since *atomic.Int64, d time.Duration) bool {
	return time.Since(time.Unix(0, since.Load())) >= d
}

// guardedRow asks when it is scanned: until then nothing needs a bound.
type guardedRow func(targets []any) error

// Scan implements pgx.Row.
func (r guardedRow) Scan(targets ...any) error { return r(targets) }

// guardedRows hear how they end, once.
type guardedRows struct {
	pgx.Rows
	hear func(error) error
	err  error
}

// Next implements pgx.Rows.
func (r *guardedRows) Next() bool {
	if r.Rows.Next() {
		return true
	}
	r.Close()
	return false
}

// Close implements pgx.Rows.
func (r *guardedRows) Close() {
	r.Rows.Close()
	if r.hear != nil {
		r.err = r.hear(r.Rows.Err())
		r.hear = nil
	}
}

// Err implements pgx.Rows.
func (r *guardedRows) Err() error {
	if r.hear != nil {
		return r.Rows.Err()
	}
	return r.err
}
