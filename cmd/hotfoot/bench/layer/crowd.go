//go:build linux

package layer

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"hotfoot/tracking"
	"hotfoot/tracking/frame"
)

// NewCrowd makes the least that withstands a stampede, for links that are sealed with this secret: net/http with nothing on it, one reading for all who ask
// while it is under way, and the same bytes for each of them. What it takes to answer a thousand at once is what net/http takes. The caller must call Run.
func NewCrowd(secret string, assemble Assemble) (*Server, error) {
	linker, err := tracking.NewLinker([]byte(secret))
	if err != nil {
		return nil, fmt.Errorf("layer: %w", err)
	}
	c := &crowd{linker: linker, assemble: assemble, waiting: map[tracking.ID]*reading{}}
	return newServer(c), nil
}

type crowd struct {
	linker   *tracking.Linker
	assemble Assemble

	mu      sync.Mutex
	waiting map[tracking.ID]*reading
}

// reading is a snapshot that is being read; body, nil for none, may be read once done is closed.
type reading struct {
	done chan struct{}
	body []byte
}

func (c *crowd) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	delivery, _, err := c.linker.Open(strings.TrimPrefix(r.URL.Path, "/v1/track/"))
	if err != nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	body := c.read(r.Context(), delivery)
	if body == nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body)
}

func (c *crowd) read(ctx context.Context, delivery tracking.ID) []byte {
	c.mu.Lock()
	shared := c.waiting[delivery]
	if shared != nil {
		c.mu.Unlock()
		<-shared.done
		return shared.body
	}
	shared = &reading{done: make(chan struct{})}
	c.waiting[delivery] = shared
	c.mu.Unlock()
	if record, newest, err := c.assemble(ctx, delivery); err == nil {
		now := time.Now()
		shared.body = frame.Snapshot(tracking.See(&record, newest, now), 0, true, now.Truncate(time.Millisecond))
	}
	c.mu.Lock()
	delete(c.waiting, delivery)
	c.mu.Unlock()
	close(shared.done)
	return shared.body
}
