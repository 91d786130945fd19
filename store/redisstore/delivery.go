package redisstore

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strconv"

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
			records[i].Epoch, d.Rev, encoded[i], ttl(),
			key.Delivery(d.ID), key.Fleet(key.Partition(d.ID), d.MerchantID), wire.FleetRecord(encoded[i]),
		}
	})
	if err != nil {
		return err
	}
	return s.tellCouriers(ctx, records)
}

// keepRecords keeps what was read from the truth and tells nobody. One that is not kept costs its next reader another fill.
func (s *Store) keepRecords(ctx context.Context, records []tracking.Record) {
	var encoded [][]byte
	for _, r := range records {
		b, err := wire.MarshalRecord(r)
		if err != nil {
			return
		}
		encoded = append(encoded, b)
	}
	_ = s.runAll(ctx, announceScript, len(records), func(i int) ([]string, []any) {
		d := records[i].Delivery
		return []string{key.Delivery(d.ID)}, []any{records[i].Epoch, d.Rev, encoded[i], ttl(), "", "", ""}
	})
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

// Record reads a delivery's record: from Redis, or on a miss, or with Redis away, from the truth. One of a lower epoch is a miss. Errors:
// CodeNotFound, CodeUnavailable, CodeOverloaded (too many misses at once).
func (s *Store) Record(ctx context.Context, delivery tracking.ID) (tracking.Record, error) {
	b, err := s.client.HGet(ctx, key.Delivery(delivery), "rec").Bytes()
	if err == nil {
		if record, err := wire.Record(b); err == nil && record.Epoch >= s.epoch.Load() {
			return record, nil
		}
	}
	return s.fills.get(ctx, delivery, err == nil || errors.Is(err, redis.Nil))
}

// Fresh reads a delivery's record from the truth and keeps it if it is newer. Errors: CodeNotFound, CodeUnavailable, CodeOverloaded.
func (s *Store) Fresh(ctx context.Context, delivery tracking.ID) (tracking.Record, error) {
	return s.fills.get(ctx, delivery, true)
}

// Revs reads the revisions that are kept of deliveries, in their order; the zero Revision for one that is not kept, or was under a lower epoch. With
// Redis away they are the truth's. Errors: CodeUnavailable (both stores are away).
func (s *Store) Revs(ctx context.Context, deliveries []tracking.ID) ([]tracking.Revision, error) {
	revs := make([]tracking.Revision, len(deliveries))
	if len(deliveries) == 0 {
		return revs, nil
	}
	pipe := s.client.Pipeline()
	for _, id := range deliveries {
		pipe.HMGet(ctx, key.Delivery(id), "epoch", "rev")
	}
	replies, _ := pipe.Exec(ctx)
	if firstFailure(replies) != nil {
		return s.truth.Revisions(ctx, deliveries)
	}
	epoch := s.epoch.Load()
	for i, r := range replies {
		if kept := revision(r.(*redis.SliceCmd).Val()); kept.Epoch >= epoch {
			revs[i] = kept
		}
	}
	return revs, nil
}

// revision reads the fields epoch and rev; what is missing is 0.
func revision(fields []any) (r tracking.Revision) {
	for i, target := range []*int64{&r.Epoch, &r.Rev} {
		text, _ := fields[i].(string)
		*target, _ = strconv.ParseInt(text, 10, 64)
	}
	return r
}
