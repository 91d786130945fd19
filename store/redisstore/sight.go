package redisstore

import (
	"context"
	"strconv"

	"hotfoot/tracking"
	"hotfoot/tracking/key"
	"hotfoot/tracking/wire"
)

// Record reads a delivery's record: from Redis, or on a miss, or with Redis away, from the truth. One of a lower epoch is a miss, and so is one that
// is left of another run, unless the truth is away. Errors: CodeNotFound, CodeUnavailable, CodeOverloaded (too many misses at once).
func (s *Store) Record(ctx context.Context, delivery tracking.ID) (tracking.Record, error) {
	record, _, err := s.look(ctx, delivery, tracking.ID{})
	if err != nil {
		return tracking.Record{}, err
	}
	return *record, nil
}

// Sight reads a delivery's record as Record does, and where its courier is in the same round trip. Errors are Record's.
func (s *Store) Sight(ctx context.Context, delivery tracking.ID) (tracking.Sight, error) {
	var expected tracking.ID
	if held := s.held.get(delivery); held != nil {
		expected = held.Underway()
	}
	record, place, err := s.look(ctx, delivery, expected)
	if err != nil {
		return tracking.Sight{}, err
	}
	courier := record.Underway()
	if courier.IsZero() {
		return tracking.Sight{Record: record, Live: true}, nil
	}
	if courier != expected || place == nil {
		// Who waited for a record to be read asks where its courier is at the same moment as all others who did.
		kept, err := s.reads.get(ctx, question{courier: courier})
		switch place = kept.place; {
		case tracking.CodeOf(err) == tracking.CodeOverloaded:
			return tracking.Sight{Record: record}, nil
		case err != nil:
			return s.stored(ctx, record, courier), nil
		}
	}
	if !leftover(place[1], s.runsNow()[key.Partition(courier)]) {
		return tracking.Sight{Record: record, Newest: position(place[0]), Live: true}, nil
	}
	positions, err := s.newest(ctx, []tracking.ID{courier})
	if err != nil {
		return s.stored(ctx, record, courier), nil
	}
	return tracking.Sight{Record: record, Newest: positions[0], Live: true}, nil
}

// stored is a sight as far as the truth has it, and without a place where it does not answer either.
func (s *Store) stored(ctx context.Context, record *tracking.Record, courier tracking.ID) tracking.Sight {
	positions, err := s.truth.NewestOf(ctx, []tracking.ID{courier})
	if err != nil {
		return tracking.Sight{Record: record}
	}
	return tracking.Sight{Record: record, Newest: positions[0]}
}

// Fresh reads a delivery's record from the truth and keeps it if it is newer. Errors: CodeNotFound, CodeUnavailable, CodeOverloaded.
func (s *Store) Fresh(ctx context.Context, delivery tracking.ID) (tracking.Record, error) {
	if err := s.unknown.refuse(delivery, s.epoch.Load()); err != nil {
		return tracking.Record{}, err
	}
	record, err := s.fills.read(ctx, delivery, true)
	if err != nil {
		return tracking.Record{}, err
	}
	return *record, nil
}

// look reads a record, and what is kept of where a courier is; the zero ID for nobody's. place is nil when Redis was not asked.
func (s *Store) look(ctx context.Context, delivery, courier tracking.ID) (record *tracking.Record, place []any, err error) {
	epoch := s.epoch.Load()
	if err := s.unknown.refuse(delivery, epoch); err != nil {
		return nil, nil, err
	}
	run, held := s.runsNow()[key.Partition(delivery)], s.held.get(delivery)
	kept, err := s.reads.get(ctx, question{delivery: delivery, courier: courier, held: held != nil})
	if err == nil && held != nil {
		if revision(kept.fields[1], kept.fields[2]) == held.Revision() && held.Epoch >= epoch && !leftover(kept.fields[0], run) {
			s.count.held.Inc()
			return held, kept.place, nil
		}
		place = kept.place
		kept, err = s.reads.get(ctx, question{delivery: delivery})
	} else {
		place = kept.place
	}
	switch {
	case tracking.CodeOf(err) == tracking.CodeOverloaded:
	case err != nil:
		record, err = s.fills.read(ctx, delivery, false)
	default:
		record, err = s.believe(ctx, delivery, kept.fields, run, held)
	}
	if err != nil {
		return nil, nil, err
	}
	return record, place, nil
}

// believe decides whether what is kept of a delivery may be shown or the truth must be asked first. held is what this node has read before, nil for
// nothing. A fill may have begun before what was known already was committed, so the newest of all is answered.
func (s *Store) believe(ctx context.Context, delivery tracking.ID, fields []any, run string, held *tracking.Record) (*tracking.Record, error) {
	record, old := s.decode(fields, run)
	behind := false
	if held != nil && held.Epoch >= s.epoch.Load() && (record == nil || held.NewerThan(record)) {
		// Redis has lost what it had. What it has instead must not be taken for somebody's fill.
		record, old, behind = held, true, record != nil
	}
	if record != nil && !old {
		s.count.hot.Inc()
		s.held.put(record)
		return record, nil
	}
	var fresh *tracking.Record
	var err error
	if behind {
		fresh, err = s.fills.read(ctx, delivery, true)
	} else {
		fresh, err = s.fills.get(ctx, delivery)
	}
	switch {
	case tracking.CodeOf(err) == tracking.CodeUnavailable && record != nil:
		return record, nil
	case err != nil:
		s.held.drop(delivery)
		return nil, err
	case record != nil && record.NewerThan(fresh):
		return record, nil
	}
	if s.held.get(delivery) != fresh { // of a thousand who waited for a fill one is enough
		s.held.put(fresh)
	}
	return fresh, nil
}

// decode reads the fields run and rec. record is nil when there is none that can be read and is not of a lower epoch; old says that it is left of
// another run.
func (s *Store) decode(fields []any, run string) (record *tracking.Record, old bool) {
	text, kept := fields[1].(string)
	if !kept {
		return nil, false
	}
	r, err := wire.Record([]byte(text))
	if err != nil || r.Epoch < s.epoch.Load() {
		return nil, false
	}
	return &r, leftover(fields[0], run)
}

// revision reads what is kept as epoch and rev; what is missing is 0.
func revision(epoch, rev any) (r tracking.Revision) {
	text, _ := epoch.(string)
	r.Epoch, _ = strconv.ParseInt(text, 10, 64)
	text, _ = rev.(string)
	r.Rev, _ = strconv.ParseInt(text, 10, 64)
	return r
}
