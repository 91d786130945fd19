//go:build linux

package rig

import (
	"context"

	"github.com/redis/go-redis/v9"

	"hotfoot/cmd/hotfoot/bench/feed"
	"hotfoot/tracking"
)

// Feed connects to where updates of the server's topics go in: Redis, or the server itself when it is bare. Topic 0 of the feed is the first given
// here. The rig must have one Redis.
func (s *Server) Feed(ctx context.Context, first int) (*feed.Feed, error) {
	switch s.System {
	case Bare:
		return feed.Dial(ctx, "tcp", s.feed, func(b []byte, topic int, u feed.Update) []byte { return feed.ToBare(b, first+topic, u) })
	case FirstVersion:
		return s.rig.feed(ctx, feed.ToFirstVersion(s.rig.couriers()[first:]))
	default:
		return s.rig.feed(ctx, feed.ToHotfoot(s.rig.couriers()[first:]))
	}
}

// FleetFeed connects to where live maps hear of positions.
func (r *Rig) FleetFeed(ctx context.Context) (*feed.Feed, error) {
	owner, err := r.Merchant(ctx)
	if err != nil {
		return nil, err
	}
	return r.feed(ctx, feed.ToFleet(owner, r.couriers()))
}

func (r *Rig) feed(ctx context.Context, encode feed.Encode) (*feed.Feed, error) {
	options, err := redis.ParseURL(r.RedisURL())
	if err != nil {
		return nil, err
	}
	return feed.Dial(ctx, options.Network, options.Addr, encode)
}

func (r *Rig) couriers() []tracking.ID {
	ids := make([]tracking.ID, len(r.Fleet))
	for i, c := range r.Fleet {
		ids[i] = c.ID
	}
	return ids
}
