package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Connect makes a pool for DATABASE_URL with the settings that our promises need. It does not wait for the server. The error says what is wrong
// with the address.
func Connect(url string, maxConns int32) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("DATABASE_URL: %w", err)
	}
	config.MaxConns = maxConns
	// Connections that were made together after an outage must not all end together an hour later.
	config.MaxConnLifetimeJitter = 10 * time.Minute
	// The pool tries an idle connection before it hands it out; behind a black hole each would cost all of the caller's time.
	config.PingTimeout = 500 * time.Millisecond
	config.ConnConfig.ConnectTimeout = 2 * time.Second
	params := config.ConnConfig.RuntimeParams
	params["application_name"] = "hotfoot"
	params["synchronous_commit"] = "on"
	// A moment after our own deadlines, which the server is told of: this ends what it could not be told of. Not before them, since it would
	// also end a commit's wait for a standby, and call it committed.
	params["statement_timeout"] = strconv.FormatInt((patience + time.Second).Milliseconds(), 10)
	params["lock_timeout"] = "2000"
	params["idle_in_transaction_session_timeout"] = "10000"
	params["timezone"] = "UTC"
	// A request that gives up asks the server to stop, instead of closing the connection under its feet and opening another.
	config.ConnConfig.BuildContextWatcherHandler = func(c *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: c, CancelRequestDelay: 50 * time.Millisecond, DeadlineDelay: 200 * time.Millisecond}
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		return nil, fmt.Errorf("DATABASE_URL: %w", err)
	}
	return pool, nil
}

var (
	// ErrUnsafe says that a server answers, but may forget what it said it had stored.
	ErrUnsafe = errors.New("postgres is not set up to keep what it is given")
	// ErrTooOld says that a server answers, but cannot hold our schema.
	ErrTooOld = errors.New("postgres is too old")
)

// oldest is the first version that has multiranges, which sessions are kept in.
const oldest = 140000

const settingsSQL = `
SELECT name, setting FROM pg_settings WHERE name IN ('server_version_num', 'server_version', 'fsync', 'full_page_writes', 'synchronous_commit')`

// CheckSettings refuses a server that would not keep what it is given, with ErrUnsafe, or that cannot hold it, with ErrTooOld; the error says what to
// change. Any other error means that it could not be asked. db is a pool, a connection or a transaction.
func CheckSettings(ctx context.Context, db querier) error {
	settings := map[string]string{}
	rows, err := db.Query(ctx, settingsSQL)
	if err == nil {
		var name, value string
		_, err = pgx.ForEachRow(rows, []any{&name, &value}, func() error {
			settings[name] = value
			return nil
		})
	}
	if err != nil {
		return fmt.Errorf("asking Postgres for its settings: %w", err)
	}
	return judge(settings)
}

func judge(settings map[string]string) error {
	if version, _ := strconv.Atoi(settings["server_version_num"]); version < oldest {
		return &Flaw{ErrTooOld, fmt.Sprintf("it is version %s", settings["server_version"]), "use 14 or newer"}
	}
	var off []string
	for _, name := range []string{"fsync", "full_page_writes", "synchronous_commit"} {
		if settings[name] == "off" {
			off = append(off, name)
		}
	}
	if len(off) > 0 {
		return &Flaw{
			ErrUnsafe, fmt.Sprintf("a power cut would lose acknowledged changes (%s=off)", strings.Join(off, "=off, ")),
			fmt.Sprintf("set %s=on", strings.Join(off, "=on and ")),
		}
	}
	return nil
}

// Flaw is what is wrong with a server. It is an ErrUnsafe or an ErrTooOld.
type Flaw struct {
	kind       error
	Found, Fix string // what it is and what comes of it; what to do, in words
}

// Error implements error.
func (f *Flaw) Error() string { return fmt.Sprintf("%v: %s; %s", f.kind, f.Found, f.Fix) }

// Unwrap is what kind of flaw it is.
func (f *Flaw) Unwrap() error { return f.kind }
