package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// grants are all that a node needs which serves: an api or a gateway. Nothing in it is deleted, emptied or altered but by workers and commands, which sign in
// as the owner; what is written once stays what it is.
var grants = []struct{ rights, tables string }{
	{"SELECT, INSERT, UPDATE", "couriers, shifts, api_keys, deliveries, position_sessions, limit_decisions"},
	{"SELECT, INSERT", "delivery_events, idempotency_keys, positions, dead_letters, audit_log"},
	{"SELECT, UPDATE", "merchants"},
	{"SELECT", "epoch, fences, sealed_standings, goose_db_version"},
}

// Grant gives a role what a node needs that serves, and takes from it whatever else it had on tables. It also takes from everybody but the owner what Postgres
// gives to all: making tables in the schema, and temporary ones, which would be found before ours. Whoever calls it must own the schema.
func (s *Store) Grant(ctx context.Context, role string) error {
	for attempt := 1; ; attempt++ {
		err := s.grant(ctx, pgx.Identifier{role}.Sanitize())
		if pg, ok := errors.AsType[*pgconn.PgError](err); !ok || pg.Code != internalError || attempt == grantAttempts {
			return err
		}
	}
}

// Postgres calls it an internal error ("tuple concurrently updated") when a worker makes a day meanwhile: both change what is noted down of tables.
const (
	internalError = "XX000"
	grantAttempts = 10
)

const whereSQL = `SELECT current_schema(), current_database()`

func (s *Store) grant(ctx context.Context, name string) error {
	return s.within(ctx, func(ctx context.Context, tx pgx.Tx) error {
		var schema, database string
		if err := tx.QueryRow(ctx, whereSQL).Scan(&schema, &database); err != nil {
			return err
		}
		schema, database = pgx.Identifier{schema}.Sanitize(), pgx.Identifier{database}.Sanitize()
		statements := []string{
			"REVOKE CREATE ON SCHEMA " + schema + " FROM PUBLIC, " + name,
			"REVOKE TEMPORARY, CREATE ON DATABASE " + database + " FROM PUBLIC, " + name,
			"REVOKE ALL ON ALL TABLES IN SCHEMA " + schema + " FROM " + name,
			"GRANT USAGE ON SCHEMA " + schema + " TO " + name,
			"GRANT EXECUTE ON FUNCTION ensure_position_partitions(date, date) TO " + name,
		}
		for _, g := range grants {
			statements = append(statements, fmt.Sprintf("GRANT %s ON %s TO %s", g.rights, g.tables, name))
		}
		for _, statement := range statements {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
}
