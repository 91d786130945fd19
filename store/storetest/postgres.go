package storetest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"hotfoot/store/private"
	"hotfoot/store/storetest/scratch"
)

// patience bounds every step here. A step takes milliseconds, except under -race on a busy machine.
const patience = time.Minute

// Postgres opens a pool on a new database with the whole schema and no rows. The pool's ConnString is its URL.
func Postgres(t testing.TB) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), PostgresURL(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// PostgresURL makes a new database with the whole schema and no rows.
func PostgresURL(t testing.TB) string {
	t.Helper()
	if !mainRuns {
		t.Fatal("this package needs: func TestMain(m *testing.M) { storetest.Main(m) }")
	}
	c, err := shared.get()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	database, err := c.clone(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := c.drop(ctx, database); err != nil {
			t.Error(err)
		}
	})
	return c.url(database)
}

// PostgresAs opens another pool on a pool's database, as a role that is made if there is none, and given what it needs by grant.
func PostgresAs(t testing.TB, owner *pgxpool.Pool, role string, grant func(ctx context.Context, role string) error) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), URLAs(t, owner, role, grant))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// URLAs is a pool's database for a role that is made if there is none, and given what it needs by grant.
func URLAs(t testing.TB, owner *pgxpool.Pool, role string, grant func(ctx context.Context, role string) error) string {
	t.Helper()
	// Roles are the server's: another test may be making it.
	const make = `DO $$ BEGIN CREATE ROLE %s; EXCEPTION WHEN duplicate_object OR unique_violation THEN END $$`
	if _, err := owner.Exec(t.Context(), fmt.Sprintf(make, role)); err != nil {
		t.Fatal(err)
	}
	if err := grant(t.Context(), role); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(owner.Config().ConnString())
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("role", role)
	u.RawQuery = q.Encode()
	return u.String()
}

// shared is the process's one server.
var shared lazyCluster

type lazyCluster struct {
	once sync.Once
	c    *cluster
	err  error
}

func (l *lazyCluster) get() (*cluster, error) {
	l.once.Do(func() { l.c, l.err = startCluster() })
	return l.c, l.err
}

func (l *lazyCluster) close() error {
	if l.c == nil {
		return nil
	}
	return l.c.close()
}

// cluster is a private server whose own database is migrated and then never opened again: Postgres copies a database only while
// nobody is in it.
type cluster struct {
	dir    string
	server *private.Server
	admin  *pgxpool.Pool
	made   atomic.Int64
}

func startCluster() (_ *cluster, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c := &cluster{}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.close())
		}
	}()
	if c.dir, err = scratch.Make(); err != nil {
		return nil, err
	}
	if c.server, err = private.StartPostgres(ctx, private.Config{Dir: c.dir}); err != nil {
		return nil, err
	}
	if err = migrate(ctx, c.server.URL()); err != nil {
		return nil, err
	}
	if c.admin, err = pgxpool.New(ctx, c.url("postgres")); err != nil {
		return nil, err
	}
	return c, c.limitLog(ctx)
}

// limitLog keeps the write-ahead log, to which every clone adds some megabytes, from filling the memory it may lie in.
func (c *cluster) limitLog(ctx context.Context) error {
	for _, statement := range []string{"ALTER SYSTEM SET max_wal_size = '256MB'", "SELECT pg_reload_conf()"} {
		if _, err := c.admin.Exec(ctx, statement); err != nil {
			return fmt.Errorf("limit the write-ahead log: %w", err)
		}
	}
	return nil
}

func (c *cluster) url(database string) string {
	u, err := url.Parse(c.server.URL())
	if err != nil {
		panic(err) // package private promises a URL
	}
	u.Path = "/" + database
	return u.String()
}

func (c *cluster) clone(ctx context.Context) (string, error) {
	database := fmt.Sprintf("test_%d", c.made.Add(1))
	if _, err := c.admin.Exec(ctx, fmt.Sprintf("CREATE DATABASE %s TEMPLATE hotfoot", database)); err != nil {
		return "", fmt.Errorf("clone the database: %w", err)
	}
	return database, nil
}

// drop takes FORCE, because a test may have left a connection on purpose.
func (c *cluster) drop(ctx context.Context, database string) error {
	if _, err := c.admin.Exec(ctx, fmt.Sprintf("DROP DATABASE %s WITH (FORCE)", database)); err != nil {
		return fmt.Errorf("drop the database: %w", err)
	}
	return nil
}

// close stops the server in order, although its data is thrown away: the processes of a killed one become zombies wherever the
// first process of a container does not reap.
func (c *cluster) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var stopped error
	if c.admin != nil {
		c.admin.Close()
	}
	if c.server != nil {
		stopped = c.server.Stop(ctx)
	}
	return errors.Join(stopped, os.RemoveAll(c.dir))
}
