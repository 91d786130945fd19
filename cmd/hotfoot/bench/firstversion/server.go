//go:build linux

package firstversion

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/gorilla/websocket"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"
)

// Server is the whole thing.
type Server struct {
	db       *pgxpool.Pool
	redis    *redis.Client
	upgrader websocket.Upgrader
	http     *http.Server
	ctx      context.Context // of the sockets
	stop     context.CancelFunc
}

const createTableSQL = `
CREATE TABLE IF NOT EXISTS first_version_positions (
    courier_id  text NOT NULL,
    recorded_at timestamptz NOT NULL,
    lat         double precision NOT NULL,
    lon         double precision NOT NULL,
    accuracy_m  double precision,
    speed_mps   double precision,
    heading_deg double precision,
    battery     double precision,
    PRIMARY KEY (courier_id, recorded_at)
)`

// New connects to both stores and makes the table. The caller must call Run or Close.
func New(ctx context.Context, databaseURL, redisURL string) (*Server, error) {
	options, err := redis.ParseURL(redisURL)
	if err != nil {
		return nil, fmt.Errorf("first version: %w", err)
	}
	config, err := pgxpool.ParseConfig(databaseURL)
	if err != nil {
		return nil, fmt.Errorf("first version: %w", err)
	}
	// As many as it is measured with: the default of four would be the bottleneck of everything.
	config.MaxConns = 64
	db, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("first version: %w", err)
	}
	if _, err := db.Exec(ctx, createTableSQL); err != nil {
		db.Close()
		return nil, fmt.Errorf("first version: %w", err)
	}
	s := &Server{db: db, redis: redis.NewClient(options)}
	s.ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.Use(gin.Recovery())
	engine.POST("/positions", s.report)
	engine.GET("/watch/:id", s.watch)
	engine.GET("/metrics", func(c *gin.Context) { c.String(http.StatusOK, "go_goroutines %d\n", runtime.NumGoroutine()) })
	s.http = &http.Server{Handler: engine, ReadHeaderTimeout: 5 * time.Second}
	return s, nil
}

// Run serves until ctx ends.
func (s *Server) Run(ctx context.Context, listener net.Listener) error {
	defer s.Close()
	defer context.AfterFunc(ctx, func() { _ = s.http.Close() })()
	if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("first version: %w", err)
	}
	return nil
}

// Close ends the sockets and lets go of the stores.
func (s *Server) Close() {
	s.stop()
	_ = s.redis.Close()
	s.db.Close()
}
