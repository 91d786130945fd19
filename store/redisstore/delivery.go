package redisstore

import (
	"context"
	_ "embed"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/tracking"
	"hotfoot/tracking/key"
	"hotfoot/tracking/wire"
)

var _ tracking.Announcer = (*Store)(nil)

//go:embed announce.lua
var announceLua string

var announceScript = redis.NewScript(announceLua)

// Announce implements tracking.Announcer.
func (s *Store) Announce(ctx context.Context, records ...tracking.Record) error {
	encoded := make([][]byte, len(records))
	for i, r := range records {
		b, err := wire.MarshalRecord(r)
		if err != nil {
			return fmt.Errorf("encoding delivery %s: %w", r.Delivery.ID, err)
		}
		encoded[i] = b
	}
	err := s.runAll(ctx, announceScript, len(records), func(i int) ([]string, []any) {
		d := records[i].Delivery
		return []string{key.Delivery(d.ID)}, []any{
			records[i].Epoch, d.Rev, encoded[i], int(ttl().Seconds()),
			key.Delivery(d.ID), key.Fleet(key.Partition(d.ID), d.MerchantID), wire.FleetRecord(encoded[i]),
		}
	})
	if err != nil {
		return err
	}
	return s.tellCouriers(ctx, records)
}

// tellCouriers lets the couriers concerned know that their route may have changed; which way they read for themselves.
func (s *Store) tellCouriers(ctx context.Context, records []tracking.Record) error {
	told := map[tracking.ID]bool{}
	pipe := s.client.Pipeline()
	for _, r := range records {
		for _, courier := range r.Concerned() {
			if !told[courier] {
				told[courier] = true
				pipe.Publish(ctx, key.Jobs(courier), "")
			}
		}
	}
	if len(told) == 0 {
		return nil
	}
	_, err := pipe.Exec(ctx)
	return unavailable(err)
}

// Record reads a delivery's record: from Redis, or on a miss, or with Redis away, from the truth. Errors: CodeNotFound, CodeUnavailable.
func (s *Store) Record(ctx context.Context, delivery tracking.ID) (tracking.Record, error) {
	b, err := s.client.HGet(ctx, key.Delivery(delivery), "rec").Bytes()
	if err == nil {
		if record, err := wire.Record(b); err == nil {
			return record, nil
		}
	}
	return s.fill(ctx, delivery, err == nil || err == redis.Nil)
}

// fill reads the truth once for however many ask at the same time, and keeps what it found when Redis is there.
func (s *Store) fill(ctx context.Context, delivery tracking.ID, keep bool) (tracking.Record, error) {
	filled := s.fills.DoChan(delivery.String(), func() (any, error) {
		// Whoever asked first may go away; the others still wait.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
		defer cancel()
		record, err := s.truth.Record(ctx, delivery)
		if err != nil || !keep {
			return record, err
		}
		encoded, err := wire.MarshalRecord(record)
		if err != nil {
			return record, err
		}
		// A fill that fails costs the next reader another one.
		_ = announceScript.Run(ctx, s.client, []string{key.Delivery(delivery)}, record.Epoch, record.Delivery.Rev, encoded,
			int(ttl().Seconds()), "", "", "").Err()
		return record, nil
	})
	select {
	case result := <-filled:
		return result.Val.(tracking.Record), result.Err
	case <-ctx.Done():
		return tracking.Record{}, tracking.Unavailable("Postgres", ctx.Err())
	}
}

// Revs reads the revisions that are kept of deliveries, in their order; 0 for one that is not kept. Errors: CodeUnavailable.
func (s *Store) Revs(ctx context.Context, deliveries []tracking.ID) ([]int64, error) {
	pipe := s.client.Pipeline()
	replies := make([]*redis.StringCmd, len(deliveries))
	for i, id := range deliveries {
		replies[i] = pipe.HGet(ctx, key.Delivery(id), "rev")
	}
	if _, err := pipe.Exec(ctx); err != nil && err != redis.Nil {
		return nil, unavailable(err)
	}
	revs := make([]int64, len(deliveries))
	for i, r := range replies {
		revs[i], _ = r.Int64()
	}
	return revs, nil
}
