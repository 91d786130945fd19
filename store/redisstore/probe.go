package redisstore

import (
	"context"
	"errors"
	"os"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/tracking/key"
)

// Probe asks whether Redis answers, on a connection of its own, which no queue of requests and no breaker stands before.
type Probe struct {
	client redis.UniversalClient
	runs   Runs // as they were when their servers answered last; Ping's alone
	tell   func(Runs)
	timed  func(server string, took time.Duration)
}

// NewProbe makes a Probe of what Connect would connect to. It does not wait for the server.
func NewProbe(url string) (*Probe, error) {
	client, err := connect(url, func(o *redis.Options) {
		tune(o)
		// One question at a time needs one connection. But as many failures as there may be connections, and the client stops dialling for a second
		// at a time, so that it would be the last to notice that a server is back.
		o.PoolSize = 4096
	})
	if err != nil {
		return nil, err
	}
	return &Probe{client: client, tell: func(Runs) {}, timed: func(string, time.Duration) {}}, nil
}

// Tell has somebody told which runs of servers answer, before Ping does. It must be called before Ping is.
func (p *Probe) Tell(tell func(Runs)) { p.tell = tell }

// Timed has somebody told how long each server took to answer Ping, or was waited for in vain. A refused connection says nothing of that, and is
// not told. It must be called before Ping is, and must stand being called by several at once.
func (p *Probe) Timed(tell func(server string, took time.Duration)) { p.timed = tell }

// Ping answers nil when the server answers and can serve; on a cluster, when any master does: what the others hold is unavailable piece by piece.
// One call at a time.
func (p *Probe) Ping(ctx context.Context) error {
	cluster, ok := p.client.(*redis.ClusterClient)
	if !ok {
		run, err := p.ping(ctx, p.client.(*redis.Client))
		if err != nil {
			return err
		}
		for partition := range p.runs {
			p.runs[partition] = run
		}
		p.tell(p.runs)
		return nil
	}
	partitions := map[*redis.Client][]int{}
	for partition := range key.Partitions {
		// From memory: asking who the masters are would hang on the first that does not answer.
		master, err := cluster.MasterForKey(ctx, key.Positions(partition))
		if err != nil {
			return err
		}
		partitions[master] = append(partitions[master], partition)
	}
	type answer struct {
		partitions []int
		run        string
		err        error
	}
	answers := make(chan answer, len(partitions))
	for master, theirs := range partitions {
		go func() {
			run, err := p.ping(ctx, master)
			answers <- answer{theirs, run, err}
		}()
	}
	var failures []error
	for range partitions {
		a := <-answers
		failures = append(failures, a.err)
		for _, partition := range a.partitions {
			if a.err == nil {
				p.runs[partition] = a.run
			}
		}
	}
	if !slices.Contains(failures, nil) {
		return errors.Join(failures...)
	}
	p.tell(p.runs)
	return nil
}

// ping asks in one round trip whether a server can serve, and which run of it answers.
func (p *Probe) ping(ctx context.Context, server *redis.Client) (run string, err error) {
	pipe := server.Pipeline()
	pong, info := pipe.Ping(ctx), pipe.Info(ctx, "server")
	began := time.Now()
	_, _ = pipe.Exec(ctx) // what counts is the pong: who may not ask for INFO has no runs
	if err := pong.Err(); err == nil || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		p.timed(server.Options().Addr, time.Since(began))
	}
	return runOf(info.Val()), pong.Err()
}

// Close lets go of the connection.
func (p *Probe) Close() { _ = p.client.Close() }
