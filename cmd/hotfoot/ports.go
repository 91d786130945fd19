package main

import (
	"context"
	"errors"

	"hotfoot/gateway"
	"hotfoot/pubsub"
	"hotfoot/store/postgres"
	"hotfoot/store/redisstore"
	"hotfoot/tracking"
)

// ports are the steps on the way from a phone to Postgres and to viewers, each behind its own interface.
type ports struct {
	hot       tracking.Hot
	announcer tracking.Announcer
	ledger    tracking.Ledger
	outbox    tracking.Outbox
	track     tracking.Track
	backlog   tracking.Backlog
	second    tracking.Backlog
	records   records
}

// records is what links open and what viewers are shown from.
type records = gateway.Records

// revoker ends keys: on every node that hears it now, and in the memory that nodes share for when Postgres is away.
type revoker struct {
	control *pubsub.Control
	hot     *redisstore.Store
}

func (r revoker) Revoke(ctx context.Context, hashes [][32]byte) error {
	return errors.Join(r.control.Revoke(ctx, hashes), r.hot.ForgetActor(ctx, hashes))
}

// segmentPort lets the memory of computed answers hear of changes.
type segmentPort struct{ feed *pubsub.Feed }

func (p segmentPort) watch(segment tracking.ID, changed func(), live func(bool)) redisstore.Watch {
	return p.feed.Segment(segment, changed, live)
}

// fleetPort reads a live map's fleet: who and what from the truth, where from the hot store.
type fleetPort struct {
	*postgres.Store
	hot *redisstore.Store
}

var _ gateway.Staff = fleetPort{}

// NewestOf implements gateway.Staff; the truth's own would hide it.
func (p fleetPort) NewestOf(ctx context.Context, couriers []tracking.ID) ([]*tracking.Position, error) {
	return p.hot.NewestOf(ctx, couriers)
}
