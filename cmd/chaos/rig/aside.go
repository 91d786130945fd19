package rig

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"hotfoot/store/private"
)

// Aside is a Postgres beside the rig's own, to which no node is led: a standby, or one whose time is over.
type Aside struct {
	Pool   *pgxpool.Pool
	server *private.Server
	dir    string
}

func (p *Postgres) startAside(ctx context.Context, dir string) (*Aside, error) {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	server, err := private.StartPostgres(ctx, private.Config{Dir: dir, Arguments: p.arguments})
	if err != nil {
		return nil, err
	}
	pool, err := connect(server.URL())
	if err != nil {
		server.Kill()
		return nil, err
	}
	return &Aside{Pool: pool, server: server, dir: dir}, nil
}

// Close ends it.
func (a *Aside) Close() {
	a.Pool.Close()
	a.server.Kill()
}

// Follow starts a standby, which follows the server without making it wait, and returns when it has what the server had.
func (p *Postgres) Follow(ctx context.Context) {
	if err := p.follow(ctx); err != nil {
		p.fail(fmt.Errorf("postgres standby: %w", err))
	}
}

func (p *Postgres) follow(ctx context.Context) error {
	dir, err := p.copy(ctx, true)
	if err != nil {
		return err
	}
	if p.standby, err = p.startAside(ctx, dir); err != nil {
		return err
	}
	var has string
	if err := p.Pool.QueryRow(ctx, "SELECT pg_current_wal_lsn()::text").Scan(&has); err != nil {
		return err
	}
	return await(ctx, func() (bool, error) {
		var there bool
		err := p.standby.Pool.QueryRow(ctx, "SELECT coalesce(pg_last_wal_replay_lsn() >= $1::pg_lsn, false)", has).Scan(&there)
		return there, err
	})
}

// CutStandby ends the standby's link: from here on it misses what happens.
func (p *Postgres) CutStandby(ctx context.Context) {
	err := execAll(ctx, p.standby.Pool, "ALTER SYSTEM SET primary_conninfo = ''", "SELECT pg_reload_conf()")
	if err == nil {
		err = await(ctx, func() (bool, error) {
			var links int
			err := p.standby.Pool.QueryRow(ctx, "SELECT count(*) FROM pg_stat_wal_receiver").Scan(&links)
			return links == 0, err
		})
	}
	if err != nil {
		p.fail(fmt.Errorf("cut the postgres standby: %w", err))
	}
}

// FailOver kills the server and makes the standby the rig's Postgres. Nodes are refused until Serve. It answers the old server, started aside.
func (p *Postgres) FailOver(ctx context.Context) *Aside {
	p.Kill()
	old, err := p.failOver(ctx)
	if err != nil {
		p.fail(fmt.Errorf("postgres failover: %w", err))
	}
	return old
}

func (p *Postgres) failOver(ctx context.Context) (*Aside, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	old, err := p.startAside(ctx, p.dir)
	if err != nil {
		return nil, err
	}
	if err := execAll(ctx, p.standby.Pool, "SELECT pg_promote()"); err != nil {
		return old, err
	}
	p.standby.Pool.Close()
	p.server, p.dir, p.standby = p.standby.server, p.standby.dir, nil
	return old, p.reach()
}

// BackUp copies the server as it is now.
func (p *Postgres) BackUp(ctx context.Context) {
	var err error
	if p.backup, err = p.copy(ctx, false); err != nil {
		p.fail(err)
	}
}

// Restore kills the server and starts the newest backup in its place. Nodes are refused until Serve. It answers the old server, started aside.
func (p *Postgres) Restore(ctx context.Context) *Aside {
	p.Kill()
	old, err := p.restore(ctx)
	if err != nil {
		p.fail(fmt.Errorf("restore postgres: %w", err))
	}
	return old
}

func (p *Postgres) restore(ctx context.Context) (*Aside, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	// The servers' files go from one place to the other, so that the restored one has the old one's address.
	rename := func(from, to string) error {
		return os.Rename(filepath.Join(from, "postgres"), filepath.Join(to, "postgres"))
	}
	aside := p.backup + "-old"
	if err := os.Mkdir(aside, 0o711); err != nil {
		return nil, err
	}
	if err := errors.Join(rename(p.dir, aside), rename(p.backup, p.dir)); err != nil {
		return nil, err
	}
	old, err := p.startAside(ctx, aside)
	if err != nil {
		return nil, err
	}
	if err := p.boot(ctx); err != nil {
		return old, err
	}
	return old, p.reach()
}

// Serve leads nodes to the server that there is.
func (p *Postgres) Serve() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = false
	for _, way := range p.proxies {
		way.Redirect(p.address)
		way.Upstream(true)
	}
}

// copy copies the running server, into a folder of its own beside its own.
func (p *Postgres) copy(ctx context.Context, standby bool) (dir string, err error) {
	p.copies++
	dir = fmt.Sprintf("%s-%d", p.home, p.copies)
	return dir, private.CopyPostgres(ctx, p.server, private.Config{Dir: dir}, standby)
}

func execAll(ctx context.Context, pool *pgxpool.Pool, statements ...string) error {
	for _, statement := range statements {
		if _, err := pool.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

func await(ctx context.Context, holds func() (bool, error)) error {
	for {
		ok, err := holds()
		if ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// connect makes a pool for a server that may come and go under it: a statement prepared on one must not be expected on the next.
func connect(url string) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	config.MaxConns, config.ConnConfig.DefaultQueryExecMode = 4, pgx.QueryExecModeExec
	return pgxpool.NewWithConfig(context.Background(), config)
}
