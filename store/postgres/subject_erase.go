package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"hotfoot/tracking"
)

// Erased says how many rows of a table were deleted, or lost what they said of somebody.
type Erased struct {
	Table string
	Rows  int64
}

const (
	busyCourierSQL = `SELECT on_duty, (SELECT count(*) FROM deliveries WHERE courier_id = $1 AND finished_at IS NULL) FROM couriers WHERE id = $1 FOR NO KEY UPDATE`
	endKeysSQL     = `UPDATE api_keys SET revoked_at = coalesce(revoked_at, $2), label = '' WHERE courier_id = $1 RETURNING hash`
)

// refuseBusy locks a courier's row and refuses one who works.
func refuseBusy(ctx context.Context, tx pgx.Tx, courier tracking.ID) error {
	var onDuty bool
	var open int
	switch err := tx.QueryRow(ctx, busyCourierSQL, courier).Scan(&onDuty, &open); {
	case err == pgx.ErrNoRows:
		return tracking.Errorf(tracking.CodeNotFound, "no such courier")
	case err != nil:
		return err
	case onDuty:
		return tracking.Errorf(tracking.CodeConflict, "the courier is on duty: have them end their shift first")
	case open > 0:
		return tracking.Errorf(tracking.CodeConflict, "the courier has %d deliveries that are not over: give them to somebody else or end them first", open)
	}
	return nil
}

// Dismiss ends all keys of a courier who is to be erased, and answers their hashes: nothing new comes from them. Errors: CodeNotFound, CodeConflict (they are
// on duty, or have deliveries that are not over), CodeUnavailable.
func (s *Store) Dismiss(ctx context.Context, courier tracking.ID, now time.Time) (hashes [][32]byte, err error) {
	err = s.within(ctx, func(ctx context.Context, tx pgx.Tx) error {
		if err := refuseBusy(ctx, tx, courier); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, endKeysSQL, courier, now)
		if err == nil {
			hashes, err = pgx.CollectRows(rows, scanHash)
		}
		return err
	})
	return hashes, err
}

const (
	trackedSQL       = `SELECT min(recorded_at), max(recorded_at) FROM positions WHERE courier_id = $1`
	eraseTrackSQL    = `DELETE FROM positions WHERE courier_id = $1 AND recorded_at >= $2 AND recorded_at < $3`
	eraseSessionsSQL = `DELETE FROM position_sessions WHERE courier_id = $1`
	// One that could not be read may still have their id in it, as bytes or as text.
	eraseLettersSQL = `
DELETE FROM dead_letters WHERE courier_id = $1 OR courier_id IS NULL AND (position(uuid_send($1) IN payload) > 0 OR position(convert_to($1::text, 'UTF8') IN payload) > 0)`
	eraseCourierEventsSQL = `
UPDATE delivery_events SET reason = '', lat = NULL, lon = NULL, client_event_id = NULL, request_hash = NULL
WHERE actor_kind = 'courier' AND actor_id = $1 AND (reason <> '' OR lat IS NOT NULL OR client_event_id IS NOT NULL)`
	eraseCourierSQL = `
UPDATE couriers SET name = '` + erasedName + `', phone = NULL, hidden_zones = '{}', rev = rev + 1, published_rev = rev + 1, updated_at = $2 WHERE id = $1`
	// What processes hold of a record says who the courier was; with another revision it counts for nothing.
	reviseCourierSQL = `UPDATE deliveries SET rev = rev + 1, published_rev = rev + 1 WHERE courier_id = $1 AND finished_at IS NOT NULL`
)

// EraseTrack deletes where a courier was: a day at a time, so that nobody waits long. Errors: CodeUnavailable; some is deleted then.
func (s *Store) EraseTrack(ctx context.Context, courier tracking.ID) ([]Erased, error) {
	var first, last *time.Time
	positions, sessions, letters := Erased{Table: "positions"}, Erased{Table: "position_sessions"}, Erased{Table: "dead_letters"}
	err := s.atLeisure(ctx, func(ctx context.Context, tx pgx.Tx) error {
		return tx.QueryRow(ctx, trackedSQL, courier).Scan(&first, &last)
	})
	if err == nil && first != nil {
		for day := tracking.DayOf(*first); day <= tracking.DayOf(*last) && err == nil; day = day.Next() {
			err = s.count(ctx, &positions, eraseTrackSQL, courier, day.Start(), day.Next().Start())
		}
	}
	if err == nil {
		err = s.count(ctx, &sessions, eraseSessionsSQL, courier)
	}
	if err == nil {
		err = s.count(ctx, &letters, eraseLettersSQL, courier)
	}
	return []Erased{positions, sessions, letters}, err
}

func (s *Store) count(ctx context.Context, into *Erased, sql string, args ...any) error {
	return s.atLeisure(ctx, func(ctx context.Context, tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, sql, args...)
		into.Rows += tag.RowsAffected()
		return err
	})
}

// EraseCourier takes the person out of a courier's row and of what they reported. Their id stays, and with it what they delivered when. Errors: as Dismiss.
func (s *Store) EraseCourier(ctx context.Context, courier tracking.ID, now time.Time) ([]Erased, error) {
	erased := []Erased{{Table: "couriers"}, {Table: "delivery_events"}, {Table: "deliveries"}}
	err := s.atLeisure(ctx, func(ctx context.Context, tx pgx.Tx) error {
		if err := refuseBusy(ctx, tx, courier); err != nil {
			return err
		}
		for i, statement := range []struct {
			sql  string
			args []any
		}{{eraseCourierSQL, []any{courier, now}}, {eraseCourierEventsSQL, []any{courier}}, {reviseCourierSQL, []any{courier}}} {
			tag, err := tx.Exec(ctx, statement.sql, statement.args...)
			if err != nil {
				return err
			}
			erased[i].Rows = tag.RowsAffected()
		}
		return nil
	})
	return erased, err
}

const openOfSQL = `SELECT count(*) FROM deliveries WHERE id = ANY($1) AND finished_at IS NULL`

const lockOfSQL = `SELECT id FROM deliveries WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE`

// EraseRecipients takes the people out of deliveries. Errors: CodeConflict (some are not over; nothing was done), CodeUnavailable; some is done then.
func (s *Store) EraseRecipients(ctx context.Context, deliveries []tracking.ID, now time.Time) ([]Erased, error) {
	var open int
	if err := s.db.QueryRow(ctx, openOfSQL, deliveries).Scan(&open); err != nil {
		return nil, translate(err)
	}
	if open > 0 {
		return nil, tracking.Errorf(tracking.CodeConflict, "%d of their deliveries are not over: end or cancel them first", open)
	}
	erased := Erased{Table: "deliveries"}
	for some := range slices.Chunk(deliveries, 1000) {
		err := s.within(ctx, func(ctx context.Context, tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, lockOfSQL, some); err != nil {
				return err
			}
			return redact(ctx, tx, some, now)
		})
		if err != nil {
			return []Erased{erased}, err
		}
		erased.Rows += int64(len(some))
	}
	return []Erased{erased}, nil
}
