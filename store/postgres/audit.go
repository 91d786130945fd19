package postgres

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"hotfoot/tracking"
)

var _ tracking.AuditLog = (*Store)(nil)

const auditColumns = `id, at, merchant_id, actor, actor_id, db_role, action, subject, subject_id, changes::text`

// scanAudit reads auditColumns, behind whatever leading columns the query has.
func scanAudit(row pgx.CollectableRow, leading ...any) (tracking.AuditEntry, error) {
	var e tracking.AuditEntry
	var merchant, actor *tracking.ID
	err := row.Scan(append(leading, &e.ID, &e.At, &merchant, &e.By.Kind, &actor, &e.DBRole, &e.Action, &e.Subject, &e.SubjectID, &e.Changes)...)
	e.MerchantID, e.By.ID = value(merchant), value(actor)
	return e, err
}

const (
	// One seals at a time; the other finds the chain longer.
	lockChainSQL   = `SELECT pg_advisory_xact_lock(hashtext('audit_log'))`
	lastEntrySQL   = `SELECT n, hash FROM audit_log WHERE n IS NOT NULL ORDER BY n DESC LIMIT 1`
	openEntriesSQL = `SELECT ` + auditColumns + ` FROM audit_log WHERE n IS NULL ORDER BY id LIMIT $1`
	sealEntriesSQL = `UPDATE audit_log a SET n = s.n, hash = s.hash FROM unnest($1::bigint[], $2::bigint[], $3::bytea[]) s (id, n, hash) WHERE a.id = s.id`
)

// SealEntries implements tracking.AuditLog. An entry whose transaction ends late is sealed late, with a higher number than its id would have it: so there are no
// holes, and nothing comes to stand before what is sealed.
func (s *Store) SealEntries(ctx context.Context, limit int) (sealed int, head tracking.AuditHead, err error) {
	err = s.within(ctx, func(ctx context.Context, tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, lockChainSQL); err != nil {
			return err
		}
		var hash []byte
		switch err := tx.QueryRow(ctx, lastEntrySQL).Scan(&head.N, &hash); err {
		case nil:
			head.Hash = [32]byte(hash)
		case pgx.ErrNoRows:
		default:
			return err
		}
		rows, err := tx.Query(ctx, openEntriesSQL, limit)
		if err != nil {
			return err
		}
		open, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (tracking.AuditEntry, error) { return scanAudit(row) })
		if sealed = len(open); err != nil || sealed == 0 {
			return err
		}
		ids, numbers, hashes := make([]int64, sealed), make([]int64, sealed), make([][]byte, sealed)
		for i, e := range open {
			head = tracking.AuditHead{N: head.N + 1, Hash: e.Seal(head.N+1, head.Hash)}
			ids[i], numbers[i], hashes[i] = e.ID, head.N, bytes.Clone(head.Hash[:])
		}
		_, err = tx.Exec(ctx, sealEntriesSQL, ids, numbers, hashes)
		return err
	})
	if err != nil {
		return 0, tracking.AuditHead{}, err
	}
	return sealed, head, nil
}

const (
	firstEntrySQL = `SELECT coalesce(min(n), 0) FROM audit_log WHERE n IS NOT NULL`
	// What retention took last says what the first that is left goes on from.
	expiredEntriesSQL = `
SELECT changes ->> 'hash' FROM audit_log
WHERE subject = 'audit_log' AND action = 'delete' AND (changes ->> 'through')::bigint = $1 ORDER BY id DESC LIMIT 1`
	chainSQL     = `SELECT n, hash, ` + auditColumns + ` FROM audit_log WHERE n IS NOT NULL ORDER BY n`
	unchainedSQL = `SELECT count(*) FROM audit_log WHERE n IS NULL`
)

// AuditState is what a look at the whole log found.
type AuditState struct {
	First, Entries int64 // the number of the first that is kept, and how many are sealed
	Head           tracking.AuditHead
	Unsealed       int64 // written, and not in the chain yet
}

