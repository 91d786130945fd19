//go:build linux

package rig

import (
	"context"
	"fmt"
	"strconv"
	"syscall"

	"hotfoot/cmd/hotfoot/bench/viewers"
)

// System is one of those that are measured beside each other.
type System string

// The systems.
const (
	Bare         System = "bare"
	FirstVersion System = "first version"
	Hotfoot      System = "hotfoot"
	// Naive and Uncached answer snapshots from Postgres, with a statement for each part or one for all; Hash answers them from Redis alone; Watched is
	// a node with a gateway, where somebody watches them.
	Naive    System = "naive"
	Uncached System = "uncached"
	Hash     System = "Redis alone"
	Watched  System = "hotfoot, watched"
	// Crowd answers all who ask at the same time from one statement, by net/http alone.
	Crowd System = "net/http alone"
)

// Systems are those that have sockets, in the order in which they take turns.
var Systems = []System{Bare, FirstVersion, Hotfoot}

// spare is how many files a process has open beside its sockets.
const spare = 500

// Fits says how many sockets a server of this system can have, as the limit of open files stands.
func (s System) Fits(sockets int) int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return sockets
	}
	// The Go runtime raises the limit as far as it goes, here and in the children.
	most := int(min(limit.Max, 1<<30)) - spare
	if s == FirstVersion {
		most = min(most/2, 9_500) // a connection to Redis for each socket, and Redis takes 10,000 clients
	}
	return min(sockets, most)
}

// Server is the process of a system that has the sockets.
type Server struct {
	*Process
	System System

	rig *Rig
}

// Start runs a fresh server of a system and waits until it serves.
func (r *Rig) Start(ctx context.Context, system System) (*Server, error) {
	s := &Server{System: system, rig: r}
	var err error
	switch system {
	case Bare:
		s.Process, err = r.start(ctx, "bench", "serve-bare")
	case FirstVersion:
		s.Process, err = r.start(ctx, "bench", "serve-first-version")
	case Hotfoot:
		s.Process, err = r.Serve(ctx, "gateway")
	}
	return s, err
}

// StartReader runs a fresh server of a system that answers snapshots, and waits until it serves.
func (r *Rig) StartReader(ctx context.Context, system System) (*Process, error) {
	switch system {
	case Naive:
		return r.start(ctx, "bench", "serve-naive")
	case Uncached:
		return r.start(ctx, "bench", "serve-uncached")
	case Crowd:
		return r.start(ctx, "bench", "serve-crowd")
	case Hash:
		return r.start(ctx, "bench", "serve-hash")
	case Watched:
		return r.Serve(ctx, "api,gateway")
	default:
		return r.Serve(ctx, "api")
	}
}

// Target is what a viewer of a topic, a number in the fleet, asks for; one who comes back has seen everything so far.
func (s *Server) Target(topic int, again bool) viewers.Target {
	switch c := s.rig.Fleet[topic]; s.System {
	case Bare:
		return viewers.Target{Path: "/" + strconv.Itoa(topic)}
	case FirstVersion:
		return viewers.Target{Path: "/watch/" + c.ID.String()}
	default:
		return viewers.Target{Path: trackPath(c.Token, again)}
	}
}

func trackPath(token string, again bool) string {
	path := fmt.Sprintf("/v1/track/%s/live", token)
	if again {
		path += "?since=1.4"
	}
	return path
}

// Targets are the viewers of so many topics, with so many for each; neighbours watch different ones.
func (s *Server) Targets(topics, each int, again bool) []viewers.Target {
	targets := make([]viewers.Target, 0, topics*each)
	for i := range topics * each {
		targets = append(targets, s.Target(i%topics, again))
	}
	return targets
}

// Parts are the processes that updates go through: the server and, unless it is bare, Redis.
func (s *Server) Parts() []Part {
	parts := []Part{s.Part("server")}
	if s.System != Bare {
		parts = append(parts, s.rig.Redis())
	}
	return parts
}
