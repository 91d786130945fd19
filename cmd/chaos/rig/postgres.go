package rig

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"

	"github.com/jackc/pgx/v5/pgxpool"

	"hotfoot/cmd/chaos/proxy"
	"hotfoot/store/private"
)

// Postgres is the rig's truth.
type Postgres struct {
	store
	// Pool goes to the server directly, past all proxies. Its connections do not survive the server; after a failover it is another one.
	Pool *pgxpool.Pool
	url  *url.URL

	dir       string // of the present server
	home      string // where the folders of copies begin
	arguments []string

	copies  int
	standby *Aside // nil while there is none
	backup  string // the folder of the newest; "" for none
}

const postgresSocket = ".s.PGSQL.5432"

func startPostgres(ctx context.Context, dir string, config PostgresConfig, fail func(error)) (*Postgres, error) {
	p := &Postgres{store: store{name: "postgres", fail: fail}, dir: dir, home: filepath.Join(dir, "copy"), arguments: config.Arguments}
	p.start = func(ctx context.Context) (*private.Server, error) {
		return private.StartPostgres(ctx, private.Config{Dir: p.dir, Arguments: p.arguments})
	}
	if err := p.boot(ctx); err != nil {
		return nil, err
	}
	return p, p.reach()
}

// reach has the pool, and ways to be made, go to the server that there is.
func (p *Postgres) reach() error {
	var err error
	if p.url, err = url.Parse(p.server.URL()); err != nil {
		return err
	}
	p.address = proxy.Address{Network: "unix", Name: filepath.Join(p.url.Query().Get("host"), postgresSocket)}
	if p.Pool != nil {
		p.Pool.Close()
	}
	p.Pool, err = connect(p.server.URL())
	return err
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
	if p.standby != nil {
		p.standby.Close()
	}
	p.store.close()
}