// VerifyAudit goes through the whole chain. noted, unless it is zero, is an end of it that was noted down before, and must still be in it. Errors:
// CodeConflict, naming the first entry that is not what it was; CodeInvalid when retention has taken the noted one; CodeUnavailable.
func (s *Store) VerifyAudit(ctx context.Context, noted tracking.AuditHead) (state AuditState, err error) {
	err = s.atLeisure(ctx, func(ctx context.Context, tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, firstEntrySQL).Scan(&state.First); err != nil {
			return err
		}
		if state.First > 1 {
			if state.Head, err = expiredThrough(ctx, tx, state.First-1); err != nil {
				return err
			}
		}
		if noted.N != 0 && noted.N < state.First-1 {
			return tracking.Invalid("head", "entry %d went with retention, so nothing can be said of it: the chain begins at %d; note a newer head", noted.N, state.First)
		}
		if noted.N != 0 && noted.N == state.Head.N && noted != state.Head {
			return rewritten(noted.N)
		}
		rows, err := tx.Query(ctx, chainSQL)
		if err != nil {
			return err
		}
		if state.Entries, err = follow(rows, &state.Head, noted); err != nil {
			return err
		}
		if noted.N > state.Head.N {
			return broken(noted.N, "is gone: the chain ends at %d", state.Head.N)
		}
		return tx.QueryRow(ctx, unchainedSQL).Scan(&state.Unsealed)
	})
	return state, err
}

// expiredThrough is where the chain stood that retention took away.
func expiredThrough(ctx context.Context, tx pgx.Tx, n int64) (tracking.AuditHead, error) {
	var text string
	if err := tx.QueryRow(ctx, expiredEntriesSQL, n).Scan(&text); err == pgx.ErrNoRows {
		return tracking.AuditHead{}, broken(n, "and those before it are gone, and nothing says that retention took them")
	} else if err != nil {
		return tracking.AuditHead{}, err
	}
	hash, err := hex.DecodeString(text)
	if err != nil || len(hash) != 32 {
		return tracking.AuditHead{}, broken(n, "was taken by retention, which noted no hash")
	}
	return tracking.AuditHead{N: n, Hash: [32]byte(hash)}, nil
}

// follow goes along the chain from head, which it moves to the end.
func follow(rows pgx.Rows, head *tracking.AuditHead, noted tracking.AuditHead) (entries int64, err error) {
	defer rows.Close()
	for rows.Next() {
		var n int64
		var hash []byte
		e, err := scanAudit(rows, &n, &hash)
		if err != nil {
			return entries, err
		}
		switch want := e.Seal(head.N+1, head.Hash); {
		case n != head.N+1:
			return entries, broken(head.N+1, "is gone")
		case [32]byte(hash) != want:
			return entries, broken(n, "is not what it was, or the one before it is not")
		}
		*head = tracking.AuditHead{N: n, Hash: [32]byte(hash)}
		if n == noted.N && *head != noted {
			return entries, rewritten(n)
		}
		entries++
	}
	return entries, rows.Err()
}

func rewritten(n int64) error {
	return broken(n, "has another hash than was noted down: the chain was written anew")
}

func broken(n int64, format string, args ...any) error {
	return tracking.Errorf(tracking.CodeConflict, "the audit log is broken: entry %d %s", n, fmt.Sprintf(format, args...))
}

const expireAuditSQL = `
DELETE FROM audit_log WHERE n IN (
    SELECT n FROM audit_log WHERE n < (SELECT n FROM audit_log WHERE n IS NOT NULL AND at >= $1 ORDER BY n LIMIT 1) ORDER BY n LIMIT $2)`

// DropAuditBefore implements tracking.Expiry. The newest entry stays in any case, and the chain loses nothing but its beginning.
func (s *Store) DropAuditBefore(ctx context.Context, moment time.Time, limit int) (int, error) {
	var dropped int64
	err := s.within(ctx, func(ctx context.Context, tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SET LOCAL hotfoot.expiring = 'audit_log'"); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, expireAuditSQL, moment, limit)
		dropped = tag.RowsAffected()
		return err
	})
	return int(dropped), err
}

const auditSQL = `
SELECT ` + auditColumns + ` FROM audit_log
WHERE ($1::uuid IS NULL OR merchant_id = $1) AND ($2::text IS NULL OR subject_id = $2) AND ($3::bigint IS NULL OR id < $3) ORDER BY id DESC LIMIT $4`

// Audit lists entries, the newest first. Errors: CodeUnavailable.
func (s *Store) Audit(ctx context.Context, f tracking.AuditFilter) ([]tracking.AuditEntry, error) {
	rows, err := s.db.Query(ctx, auditSQL, optional(f.Merchant), optional(f.Subject), optional(f.Before), f.Limit)
	if err != nil {
		return nil, translate(err)
	}
	entries, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (tracking.AuditEntry, error) { return scanAudit(row) })
	return entries, translate(err)
}
