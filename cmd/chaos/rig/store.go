package rig

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"hotfoot/cmd/chaos/proxy"
	"hotfoot/store/private"
)

// store is what Postgres and Redis have in common: a server that can be harmed, and the proxies that lead to it.
type store struct {
	name    string
	start   func(context.Context) (*private.Server, error)
	fail    func(error)
	address proxy.Address

	mu      sync.Mutex
	server  *private.Server
	down    bool
	paused  bool
	proxies []*proxy.Proxy
}

func (s *store) boot(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	server, err := s.start(ctx)
	if err != nil {
		return err
	}
	s.server, s.down, s.paused = server, false, false
	return nil
}

// Kill ends all processes of the server at once, as a power cut would, and refuses connections from then on.
func (s *store) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kill()
}

func (s *store) kill() {
	s.down, s.paused = true, false
	s.server.Kill()
	for _, p := range s.proxies {
		p.Upstream(false)
	}
}

// Pause freezes the server: connections stay open and nothing answers.
func (s *store) Pause() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paused = true
	s.server.Pause()
}

// Resume lets it go on.
func (s *store) Resume() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paused = false
	s.server.Resume()
}

// Restart starts the server on what it had, killing it first if need be, and returns when it answers.
func (s *store) Restart() { s.restart(func() error { return nil }) }

// restart calls prepare while the server is down.
func (s *store) restart(prepare func() error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.down {
		s.kill()
	}
	if err := prepare(); err != nil {
		s.fail(fmt.Errorf("restart %s: %w", s.name, err))
		return
	}
	for _, p := range s.proxies {
		p.Upstream(true)
	}
	if err := s.boot(context.Background()); err != nil {
		s.fail(fmt.Errorf("restart: %w", err))
	}
}

// recover brings the server back if it is down.
func (s *store) recover() {
	s.mu.Lock()
	down, paused := s.down, s.paused
	s.mu.Unlock()
	if down {
		s.Restart()
	}
	if paused {
		s.Resume()
	}
}

// Died reports whether the server has ended by itself.
func (s *store) Died() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return false
	}
	select {
	case <-s.server.Done():
		return true
	default:
		return false
	}
}

// through makes a proxy to the server in a folder of the node's own.
func (s *store) through(dir, node, socket string) (*proxy.Proxy, string, error) {
	folder := filepath.Join(dir, node+"-"+s.name)
	if err := os.Mkdir(folder, 0o700); err != nil {
		return nil, "", err
	}
	p, err := proxy.Listen(proxy.Address{Network: "unix", Name: filepath.Join(folder, socket)}, s.address)
	if err != nil {
		return nil, "", err
	}
	s.proxies = append(s.proxies, p)
	return p, folder, nil
}

func (s *store) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.server != nil {
		s.server.Kill()
	}
}
