package postgres

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Pinger asks whether a server answers, on a connection of its own: a pool whose connections are all busy, or a server that has none to spare,
// must not look like one that is away. It is safe for concurrent use; questions wait for each other.
type Pinger struct {
	config *pgconn.Config
	mu     sync.Mutex
	conn   *pgconn.PgConn // nil before the first question and after it broke
}

// NewPinger makes a Pinger for DATABASE_URL; it does not wait for the server. The error says what is wrong with the address.
func NewPinger(url string) (*Pinger, error) {
	// The pool's own parser, since an address may hold settings of the pool, which a server would refuse.
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("DATABASE_URL: %w", err)
	}
	connection := &config.ConnConfig.Config
	connection.RuntimeParams["application_name"] = "hotfoot breaker"
	return &Pinger{config: connection}, nil
}

// Ping answers nil when the server answered, whatever it said, unless it said that it is starting or stopping. It waits no longer than ctx.
func (p *Pinger) Ping(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conn != nil {
		err := p.conn.Ping(ctx)
		if err == nil {
			return nil
		}
		_ = p.conn.Close(ctx)
		p.conn = nil
		if ctx.Err() != nil {
			return err
		}
		// It broke, and that may be its own misfortune: a server that was restarted answers a new one.
	}
	conn, err := pgconn.ConnectConfig(ctx, p.config)
	switch {
	case err == nil:
		p.conn = conn
		return nil
	case answers(err):
		return nil
	}
	return err
}

// Close lets go of the connection.
func (p *Pinger) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = p.conn.Close(ctx)
	p.conn = nil
}
