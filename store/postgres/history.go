package postgres

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"hotfoot/tracking"
)

var _ tracking.Track = (*Store)(nil)

// One statement whatever the size, so that it stays prepared; DO NOTHING makes a repeat harmless.
const insertPositionsSQL = `
INSERT INTO positions (courier_id, recorded_at, session, seq, received_at, lat, lon, accuracy_m, speed_mps, heading_deg, altitude_m, battery)
SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::bigint[], $5::timestamptz[], $6::float8[], $7::float8[],
    $8::float4[], $9::float4[], $10::float4[], $11::float4[], $12::float4[])
ON CONFLICT DO NOTHING`

// The session's durable seq is where its first run ends, if that begins at the beginning.
const markSessionsSQL = `
INSERT INTO position_sessions (courier_id, session, seqs, updated_at)
SELECT c, s, m::int8multirange, $4 FROM unnest($1::uuid[], $2::text[], $3::text[]) n(c, s, m)
ON CONFLICT (courier_id, session) DO UPDATE SET seqs = position_sessions.seqs + excluded.seqs, updated_at = excluded.updated_at
RETURNING courier_id, session, (SELECT coalesce(max(upper(r)) - 1, 0) FROM unnest(position_sessions.seqs) r WHERE lower(r) <= 1)`

// Store implements tracking.Track.
func (s *Store) Store(ctx context.Context, batches []tracking.Batch) ([]tracking.Mark, error) {
	rows := sortedRows(batches)
	sessions := sessionsOf(batches)
	var durable map[sessionKey]int64
	attempt := func() error {
		return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) (err error) {
			if len(rows) > 0 {
				if err := insertPositions(ctx, tx, rows); err != nil {
					return err
				}
			}
			durable, err = markSessions(ctx, tx, sessions)
			return err
		})
	}
	err := attempt()
	if missingPartition(err) {
		first, last := rows[0].position.RecordedAt, rows[0].position.RecordedAt
		for _, r := range rows {
			first, last = minTime(first, r.position.RecordedAt), maxTime(last, r.position.RecordedAt)
		}
		if err := s.EnsurePartitions(ctx, first, last); err != nil {
			return nil, err
		}
		err = attempt()
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

func insertPositions(ctx context.Context, tx pgx.Tx, rows []positionRow) error {
	n := len(rows)
	couriers, recorded, sessions := make([]tracking.ID, n), make([]time.Time, n), make([]string, n)
	seqs, received := make([]int64, n), make([]time.Time, n)
	lats, lons := make([]float64, n), make([]float64, n)
	var readings [5][]*float32
	for i := range readings {
		readings[i] = make([]*float32, n)
	}
	for i, r := range rows {
		p := r.position
		couriers[i], recorded[i], sessions[i], seqs[i], received[i] = r.courier, p.RecordedAt, r.session, r.seq, r.received
		lats[i], lons[i] = p.Lat, p.Lon
		for k, reading := range [5]*tracking.Reading{&p.AccuracyM, &p.SpeedMPS, &p.HeadingDeg, &p.AltitudeM, &p.Battery} {
			if reading.Known {
				readings[k][i] = &reading.Value
			}
		}
	}
	_, err := tx.Exec(ctx, insertPositionsSQL, couriers, recorded, sessions, seqs, received, lats, lons,
		readings[0], readings[1], readings[2], readings[3], readings[4])
	return err
}

type sessionKey struct {
	courier tracking.ID
	session string
}

type sessionSeqs struct {
	key  sessionKey
	seqs []int64
}

// sessionsOf gathers the seqs of each session that counts, in key order for the same reason as sortedRows.
func sessionsOf(batches []tracking.Batch) []sessionSeqs {
	byKey := make(map[sessionKey][]int64)
	for _, b := range batches {
		key := sessionKey{b.CourierID, b.Session}
		for _, f := range b.Fixes {
			if f.Seq > 0 {
				byKey[key] = append(byKey[key], f.Seq)
			}
		}
		if len(b.Settled) > 0 {
			byKey[key] = append(byKey[key], b.Settled...)
		}
	}
	sessions := make([]sessionSeqs, 0, len(byKey))
	for key, seqs := range byKey {
		slices.Sort(seqs)
		sessions = append(sessions, sessionSeqs{key, slices.Compact(seqs)})
	}
	slices.SortFunc(sessions, func(a, b sessionSeqs) int {
		return cmp.Or(slices.Compare(a.key.courier[:], b.key.courier[:]), cmp.Compare(a.key.session, b.key.session))
	})
	return sessions
}

func markSessions(ctx context.Context, tx pgx.Tx, sessions []sessionSeqs) (map[sessionKey]int64, error) {
	durable := make(map[sessionKey]int64, len(sessions))
	if len(sessions) == 0 {
		return durable, nil
	}
	couriers, names, ranges := make([]tracking.ID, len(sessions)), make([]string, len(sessions)), make([]string, len(sessions))
	for i, s := range sessions {
		couriers[i], names[i], ranges[i] = s.key.courier, s.key.session, multirange(s.seqs)
	}
	rows, err := tx.Query(ctx, markSessionsSQL, couriers, names, ranges, time.Now())
	if err != nil {
		return nil, err
	}
	var key sessionKey
	var seq int64
	_, err = pgx.ForEachRow(rows, []any{&key.courier, &key.session, &seq}, func() error {
		durable[key] = seq
		return nil
	})
	return durable, err
}

// multirange writes ascending seqs as Postgres does: {[1,58),[60,61)}.
func multirange(seqs []int64) string {
	var b strings.Builder
	b.WriteByte('{')
	for i := 0; i < len(seqs); {
		j := i
		for j+1 < len(seqs) && seqs[j+1] == seqs[j]+1 {
			j++
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("[" + strconv.FormatInt(seqs[i], 10) + "," + strconv.FormatInt(seqs[j]+1, 10) + ")")
		i = j + 1
	}
	b.WriteByte('}')
	return b.String()
}

const durableSeqSQL = `
SELECT coalesce(max(upper(r)) - 1, 0) FROM position_sessions, unnest(seqs) r WHERE courier_id = $1 AND session = $2 AND lower(r) <= 1`

// DurableSeq is how far a session has come; 0 for an unknown one. Errors: CodeUnavailable.
func (s *Store) DurableSeq(ctx context.Context, courier tracking.ID, session string) (int64, error) {
	var seq int64
	err := s.pool.QueryRow(ctx, durableSeqSQL, courier, session).Scan(&seq)
	return seq, translate(err)
}

const ensurePartitionsSQL = `SELECT ensure_position_partitions($1::date, $2::date)`

// EnsurePartitions makes the daily partitions between two times. Errors: CodeUnavailable.
func (s *Store) EnsurePartitions(ctx context.Context, first, last time.Time) error {
	_, err := s.pool.Exec(ctx, ensurePartitionsSQL, first.UTC(), last.UTC())
	return translate(err)
}

// missingPartition recognises an insert for a day that has no partition; Postgres reports it as a check violation without a constraint.
func missingPartition(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "23514" && pg.ConstraintName == ""
}

const trackSQL = `
SELECT recorded_at, lat, lon FROM positions WHERE courier_id = $1 AND recorded_at >= $2 AND recorded_at <= $3 ORDER BY recorded_at, seq LIMIT $4`

// Track lists a courier's places between two times, in the order of the phone's clock. Errors: CodeUnavailable.
func (s *Store) Track(ctx context.Context, courier tracking.ID, from, to time.Time, limit int) ([]tracking.Position, error) {
	rows, err := s.pool.Query(ctx, trackSQL, courier, from, to, limit)
	if err != nil {
		return nil, translate(err)
	}
	positions, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p tracking.Position, err error) {
		err = row.Scan(&p.RecordedAt, &p.Lat, &p.Lon)
		return p, err
	})
	return positions, translate(err)
}

func minTime(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func maxTime(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
