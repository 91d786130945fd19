package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"hotfoot/tracking"
)

var _ tracking.LimitLedger = (*Store)(nil)

// Totals of a process only grow, so that one which arrives late or twice changes nothing.
const keepLimitCountsSQL = `
INSERT INTO limit_decisions (merchant_id, minute, subject, node, kind, quota, period_ms, burst, key_hash, allowed, refused)
SELECT merchant, minute, subject, $1, kind, quota, period, burst, key, allowed, refused
FROM unnest($2::uuid[], $3::timestamptz[], $4::bytea[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bytea[], $10::bigint[], $11::bigint[])
    c (merchant, minute, subject, kind, quota, period, burst, key, allowed, refused)
ON CONFLICT (merchant_id, minute, subject, node) DO UPDATE
SET allowed = greatest(limit_decisions.allowed, excluded.allowed), refused = greatest(limit_decisions.refused, excluded.refused)`

// KeepLimitCounts implements tracking.LimitLedger.
func (s *Store) KeepLimitCounts(ctx context.Context, node tracking.ID, counts []tracking.LimitCount) error {
	n := len(counts)
	merchants, minutes, subjects := make([]tracking.ID, n), make([]time.Time, n), make([][]byte, n)
	kinds, quotas, periods, bursts := make([]string, n), make([]int64, n), make([]int64, n), make([]int64, n)
	keys, allowed, refused := make([][]byte, n), make([]int64, n), make([]int64, n)
	for i := range counts {
		c := &counts[i]
		merchants[i], minutes[i], subjects[i], keys[i] = c.MerchantID, c.Minute, c.Subject[:], c.KeyHash[:]
		kinds[i], quotas[i], periods[i], bursts[i] = string(c.Policy.Kind), c.Policy.Limit, c.Policy.Period.Milliseconds(), c.Policy.Burst
		allowed[i], refused[i] = c.Allowed, c.Refused
	}
	_, err := s.db.Exec(ctx, keepLimitCountsSQL, node, merchants, minutes, subjects, kinds, quotas, periods, bursts, keys, allowed, refused)
	return translate(err)
}

const limitCountsSQL = `
SELECT minute, subject, kind, quota, period_ms, burst, key_hash, sum(allowed)::bigint, sum(refused)::bigint
FROM limit_decisions
WHERE merchant_id = $1 AND minute >= $2 AND minute < $3 AND ($4::timestamptz IS NULL OR (minute, subject) > ($4, $5::bytea))
GROUP BY minute, subject, kind, quota, period_ms, burst, key_hash ORDER BY minute, subject LIMIT $6`

// LimitCounts lists a merchant's counts, of all nodes together, in the order of minutes. Errors: CodeUnavailable.
func (s *Store) LimitCounts(ctx context.Context, merchant tracking.ID, f tracking.LimitFilter) ([]tracking.LimitCount, error) {
	rows, err := s.db.Query(ctx, limitCountsSQL, merchant, f.From, f.To, optional(f.AfterMinute), f.AfterSubject[:], f.Limit)
	if err != nil {
		return nil, translate(err)
	}
	counts, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (tracking.LimitCount, error) {
		c := tracking.LimitCount{MerchantID: merchant}
		var subject, key []byte
		var period int64
		err := row.Scan(&c.Minute, &subject, &c.Policy.Kind, &c.Policy.Limit, &period, &c.Policy.Burst, &key, &c.Allowed, &c.Refused)
		c.Minute, c.Policy.Period = c.Minute.UTC(), time.Duration(period)*time.Millisecond
		copy(c.Subject[:], subject)
		copy(c.KeyHash[:], key)
		return c, err
	})
	return counts, translate(err)
}

// In pieces: nobody waits for one that has a month to delete.
const forgetLimitCountsSQL = `
DELETE FROM limit_decisions WHERE ctid = ANY (ARRAY(SELECT ctid FROM limit_decisions WHERE minute < $1 LIMIT $2))`

// forgetAtOnce is how many rows one statement deletes.
const forgetAtOnce = 5000

// ForgetLimitCounts deletes the counts of minutes before a time. Errors: CodeUnavailable; some may be gone then.
func (s *Store) ForgetLimitCounts(ctx context.Context, before time.Time) error {
	for {
		tag, err := s.db.Exec(ctx, forgetLimitCountsSQL, before, forgetAtOnce)
		if err != nil {
			return translate(err)
		}
		if tag.RowsAffected() < forgetAtOnce {
			return nil
		}
	}
}
