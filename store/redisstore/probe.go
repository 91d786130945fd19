package redisstore

import (
	"context"
	"errors"
	"slices"

	"github.com/redis/go-redis/v9"

	"hotfoot/tracking/key"
)

// Probe asks whether Redis answers, on a connection of its own, which no queue of requests and no breaker stands before.
type Probe struct{ client redis.UniversalClient }

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
	return &Probe{client}, nil
}

// Ping answers nil when the server answers and can serve; on a cluster, when any master does: what the others hold is unavailable piece by piece.
func (p *Probe) Ping(ctx context.Context) error {
	cluster, ok := p.client.(*redis.ClusterClient)
	if !ok {
		return p.client.Ping(ctx).Err()
	}
	masters := map[*redis.Client]bool{}
	for partition := range key.Partitions {
		// From memory: asking who the masters are would hang on the first that does not answer.
		master, err := cluster.MasterForKey(ctx, key.Positions(partition))
		if err != nil {
			return err
		}
		masters[master] = true
	}
	answers := make(chan error, len(masters))
	for master := range masters {
		go func() { answers <- master.Ping(ctx).Err() }()
	}
	var failures []error
	for range masters {
		failures = append(failures, <-answers)
	}
	if slices.Contains(failures, nil) {
		return nil
	}
	return errors.Join(failures...)
}

// Close lets go of the connection.
func (p *Probe) Close() { _ = p.client.Close() }
