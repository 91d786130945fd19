package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"hotfoot/tracking"
)

var _ tracking.Track = (*Store)(nil)

// One statement whatever the size, so that it stays prepared; DO NOTHING makes a repeat harmless.
const insertPositionsSQL = `
INSERT INTO positions (courier_id, recorded_at, session, seq, received_at, lat, lon, accuracy_m, speed_mps, heading_deg, altitude_m, battery, suspect)
SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::bigint[], $5::timestamptz[], $6::float8[], $7::float8[],
    $8::float4[], $9::float4[], $10::float4[], $11::float4[], $12::float4[], $13::smallint[])
ON CONFLICT DO NOTHING`

const (
	// batchPatience bounds a transaction of batches: after an outage phones send as much at once as they may, and all together.
	batchPatience = 30 * time.Second
	// rowsAtOnce is how many positions one statement inserts, so that each stays well within its own bound.
	rowsAtOnce = 5000
	// reach is how far from today a position may be dated. It is what a phone may keep for itself and what may then wait in the backlog, and
	// more. Without it, a date that was garbled on its way would make a partition for every day up to it.
	reach = 60 * 24 * time.Hour
)

// Store implements tracking.Track.
func (s *Store) Store(ctx context.Context, batches []tracking.Batch) ([]tracking.Mark, error) {
	rows := sortedRows(batches)
	first, last, err := dates(rows, time.Now())
	if err != nil {
		return nil, err
	}
	sessions := sessionsOf(batches)
	var durable map[sessionKey]int64
	attempt := func() error {
		return s.db.Send(ctx, batchPatience, func(batch *pgx.Batch) {
			for some := range slices.Chunk(rows, rowsAtOnce) {
				insertPositions(batch, some)
			}
			durable = markSessions(batch, sessions)
		})
	}
	err = attempt()
	if missingPartition(err) {
		if err := s.EnsurePartitions(ctx, first, last); err != nil {
			return nil, err
		}
		err = attempt()
	}
	if missingPartition(err) {
		// The day's table is there and is no partition: somebody is taking it away. That is no fault of the positions, and may soon be over.
		return nil, fmt.Errorf("a day between %s and %s is being taken away: %w", first.UTC().Format(time.DateOnly), last.UTC().Format(time.DateOnly), err)
	}
	if err != nil {
		return nil, translate(err)
	}
	marks := make([]tracking.Mark, len(batches))
	for i, b := range batches {
		marks[i] = tracking.Mark{CourierID: b.CourierID, Session: b.Session, DurableSeq: durable[sessionKey{b.CourierID, b.Session}]}
	}
	return marks, nil
}

// dates are the first and the last day of rows. The error is CodeInvalid when one is out of reach.
func dates(rows []positionRow, now time.Time) (first, last time.Time, err error) {
	for i, r := range rows {
		at := r.position.RecordedAt
		if at.Before(now.Add(-reach)) || at.After(now.Add(reach)) {
			return first, last, tracking.Errorf(tracking.CodeInvalid, "a position is dated %s, too far from today to be true", at.UTC().Format(time.DateOnly))
		}
		if i == 0 || at.Before(first) {
			first = at
		}
		if i == 0 || at.After(last) {
			last = at
		}
	}
	return first, last, nil
}

// positionRow is one row on its way in.
type positionRow struct {
	courier  tracking.ID
	session  string
	seq      int64
	received time.Time
	position *tracking.Position
}

// sortedRows orders rows by their key, so that two writers of the same points wait for each other instead of deadlocking.
func sortedRows(batches []tracking.Batch) []positionRow {
	var rows []positionRow
	for i := range batches {
		b := &batches[i]
		for j := range b.Fixes {
			rows = append(rows, positionRow{b.CourierID, b.Session, b.Fixes[j].Seq, b.ReceivedAt, &b.Fixes[j].Position})
		}
	}
	slices.SortFunc(rows, func(a, b positionRow) int {
		return cmp.Or(slices.Compare(a.courier[:], b.courier[:]), a.position.RecordedAt.Compare(b.position.RecordedAt),
			cmp.Compare(a.session, b.session), cmp.Compare(a.seq, b.seq))
	})
	return rows
}

func insertPositions(batch *pgx.Batch, rows []positionRow) {
	n := len(rows)
	couriers, recorded, sessions := make([]tracking.ID, n), make([]time.Time, n), make([]string, n)
	seqs, received := make([]int64, n), make([]time.Time, n)
	lats, lons := make([]float64, n), make([]float64, n)
	suspects := make([]*tracking.Suspicion, n)
	var readings [5][]*float32
	for i := range readings {
		readings[i] = make([]*float32, n)
	}
	for i, r := range rows {
		p := r.position
		couriers[i], recorded[i], sessions[i], seqs[i], received[i] = r.courier, p.RecordedAt, r.session, r.seq, r.received
		lats[i], lons[i] = p.Lat, p.Lon
		if p.Suspect != tracking.Believed {
			suspects[i] = &p.Suspect
		}
		for k, reading := range readingsOf(p) {
			if reading.Known {
				readings[k][i] = &reading.Value
			}
		}
	}
	batch.Queue(insertPositionsSQL, couriers, recorded, sessions, seqs, received, lats, lons,
		readings[0], readings[1], readings[2], readings[3], readings[4], suspects)
}

const ensurePartitionsSQL = `SELECT ensure_position_partitions($1::date, $2::date)`

// EnsurePartitions makes the daily partitions between two times. Errors: CodeUnavailable.
func (s *Store) EnsurePartitions(ctx context.Context, first, last time.Time) error {
	_, err := s.db.Exec(ctx, ensurePartitionsSQL, first.UTC(), last.UTC())
	return translate(err)
}

// readingsOf are a position's readings in the order of their columns.
func readingsOf(p *tracking.Position) [5]*tracking.Reading {
	return [5]*tracking.Reading{&p.AccuracyM, &p.SpeedMPS, &p.HeadingDeg, &p.AltitudeM, &p.Battery}
}

// missingPartition recognises an insert for a day that has no partition; Postgres reports it as a check violation without a constraint.
func missingPartition(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == checkViolation && pg.ConstraintName == ""
}

const trackSQL = `
SELECT recorded_at, lat, lon, coalesce(suspect, 0) FROM positions
WHERE courier_id = $1 AND recorded_at >= $2 AND recorded_at <= $3 AND ($4 OR suspect IS NULL) ORDER BY recorded_at, seq LIMIT $5`

// Track lists a courier's places between two times, in the order of the phone's clock; those under suspicion too, when suspects says so. Errors:
// CodeUnavailable.
func (s *Store) Track(ctx context.Context, courier tracking.ID, from, to time.Time, suspects bool, limit int) ([]tracking.Position, error) {
	rows, err := s.db.Query(ctx, trackSQL, courier, from, to, suspects, limit)
	if err != nil {
		return nil, translate(err)
	}
	positions, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p tracking.Position, err error) {
		err = row.Scan(&p.RecordedAt, &p.Lat, &p.Lon, &p.Suspect)
		return p, err
	})
	return positions, translate(err)
}
