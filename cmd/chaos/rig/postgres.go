package rig

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"hotfoot/cmd/chaos/proxy"
	"hotfoot/store/private"
)

// Postgres is the rig's truth.
type Postgres struct {
	store
	// Pool goes to the server directly, past all proxies. Its connections do not survive the server.
	Pool *pgxpool.Pool
	url  *url.URL
}

const postgresSocket = ".s.PGSQL.5432"

func startPostgres(ctx context.Context, dir string, fail func(error)) (*Postgres, error) {
	p := &Postgres{store: store{name: "postgres", fail: fail}}
	p.start = func(ctx context.Context) (*private.Server, error) {
		return private.StartPostgres(ctx, private.Config{Dir: dir})
	}
	if err := p.boot(ctx); err != nil {
		return nil, err
	}
	var err error
	if p.url, err = url.Parse(p.server.URL()); err != nil {
		return p, err
	}
	p.address = proxy.Address{Network: "unix", Name: filepath.Join(p.url.Query().Get("host"), postgresSocket)}
	config, err := pgxpool.ParseConfig(p.server.URL())
	if err != nil {
		return p, err
	}
	// Servers come and go under this pool; a statement prepared on one must not be expected on the next.
	config.MaxConns, config.ConnConfig.DefaultQueryExecMode = 4, pgx.QueryExecModeExec
	p.Pool, err = pgxpool.NewWithConfig(ctx, config)
	return p, err
}

// through answers a way to the server and the DATABASE_URL that takes it.
func (p *Postgres) through(dir, node string) (*proxy.Proxy, string, error) {
	way, folder, err := p.store.through(dir, node, postgresSocket)
	if err != nil {
		return nil, "", err
	}
	u := *p.url
	query := u.Query()
	query.Set("host", folder)
	u.RawQuery = query.Encode()
	return way, u.String(), nil
}

// Exec runs a statement as the superuser, for faults that Postgres can do to itself.
func (p *Postgres) Exec(ctx context.Context, statement string, args ...any) {
	if _, err := p.Pool.Exec(ctx, statement, args...); err != nil {
		p.fail(fmt.Errorf("postgres: %s: %w", statement, err))
	}
}

func (p *Postgres) close() {
	if p.Pool != nil {
		p.Pool.Close()
	}
	p.store.close()
}
