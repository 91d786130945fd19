package redisstore

import (
	"context"
	_ "embed"
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
	runs := s.runsNow()
	calls := s.bumpMerchants(records)
	for i, r := range records {
		d := r.Delivery
		partition := key.Partition(d.ID)
		calls = append(calls, call{announceScript, []string{key.Delivery(d.ID)}, []any{
			r.Epoch, d.Rev, encoded[i], ttl(), runs[partition],
			key.Delivery(d.ID), key.Fleet(partition, d.MerchantID), wire.FleetRecord(encoded[i]), s.publish,
		}})
	}
	if _, err := s.runCalls(ctx, calls); err != nil {
		return err
	}
	if err := s.tellCouriers(ctx, records); err != nil {
		return err
	}
	return s.countCompleted(ctx, records)
}

// keepRecords keeps what was read from the truth and tells nobody. One that is not kept costs its next reader another fill.
func (s *Store) keepRecords(ctx context.Context, runs *Runs, records []tracking.Record) {
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
		return []string{key.Delivery(d.ID)}, []any{records[i].Epoch, d.Rev, encoded[i], ttl(), runs[key.Partition(d.ID)], "", "", "", s.publish}
	})
}

// tellCouriers makes stale what was computed of the couriers concerned, and lets them know that their route may have changed; which way they read for
// themselves.
func (s *Store) tellCouriers(ctx context.Context, records []tracking.Record) error {
	told := map[tracking.ID]bool{}
	var calls []call
	for _, r := range records {
		for _, courier := range r.Concerned() {
			if !told[courier] {
				told[courier] = true
				calls = append(calls, s.bump(courier, key.Jobs(courier)))
			}
		}
	}
	if len(calls) == 0 {
		return nil
	}
	_, err := s.runCalls(ctx, calls)
	return err
}

// Record reads a delivery's record: from Redis, or on a miss, or with Redis away, from the truth. One of a lower epoch is a miss, and so is one that
// is left of another run, unless the truth is away. Errors: CodeNotFound, CodeUnavailable, CodeOverloaded (too many misses at once).
func (s *Store) Record(ctx context.Context, delivery tracking.ID) (tracking.Record, error) {
	run := s.runsNow()[key.Partition(delivery)]
	kept, err := s.reads.get(ctx, delivery)
	switch {
	case tracking.CodeOf(err) == tracking.CodeOverloaded:
		return tracking.Record{}, err
	case err != nil:
		return s.fills.get(ctx, delivery, false)
	}
	text, _ := kept[0].(string)
	record, err := wire.Record([]byte(text))
	known := err == nil && record.Epoch >= s.epoch.Load()
	if known && !leftover(kept[1], run) {
		return record, nil
	}
	fresh, err := s.fills.get(ctx, delivery, true)
	if known && tracking.CodeOf(err) == tracking.CodeUnavailable {
		return record, nil
	}
	return fresh, err
}

// readKept reads what is kept of deliveries, in their order: the record and its run.
func (s *Store) readKept(ctx context.Context, deliveries []tracking.ID) ([][]any, error) {
	pipe := s.client.Pipeline()
	for _, id := range deliveries {
		pipe.HMGet(ctx, key.Delivery(id), "rec", "run")
	}
	replies, _ := pipe.Exec(ctx)
	if err := firstFailure(replies); err != nil {
		return nil, unavailable(err)
	}
	kept := make([][]any, len(replies))
	for i, r := range replies {
		kept[i] = r.(*redis.SliceCmd).Val()
	}
	return kept, nil
}

// Fresh reads a delivery's record from the truth and keeps it if it is newer. Errors: CodeNotFound, CodeUnavailable, CodeOverloaded.
func (s *Store) Fresh(ctx context.Context, delivery tracking.ID) (tracking.Record, error) {
	return s.fills.get(ctx, delivery, true)
}

// Revs reads the revisions that are kept of deliveries, in their order; the zero Revision for one that is not kept, or was under a lower epoch or in
// another run. With Redis away they are the truth's. Errors: CodeUnavailable (both stores are away).
func (s *Store) Revs(ctx context.Context, deliveries []tracking.ID) ([]tracking.Revision, error) {
	revs := make([]tracking.Revision, len(deliveries))
	if len(deliveries) == 0 {
		return revs, nil
	}
	pipe := s.client.Pipeline()
	for _, id := range deliveries {
		pipe.HMGet(ctx, key.Delivery(id), "epoch", "rev", "run")
	}
	replies, _ := pipe.Exec(ctx)
	if firstFailure(replies) != nil {
		return s.truth.Revisions(ctx, deliveries)
	}
	epoch, runs := s.epoch.Load(), s.runsNow()
	for i, r := range replies {
		fields := r.(*redis.SliceCmd).Val()
		if kept := revision(fields); kept.Epoch >= epoch && !leftover(fields[2], runs[key.Partition(deliveries[i])]) {
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
