package postgres

import (
	"context"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"hotfoot/tracking"
)

// The entry is known already when a crash came between the burial and the acknowledgement.
const buryLetterSQL = `
INSERT INTO dead_letters (id, entry, payload, courier_id, session, points, reason, buried_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (entry) DO NOTHING`

// Bury implements tracking.Track. It takes whatever bytes there are: it is where those end that nothing else would take.
func (s *Store) Bury(ctx context.Context, letter tracking.DeadLetter) (tracking.Mark, error) {
	batch := letter.Batch
	payload := letter.Payload
	if payload == nil {
		payload = []byte{}
	}
	var sessions []sessionSeqs
	// A session whose name Postgres cannot hold was garbled on its way here. No phone waits for it, and another's must not be settled for it.
	if !batch.CourierID.IsZero() && batch.Session == storable(batch.Session) {
		sessions = sessionsOf([]tracking.Batch{batch})
	}
	var durable map[sessionKey]int64
	err := s.db.Send(ctx, patience, func(queue *pgx.Batch) {
		queue.Queue(buryLetterSQL, letter.ID, storable(letter.Entry), payload, optional(batch.CourierID), storable(batch.Session),
			len(batch.Fixes), storable(letter.Reason), letter.BuriedAt)
		durable = markSessions(queue, sessions)
	})
	if err != nil || batch.CourierID.IsZero() {
		return tracking.Mark{}, translate(err)
	}
	return tracking.Mark{CourierID: batch.CourierID, Session: batch.Session, DurableSeq: durable[sessionKey{batch.CourierID, batch.Session}]}, nil
}

// storable is a text as Postgres can hold it: one with NUL or with what is not UTF-8 is quoted, so that two of them stay two.
func storable(text string) string {
	if utf8.ValidString(text) && !strings.Contains(text, "\x00") {
		return text
	}
	return strconv.Quote(text)
}

// DeadLetterInfo is a dead letter as an administrator sees it.
type DeadLetterInfo struct {
	ID        tracking.ID
	Entry     string
	CourierID tracking.ID // zero when the payload could not be read
	Session   string
	Points    int
	Reason    string
	BuriedAt  time.Time
	Payload   []byte // of DeadLetter only
}

const deadLetterColumns = `id, entry, courier_id, session, points, reason, buried_at`

func scanDeadLetter(row pgx.CollectableRow, more ...any) (DeadLetterInfo, error) {
	var l DeadLetterInfo
	var courier *tracking.ID
	err := row.Scan(append([]any{&l.ID, &l.Entry, &courier, &l.Session, &l.Points, &l.Reason, &l.BuriedAt}, more...)...)
	l.CourierID = value(courier)
	return l, err
}

const deadLettersSQL = `SELECT ` + deadLetterColumns + ` FROM dead_letters WHERE $1::uuid IS NULL OR id > $1 ORDER BY id LIMIT $2`

// DeadLetters lists dead letters in the order in which they were buried, those after a given one, without their payload. Errors: CodeUnavailable.
func (s *Store) DeadLetters(ctx context.Context, after tracking.ID, limit int) ([]DeadLetterInfo, error) {
	rows, err := s.db.Query(ctx, deadLettersSQL, optional(after), limit)
	if err != nil {
		return nil, translate(err)
	}
	letters, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (DeadLetterInfo, error) { return scanDeadLetter(row) })
	return letters, translate(err)
}

const deadLetterSQL = `SELECT ` + deadLetterColumns + `, payload FROM dead_letters WHERE id = $1`

// DeadLetter reads one. Errors: CodeNotFound, CodeUnavailable.
func (s *Store) DeadLetter(ctx context.Context, id tracking.ID) (DeadLetterInfo, error) {
	rows, err := s.db.Query(ctx, deadLetterSQL, id)
	if err != nil {
		return DeadLetterInfo{}, translate(err)
	}
	var payload []byte
	letter, err := pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (DeadLetterInfo, error) { return scanDeadLetter(row, &payload) })
	if err == pgx.ErrNoRows {
		return letter, tracking.Errorf(tracking.CodeNotFound, "no such dead letter")
	}
	letter.Payload = payload
	return letter, translate(err)
}

const dropDeadLetterSQL = `DELETE FROM dead_letters WHERE id = $1`

// DropDeadLetter removes one for good. Errors: CodeNotFound, CodeUnavailable.
func (s *Store) DropDeadLetter(ctx context.Context, id tracking.ID) error {
	return s.within(ctx, func(ctx context.Context, tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, dropDeadLetterSQL, id)
		if err == nil && tag.RowsAffected() == 0 {
			return tracking.Errorf(tracking.CodeNotFound, "no such dead letter")
		}
		return err
	})
}

const countDeadLettersSQL = `SELECT count(*) FROM dead_letters`

// CountDeadLetters says how many nobody has looked after yet. Errors: CodeUnavailable.
func (s *Store) CountDeadLetters(ctx context.Context) (int, error) {
	var count int
	err := s.db.QueryRow(ctx, countDeadLettersSQL).Scan(&count)
	return count, translate(err)
}
