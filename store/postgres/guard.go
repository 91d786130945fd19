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
	var rows *guardedRows
	err := g.replanned(func() error {
		if err := g.allow(); err != nil {
			return err
		}
		ctx, cancel := g.bound(ctx, patience)
		asked, err := g.pool.Query(ctx, sql, args...)
		if err != nil {
			defer cancel()
			return g.heard(ctx, err)
		}
		rows = &guardedRows{Rows: asked, hear: func(err error) error {
			defer cancel()
			return g.heard(ctx, err)
		}}
		return rows.peek()
	})
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// QueryRow is the pool's.
func (g *guarded) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	return guardedRow(func(targets []any) error {
		return g.within(ctx, patience, func(ctx context.Context) error { return g.pool.QueryRow(ctx, sql, args...).Scan(targets...) })
	})
}

// Exec is the pool's.
func (g *guarded) Exec(ctx context.Context, sql string, args ...any) (tag pgconn.CommandTag, err error) {
	err = g.within(ctx, patience, func(ctx context.Context) (err error) {
		tag, err = g.pool.Exec(ctx, sql, args...)
		return err
	})
	return tag, err
}

// Begin runs fn in a transaction, committed when it answers nil, within a limit. It may run fn a second time when the first had no effect.
func (g *guarded) Begin(ctx context.Context, limit time.Duration, fn func(context.Context, pgx.Tx) error) error {
	return g.within(ctx, limit, func(ctx context.Context) error {
		return pgx.BeginTxFunc(ctx, g.pool, begin(tracking.AuthorOf(ctx)), func(tx pgx.Tx) error { return fn(ctx, tx) })
	})
}

// begin has a transaction say whose it is, for the triggers that write the audit log, in the round trip that it takes to begin. Nothing in it comes from
// outside: a role is one of ours, and an id hexadecimal.
func begin(author tracking.Author) pgx.TxOptions {
	id := ""
	if !author.ID.IsZero() {
		id = author.ID.String()
	}
	return pgx.TxOptions{BeginQuery: "begin; set local hotfoot.actor = '" + string(author.Kind) + ":" + id + "'"}
}

// Send runs statements as one transaction in one round trip, within a limit: what is between two Syncs is one without being told, and committed by the
// second. queue fills the batch, and reads what the statements answer in functions that it leaves there; it may be called a second time when the
// first had no effect. Without an error all of it is committed.
func (g *guarded) Send(ctx context.Context, limit time.Duration, queue func(*pgx.Batch)) error {
	return g.within(ctx, limit, func(ctx context.Context) error {
		var batch pgx.Batch
		queue(&batch)
		return g.pool.SendBatch(ctx, &batch).Close()
	})
}

// within makes use of the pool within a limit.
func (g *guarded) within(ctx context.Context, limit time.Duration, use func(context.Context) error) error {
	ctx, cancel := g.bound(ctx, limit)
	defer cancel()
	return g.replanned(func() error {
		if err := g.allow(); err != nil {
			return err
		}
		return g.heard(ctx, use(ctx))
	})
}

// bound is a context for one use: it ends when its time is over, or when the server is found to be away.
func (g *guarded) bound(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	reaching, unbound := g.breaker.Bound(ctx)
	limited, cancel := context.WithTimeout(reaching, limit)
	return limited, func() {
		cancel()
		unbound()
	}
}

// replanned makes use of the pool, and once more when that met a connection which had prepared its statements before a migration changed what
// they answer. Postgres refuses each of them, on each connection; new connections have prepared nothing.
func (g *guarded) replanned(use func() error) error {
	began := time.Now().UnixNano()
	err := use()
	var pg *pgconn.PgError
	if !errors.As(err, &pg) || pg.Code != changedPlan {
		return err
	}
	if emptied := g.emptied.Load(); emptied < began && g.emptied.CompareAndSwap(emptied, time.Now().UnixNano()) {
		g.pool.Reset()
	}
	return use()
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
		return context.Cause(ctx)
	}
	if errors.Is(context.Cause(ctx), tracking.ErrOpen) {
		return context.Cause(ctx)
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
	hear   func(error) error
	err    error
	peeked bool // the first row is there and was not asked for yet
}

// peek waits for the first row: the server's refusal of a statement comes in its place.
func (r *guardedRows) peek() error {
	r.peeked = r.Next()
	return r.Err()
}

// Next implements pgx.Rows.
func (r *guardedRows) Next() bool {
	if r.peeked {
		r.peeked = false
		return true
	}
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
