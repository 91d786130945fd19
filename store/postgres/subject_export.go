package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"hotfoot/tracking"
)

// Of a key its hash is left out, which is a secret and says nothing of anybody.
const (
	exportCourierSQL   = `SELECT to_jsonb(c) FROM couriers c WHERE id = $1`
	exportShiftsSQL    = `SELECT to_jsonb(s) FROM shifts s WHERE courier_id = $1 ORDER BY started_at`
	exportKeysSQL      = `SELECT to_jsonb(k) - 'hash' FROM api_keys k WHERE courier_id = $1 ORDER BY created_at`
	exportSessionsSQL  = `SELECT to_jsonb(s) FROM position_sessions s WHERE courier_id = $1 ORDER BY session`
	exportStandingsSQL = `SELECT to_jsonb(s) FROM sealed_standings s WHERE courier_id = $1 ORDER BY day`
	exportLettersSQL   = `SELECT to_jsonb(l) FROM dead_letters l WHERE courier_id = $1 ORDER BY id`
	// Who the parcel was for is another person, and the merchant's own number may say who.
	exportDrivenSQL = `
SELECT jsonb_build_object('id', id, 'status', status, 'created_at', created_at, 'finished_at', finished_at)
FROM deliveries WHERE courier_id = $1 ORDER BY id`
	exportReportedSQL = `
SELECT to_jsonb(e) - 'request_hash' - 'proof_name' FROM delivery_events e WHERE actor_kind = 'courier' AND actor_id = $1 ORDER BY delivery_id, ver`
	exportPositionsSQL = `SELECT to_jsonb(p) - 'courier_id' FROM positions p WHERE courier_id = $1 ORDER BY recorded_at, session, seq`
	exportActsSQL      = `
SELECT to_jsonb(a) - '{n,hash,db_role,merchant_id}'::text[] FROM audit_log a WHERE actor = 'courier' AND actor_id = $1 OR subject_id = $1::uuid::text ORDER BY id`

	exportDeliveriesSQL = `SELECT to_jsonb(d) - 'route_order' - 'stops_before' - 'published_rev' FROM deliveries d WHERE id = ANY($1) ORDER BY id`
	exportEventsSQL     = `SELECT to_jsonb(e) - 'request_hash' FROM delivery_events e WHERE delivery_id = ANY($1) ORDER BY delivery_id, ver`
)

// Export tells everything that is kept of somebody, section by section: begin is called with a section's name, row with each of its rows as JSON, which is
// good until it returns. All of it is of one moment, and no more than a row is held in memory. Errors: CodeUnavailable, and those of begin and row.
func (s *Store) Export(ctx context.Context, of Subject, begin func(section string) error, row func([]byte) error) error {
	type section struct {
		name, sql string
		of        any
	}
	sections := []section{{"deliveries", exportDeliveriesSQL, of.Deliveries}, {"events", exportEventsSQL, of.Deliveries}}
	if !of.Courier.IsZero() {
		sections = []section{
			{"courier", exportCourierSQL, of.Courier},
			{"shifts", exportShiftsSQL, of.Courier},
			{"keys", exportKeysSQL, of.Courier},
			{"sessions", exportSessionsSQL, of.Courier},
			{"standings", exportStandingsSQL, of.Courier},
			{"dead_letters", exportLettersSQL, of.Courier},
			{"deliveries", exportDrivenSQL, of.Courier},
			{"events", exportReportedSQL, of.Courier},
			{"positions", exportPositionsSQL, of.Courier},
			{"audit", exportActsSQL, of.Courier},
		}
	}
	return s.atLeisure(ctx, func(ctx context.Context, tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"); err != nil {
			return err
		}
		for _, section := range sections {
			if err := begin(section.name); err != nil {
				return refusedBy(err)
			}
			rows, err := tx.Query(ctx, section.sql, section.of)
			if err != nil {
				return err
			}
			for rows.Next() {
				if err := row(rows.RawValues()[0]); err != nil {
					rows.Close()
					return refusedBy(err)
				}
			}
			if err := rows.Err(); err != nil {
				return err
			}
		}
		return nil
	})
}

// refusedBy keeps an error of whoever takes rows from being taken for one of the server.
func refusedBy(err error) error {
	return &tracking.Error{Code: tracking.CodeInternal, Message: "what is exported cannot be written", Err: err}
}
