package postgres

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"hotfoot/tracking"
)

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
			if f.Seq > 0 && f.Seq < math.MaxInt64 { // a range must be able to end behind it
				byKey[key] = append(byKey[key], f.Seq)
			}
		}
		for _, seq := range b.Settled {
			if seq > 0 && seq < math.MaxInt64 {
				byKey[key] = append(byKey[key], seq)
			}
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

// The session's durable seq is where its first run ends, if that begins at the beginning.
const markSessionsSQL = `
INSERT INTO position_sessions (courier_id, session, seqs, updated_at)
SELECT c, s, trim_seqs(m::int8multirange), $4 FROM unnest($1::uuid[], $2::text[], $3::text[]) n(c, s, m)
ON CONFLICT (courier_id, session) DO UPDATE SET seqs = trim_seqs(position_sessions.seqs + excluded.seqs), updated_at = excluded.updated_at
RETURNING courier_id, session, (SELECT coalesce(max(upper(r)) - 1, 0) FROM unnest(position_sessions.seqs) r WHERE lower(r) <= 1)`

// markSessions queues what adds seqs to their sessions. How far each has come is in the map once the batch has been sent.
func markSessions(batch *pgx.Batch, sessions []sessionSeqs) map[sessionKey]int64 {
	durable := make(map[sessionKey]int64, len(sessions))
	if len(sessions) == 0 {
		return durable
	}
	couriers, names, ranges := make([]tracking.ID, len(sessions)), make([]string, len(sessions)), make([]string, len(sessions))
	for i, s := range sessions {
		couriers[i], names[i], ranges[i] = s.key.courier, s.key.session, multirange(s.seqs)
	}
	batch.Queue(markSessionsSQL, couriers, names, ranges, time.Now()).Query(func(rows pgx.Rows) error {
		var key sessionKey
		var seq int64
		_, err := pgx.ForEachRow(rows, []any{&key.courier, &key.session, &seq}, func() error {
			durable[key] = seq
			return nil
		})
		return err
	})
	return durable
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
	err := s.db.QueryRow(ctx, durableSeqSQL, courier, session).Scan(&seq)
	return seq, translate(err)
}
