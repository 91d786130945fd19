package redisstore

import (
	"context"
	_ "embed"
	"errors"
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
	outdated, err := s.announce(ctx, records)
	if err == nil && len(outdated) > 0 {
		err = s.announceAnew(ctx, outdated)
	}
	if err != nil {
		return err
	}
	if err := s.tellCouriers(ctx, records); err != nil {
		return err
	}
	return s.countCompleted(ctx, records)
}

var errRaised = errors.New("the epoch is raised again and again")

// announceAnew announces what the truth has by now of deliveries that were changed under an epoch which is over: it was raised before the change was committed,
// and somebody has read it in between. What they have kept looks newer and is older.
func (s *Store) announceAnew(ctx context.Context, deliveries []tracking.ID) error {
	records, err := s.truth.Records(ctx, deliveries)
	if err != nil {
		return err
	}
	outdated, err := s.announce(ctx, records)
	if err == nil && len(outdated) > 0 {
		err = unavailable(errRaised) // the sweep announces it
	}
	return err
}

// announce keeps records that are newer and tells of them. outdated are those of an epoch lower than that of what is kept.
func (s *Store) announce(ctx context.Context, records []tracking.Record) (outdated []tracking.ID, err error) {
	encoded := make([][]byte, len(records))
	for i, r := range records {
		b, err := wire.MarshalRecord(r)
		if err != nil {
			return nil, fmt.Errorf("encoding delivery %s: %w", r.Delivery.ID, err)
		}
		encoded[i] = b
	}
	runs := s.runsNow()
	calls := s.bumpMerchants(records)
	bumps := len(calls)
	for i := range records {
		d := &records[i].Delivery
		partition := key.Partition(d.ID)
		run := runs[partition]
		if d.Rev > 1 || time.Since(d.CreatedAt) > s.fills.limit {
			// Where nothing is kept, a later change may have been announced and lost. What was created a moment ago the script knows of.
			run = ""
		}
		calls = append(calls, call{announceScript, []string{key.Delivery(d.ID), key.Told(d.ID), key.Fill(d.ID)}, []any{
			records[i].Epoch, d.Rev, encoded[i], ttl(), run,
			key.Delivery(d.ID), key.Fleet(partition, d.MerchantID), wire.FleetRecord(encoded[i]), s.publish, "", s.fills.limit.Milliseconds(), "",
		}})
	}
	answers, err := s.runCalls(ctx, calls)
	if err != nil {
		return nil, err
	}
	for i, answer := range answers[bumps:] {
		if kept, err := answer.Int(); err == nil && kept < 0 {
			outdated = append(outdated, records[i].Delivery.ID)
		}
	}
	return outdated, nil
}

// keepRecords keeps what was read from the truth in these runs and tells nobody; told is what had been announced before that of each. Placeholders of
// this process are taken back. overtaken are those that may be older than what was announced meanwhile; all false when Redis does not say.
func (s *Store) keepRecords(ctx context.Context, runs *Runs, records []*tracking.Record, told []string) (overtaken []bool) {
	overtaken = make([]bool, len(records))
	var encoded [][]byte
	for _, r := range records {
		b, err := wire.MarshalRecord(*r)
		if err != nil {
			return overtaken
		}
		encoded = append(encoded, b)
	}
	answers, err := s.runAll(ctx, announceScript, len(records), func(i int) ([]string, []any) {
		d := &records[i].Delivery
		return []string{key.Delivery(d.ID), key.Told(d.ID), key.Fill(d.ID)},
			[]any{records[i].Epoch, d.Rev, encoded[i], ttl(), runs[key.Partition(d.ID)], "", "", "", s.publish, s.name, 0, told[i]}
	})
	for i, answer := range answers {
		kept, failed := answer.Int()
		overtaken[i] = err == nil && failed == nil && kept != 1
	}
	return overtaken
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
		if kept := revision(fields[0], fields[1]); kept.Epoch >= epoch && !leftover(fields[2], runs[key.Partition(deliveries[i])]) {
			revs[i] = kept
		}
	}
	return revs, nil
}
