//go:build linux

package layer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	"hotfoot/tracking"
	"hotfoot/tracking/api"
	"hotfoot/tracking/frame"
)

// Assemble reads what a snapshot is made of: the record, and the courier's newest fix where it matters, nil for none. Errors: CodeNotFound, and
// whatever the layer says.
type Assemble func(ctx context.Context, delivery tracking.ID) (tracking.Record, *tracking.Position, error)

// Server answers snapshots.
type Server struct{ http *http.Server }

func newServer(handler http.Handler) *Server {
	return &Server{&http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}}
}

// New makes a server for links that are sealed with this secret. The caller must call Run.
func New(secret string, assemble Assemble, log *slog.Logger) (*Server, error) {
	linker, err := tracking.NewLinker([]byte(secret))
	if err != nil {
		return nil, fmt.Errorf("layer: %w", err)
	}
	engine := api.NewEngine(prometheus.NewRegistry(), log)
	engine.GET("/v1/track/:token", (&customers{linker, assemble}).track)
	return newServer(engine), nil
}

// Run serves until ctx ends.
func (s *Server) Run(ctx context.Context, listener net.Listener) error {
	defer context.AfterFunc(ctx, func() { _ = s.http.Close() })()
	if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("layer: %w", err)
	}
	return nil
}

// customers are asked what they see as Hotfoot asks.
type customers struct {
	linker   *tracking.Linker
	assemble Assemble
}

func (s *customers) track(c *gin.Context) {
	delivery, generation, err := s.linker.Open(c.Param("token"))
	if err != nil {
		c.Status(http.StatusNotFound)
		return
	}
	record, newest, err := s.assemble(c.Request.Context(), delivery)
	now := time.Now()
	switch {
	case tracking.CodeOf(err) == tracking.CodeNotFound, err == nil && !record.Opens(generation, tracking.LinkLife, now):
		c.Status(http.StatusNotFound)
		return
	case err != nil:
		c.String(http.StatusInternalServerError, "%v", err)
		return
	}
	c.Header("Cache-Control", "no-store")
	c.Header("Referrer-Policy", "no-referrer")
	c.Header("Content-Type", "application/json")
	_ = frame.WriteSnapshot(c.Writer, tracking.See(&record, newest, now), true, now.Truncate(time.Millisecond))
}
